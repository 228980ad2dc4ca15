using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

public sealed class BoardTotalsTests
{
    [Test]
    public async Task Runs_are_counted_by_profile_and_verdict_also_once_they_are_gone()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a") with { Profile = "careful" }, task.Id);
        await fixture.Spawn("b");
        var open = await fixture.Board.TotalsAsync();
        (open.RunsOpen, open.Runs.Count).ShouldBe((2, 0));
        fixture.Time.Now += TimeSpan.FromSeconds(3);
        await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done, Verdict = "done" });
        await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done, Verdict = "done" });
        await fixture.Board.EndSpawnAsync("b", new RunEnd { AgentId = "", Ending = RunEnding.Failed, Verdict = "exit-code", Error = new TaskError("exit-code", "no") });
        await fixture.Board.DeleteAsync(task.Id);

        var totals = await fixture.Board.TotalsAsync();
        totals.Runs.ShouldBe([new RunTotal("careful", "done", 1, 3_000), new RunTotal("other", "exit-code", 1, 3_000)]);
        totals.RunsOpen.ShouldBe(0);
        await fixture.Reopen();
        (await fixture.Board.TotalsAsync()).Runs.ShouldBe(totals.Runs);
    }
}
