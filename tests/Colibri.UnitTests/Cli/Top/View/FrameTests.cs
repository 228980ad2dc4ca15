using System.Runtime.CompilerServices;
using Colibri.Cli.Output;
using Colibri.Cli.Top;
using Colibri.Cli.Top.View;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Structure;
using static Colibri.UnitTests.Cli.Output.Samples;
using static Colibri.UnitTests.Cli.Top.TopSamples;

namespace Colibri.UnitTests.Cli.Top.View;

/// <summary>The screens beside this file. COLIBRI_WRITE_SCREENS=1 writes them anew, to be read before they are committed.</summary>
public sealed class FrameTests
{
    private static readonly DateTimeOffset Later = Now.AddMinutes(5);

    private static void ShouldBeScreen(string name, string shown, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, $"{name}.screen.txt");
        if (Environment.GetEnvironmentVariable("COLIBRI_WRITE_SCREENS") == "1")
            File.WriteAllText(path, shown + "\n");
        (shown + "\n").ShouldBe(File.ReadAllText(path));
    }

    private static TopState Typed(TopModel model, string letters)
    {
        var state = new TopState(model);
        foreach (var letter in letters)
            state.Take(letter == '\t' ? new Key(KeyKind.Tab) : Key.Of(letter));
        return state;
    }

    [Test]
    [Arguments(80, 24)]
    [Arguments(120, 40)]
    [Arguments(300, 100)]
    [Arguments(40, 10)]
    public void The_main_page_at_every_size(int width, int height) =>
        ShouldBeScreen($"main-{width}x{height}", Frame.Draw(new TopState(Morning()), width, height, Later).ToString());

    [Test]
    public void A_question_is_answered_over_the_main_page() => ShouldBeScreen("answer-80x24", Frame.Draw(Typed(Morning(), "na"), 80, 24, Later).ToString());

    [Test]
    public void Before_something_ends_it_is_asked() => ShouldBeScreen("stop-80x24", Frame.Draw(Typed(Morning(), "s"), 80, 24, Later).ToString());

    [Test]
    public void The_help_has_every_key_and_fits_80_columns()
    {
        var state = Typed(Morning(), "?");
        state.Page!.Take(HelpLines.All, appends: false);
        ShouldBeScreen("help-80x30", Frame.Draw(state, 80, 30, Later).ToString());
        HelpLines.All.ShouldAllBe(line => Columns.Of(line.Text) <= 80);
    }

    [Test]
    public void Many_agents_scroll_around_the_selected_one()
    {
        var model = Morning();
        model.TakeAll(Enumerable.Range(1, 200).Select(number => Agent(number)));
        var state = Typed(model, "G");
        var screen = Frame.Draw(state, 80, 24, Later).ToString();
        screen.ShouldContain("> AGENTS 200, ");
        screen.ShouldContain("> a200 ");
        screen.ShouldNotContain(" a1 ");
    }

    [Test]
    [Arguments(0, 0, 0, 17, 0, 0, 0)]
    [Arguments(5, 4, 3, 17, 5, 4, 3)]
    [Arguments(50, 50, 50, 17, 5, 9, 3)]
    [Arguments(50, 2, 50, 17, 5, 2, 10)]
    [Arguments(50, 2, 2, 17, 13, 2, 2)]
    [Arguments(50, 50, 50, 7, 3, 2, 2)]
    public void Each_part_has_its_share_and_what_others_leave(int attention, int agents, int queue, int room, int a, int b, int c) =>
        MainView.Heights([attention, agents, queue], room).ShouldBe([a, b, c]);

    [Test]
    [Arguments(0, "0s")]
    [Arguments(59, "59s")]
    [Arguments(65, "1m05s")]
    [Arguments(7_620, "2h07m")]
    [Arguments(356_400, "4d03h")]
    public void Times_have_two_units(int seconds, string shown) => MainView.Elapsed(TimeSpan.FromSeconds(seconds)).ShouldBe(shown);

    /// <summary>Every time on the screen goes on at once, which is the most that a second at rest can change.</summary>
    [Test]
    [Arguments(80, 24)]
    [Arguments(120, 40)]
    [Arguments(300, 100)]
    public void A_second_at_rest_with_200_agents_writes_less_than_2_KB(int width, int height)
    {
        var model = Morning();
        model.TakeAll(Enumerable.Range(1, 200).Select(number => Agent(number) with { StartedAt = Now }));
        var state = new TopState(model);
        var painter = new Painter(colour: true);
        painter.Frame(Frame.Draw(state, width, height, Now.AddSeconds(599)));
        painter.Frame(Frame.Draw(state, width, height, Now.AddSeconds(600))).Length.ShouldBeInRange(1, 2_048);
    }

    [Test]
    public void An_absent_daemon_is_said_above_all()
    {
        var model = Morning();
        model.Away = "nobody listens on /run/d.sock";
        Frame.Draw(new TopState(model), 80, 24, Later).Line(1).ShouldBe("! nobody listens on /run/d.sock; trying again");
    }

    [Test]
    public void What_is_out_of_order_is_said_each_in_its_words()
    {
        var model = Morning();
        model.Take(Status with
        {
            Disk = new StatusDisk(StatusDisk.Low, 1_000_000, 2_000_000, "/var"),
            Queue = new QueueState([new QueuePause(null, null, Now, "night")]),
            Providers = [new StatusRoute("anthropic", null, "resting", Now.AddHours(1), 5, "529"), new StatusRoute("openai", null, "ready", null, 0, null)],
        });
        Frame.Draw(new TopState(model), 300, 24, Later).Line(1).ShouldBe(
            "! disk low: 1 MB free, no agent is started  ! paused: the whole queue since 2026-11-22T06:07:10.893Z: night  ! anthropic resting until 07:07:10Z");
    }

    [Test]
    public void The_line_of_keys_fits()
    {
        foreach (var page in new PageKind?[] { null, PageKind.Details, PageKind.Help })
        {
            Columns.Of(HelpLines.Keys(page, 80)).ShouldBeLessThanOrEqualTo(80);
            Columns.Of(HelpLines.Keys(page, 120)).ShouldBeLessThanOrEqualTo(120);
        }
    }

    [Test]
    public void The_page_of_the_manual_has_the_same_table_of_keys()
    {
        var page = File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "top.md"));
        foreach (var (key, what, twin) in HelpLines.Table)
            page.ShouldContain($"| `{key}` | {what} | {(twin.Length > 0 ? $"`{twin}`" : "")} |".Replace("|  |", "| |", StringComparison.Ordinal));
    }
}
