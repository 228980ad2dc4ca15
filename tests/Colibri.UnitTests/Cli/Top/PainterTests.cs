using System.Text;
using Colibri.Cli.Output;
using Colibri.Cli.Top;

namespace Colibri.UnitTests.Cli.Top;

public sealed class PainterTests
{
    private static Grid Of(int width, params string[] lines)
    {
        var grid = new Grid(width, lines.Length);
        for (var y = 0; y < lines.Length; y++)
            grid.Put(0, y, lines[y]);
        return grid;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    [Test]
    public void The_first_frame_clears_and_the_same_frame_again_writes_nothing()
    {
        var painter = new Painter(colour: true);
        Text(painter.Frame(Of(10, "ab", "c"))).ShouldBe("\e[0m\e[2J\e[1;1Hab\e[2;1Hc");
        painter.Frame(Of(10, "ab", "c")).Length.ShouldBe(0);
    }

    [Test]
    public void Only_changed_cells_are_written_and_a_short_gap_is_written_over()
    {
        var painter = new Painter(colour: true);
        painter.Frame(Of(40, "12s  one", "same"));
        Text(painter.Frame(Of(40, "13s  one", "same"))).ShouldBe("\e[1;2H3");
        Text(painter.Frame(Of(40, "13t  two", "same"))).ShouldBe("\e[1;3Ht  two");
    }

    [Test]
    public void After_a_character_whose_width_is_doubtful_the_cursor_is_placed_anew()
    {
        var painter = new Painter(colour: true);
        painter.Frame(Of(10, ""));
        Text(painter.Frame(Of(10, "修ab"))).ShouldBe("\e[1;1H修\e[1;3Hab");
    }

    [Test]
    public void Tones_are_colours_or_without_colour_bold_and_dim_alone()
    {
        var grid = new Grid(10, 1);
        grid.Put(0, 0, "bad", Tone.Bad);
        grid.Put(4, 0, "!", Tone.Strong);
        Text(new Painter(colour: true).Frame(grid)).ShouldBe("\e[0m\e[2J\e[1;1H\e[0;31mbad\e[1;5H\e[0;1m!\e[0m");
        Text(new Painter(colour: false).Frame(grid)).ShouldBe("\e[0m\e[2J\e[1;1H\e[0mbad\e[1;5H\e[0;1m!\e[0m");
    }

    [Test]
    public void A_selected_row_is_reversed()
    {
        var grid = new Grid(3, 1);
        grid.Put(0, 0, "x");
        grid.Restyle(0, new Style(Tone.Plain, Reversed: true));
        Text(new Painter(colour: false).Frame(grid)).ShouldBe("\e[0m\e[2J\e[1;1H\e[0;7mx  \e[0m");
    }

    [Test]
    public void Another_size_is_drawn_whole()
    {
        var painter = new Painter(colour: true);
        painter.Frame(Of(10, "ab"));
        Text(painter.Frame(Of(11, "ab"))).ShouldBe("\e[0m\e[2J\e[1;1Hab");
        painter.Forget();
        Text(painter.Frame(Of(11, "ab"))).ShouldBe("\e[0m\e[2J\e[1;1Hab");
    }

    /// <summary>The seed makes every run the same; a failure names the step.</summary>
    [Test]
    public void Frames_in_a_row_leave_on_the_terminal_what_the_last_one_says()
    {
        var random = new Random(20261128);
        string[] alphabet = ["a", "b", " ", " ", "修", "e\u0301", "🐦", "▏", "é", "x"];
        foreach (var width in new[] { 1, 2, 7, 80 })
        {
            var painter = new Painter(colour: true);
            var screen = new ShownScreen(width, 3);
            for (var step = 0; step < 400; step++)
            {
                var grid = new Grid(width, 3);
                for (var y = 0; y < 3; y++)
                {
                    for (var x = 0; x < width; x = Math.Max(grid.Put(x, y, alphabet[random.Next(alphabet.Length)], (Tone)random.Next(6)), x + 1))
                    {
                    }
                }
                screen.Write(painter.Frame(grid).Span);
                screen.Text.ShouldBe(grid.ToString(), $"width {width}, step {step}");
            }
        }
    }
}
