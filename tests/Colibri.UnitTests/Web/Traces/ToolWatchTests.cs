using Colibri.Protocol.Wire;
using Colibri.Web.Traces;

namespace Colibri.UnitTests.Web.Traces;

public sealed class ToolWatchTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);
    private readonly ToolWatch _watch = new();

    [Test]
    public void A_call_lasts_from_the_event_that_shows_it_to_the_one_that_does_not()
    {
        Pane("bash", 1, 1);
        Pane("bash", 1, 2);
        Pane("edit", 2, 3);
        Pane(null, 2, 5);
        Calls(0, 9).ShouldBe([("bash", 1, 3), ("edit", 3, 5)]);
        Calls(0, 9).ShouldBeEmpty();
    }

    [Test]
    public void The_same_tool_twice_in_a_row_is_two_calls()
    {
        Pane("bash", 1, 1);
        Pane("bash", 2, 2);
        Pane(null, 2, 3);
        Calls(0, 9).ShouldBe([("bash", 1, 2), ("bash", 2, 3)]);
    }

    [Test]
    public void A_call_that_had_not_ended_ends_with_its_run_and_one_of_the_next_run_stays()
    {
        Pane("bash", 1, 1);
        Calls(0, 4).ShouldBe([("bash", 1, 4)]);
        Pane("edit", 2, 6);
        Calls(0, 4).ShouldBeEmpty();
        Pane(null, 2, 7);
        Calls(5, 9).ShouldBe([("edit", 6, 7)]);
    }

    [Test]
    public void After_a_gap_the_same_call_goes_on_and_another_s_end_is_not_made_up()
    {
        Pane("bash", 1, 1);
        _watch.TakeUp([PaneOf("bash", 1)], Noon.AddSeconds(5));
        Pane(null, 1, 6);
        Pane("edit", 2, 7);
        _watch.TakeUp([PaneOf("bash", 3)], Noon.AddSeconds(8));
        Pane(null, 3, 9);
        Calls(0, 20).ShouldBe([("bash", 1, 6), ("bash", 8, 9)]);
    }

    [Test]
    public void Calls_beyond_1024_of_a_run_are_counted()
    {
        for (var i = 0; i < ToolWatch.MostTools + 7; i++)
            Pane("bash", i + 1, i);
        Pane(null, ToolWatch.MostTools + 7, 5_000);
        var (calls, left) = _watch.TakeRun("agent-1", Noon, Noon.AddHours(2));
        (calls.Count, left).ShouldBe((ToolWatch.MostTools, 7));
    }

    private void Pane(string? tool, long tools, int second) => _watch.Take(PaneOf(tool, tools), Noon.AddSeconds(second));

    private static Pane PaneOf(string? tool, long tools) => new() { Id = "agent-1", Agent = "claude", Runtime = "claude", Lifecycle = Lifecycle.Running, Activity = Activity.Working, StartedAt = Noon, Tool = tool, Tools = tools };

    private IEnumerable<(string, int, int)> Calls(int from, int to) =>
        _watch.TakeRun("agent-1", Noon.AddSeconds(from), Noon.AddSeconds(to)).Calls.Select(call => (call.Name, (int)(call.Start - Noon).TotalSeconds, (int)(call.End - Noon).TotalSeconds));
}
