using Colibri.Cli.Output;
using Colibri.Cli.Top;

namespace Colibri.UnitTests.Cli.Top;

public sealed class GridTests
{
    [Test]
    public void A_wide_character_takes_two_cells_and_a_mark_none()
    {
        var grid = new Grid(10, 1);
        grid.Put(0, 0, "修e\u0301x").ShouldBe(4);
        grid.Line(0).ShouldBe("修e\u0301x");
        grid[1, 0].Glyph.ShouldBe("");
        grid[2, 0].Glyph.ShouldBe("e\u0301");
    }

    [Test]
    public void What_does_not_fit_is_cut_and_never_half_a_character()
    {
        var grid = new Grid(5, 1);
        grid.Put(0, 0, "修修修");
        grid.Line(0).ShouldBe("修修…");
        var narrow = new Grid(4, 1);
        narrow.Put(0, 0, "修修修");
        narrow.Line(0).ShouldBe("修…");
        var shared = new Grid(10, 1);
        shared.Put(0, 0, "abcdefgh", Tone.Plain, 4);
        shared.Line(0).ShouldBe("abc…");
    }

    [Test]
    public void Nothing_that_a_terminal_obeys_gets_into_a_cell()
    {
        var grid = new Grid(80, 1);
        grid.Put(0, 0, "a\e[2Jb\rc\u202Ed\u009be\n");
        grid.Line(0).ShouldBe("a\\x1b[2Jb\\rc\\u202ed\\x9be\\n");
    }

    [Test]
    public void A_family_of_joined_emoji_is_each_of_them()
    {
        var grid = new Grid(10, 1);
        grid.Put(0, 0, "👩\u200d👧x\ufe0f");
        grid.Line(0).ShouldBe("👩👧x");
    }

    [Test]
    public void Outside_of_it_nothing_is_written()
    {
        var grid = new Grid(3, 2);
        grid.Put(3, 0, "x");
        grid.Put(-1, 0, "x");
        grid.Put(0, 2, "x");
        grid.Put(0, -1, "x");
        grid.ToString().ShouldBe("\n");
    }

    [Test]
    public void Marks_without_end_are_cut()
    {
        var grid = new Grid(3, 1);
        grid.Put(0, 0, "e" + new string('\u0301', 1_000));
        grid[0, 0].Glyph.Length.ShouldBe(4);
    }
}
