using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>A run's statements name its claim: one that has lost its task changes nothing of it.</summary>
public sealed class RunClaimTests
{
    private static RunEnd End(RunClaim claim, RunEnding ending = RunEnding.Done) => new() { AgentId = "a", Claim = claim, AgentEnded = true, Ending = ending, Verdict = "late" };

    [Test]
    [Arguments(RunEnding.Done)]
    [Arguments(RunEnding.Failed)]
    [Arguments(RunEnding.Interrupted)]
    public async Task A_run_whose_task_was_claimed_anew_changes_nothing(RunEnding ending)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        var first = (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), task.Id)).Claim!;
        // The task goes back to the queue, and to another agent, while the first one thinks that it has it.
        await fixture.Board.EndRunAsync(End(first, RunEnding.Interrupted) with { Verdict = "interrupted" });
        var second = (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("b"), task.Id)).Claim!;
        second.Number.ShouldBe(first.Number + 1, "a claim that was given back is still counted");
        var held = await fixture.Get(task);

        var stale = first with { RunId = second.RunId };
        (await fixture.Board.ProcessStartedAsync("a", stale, 1, 1, "boot"))!.ShouldBe(held);
        (await fixture.Board.EndRunAsync(End(stale, ending))).ShouldBe(new RunClosed(held, IsLost: true));

        (await fixture.Get(task)).ShouldBe(held);
        (await fixture.Board.RunsAsync(task.Id)).Select(run => (run.AgentId, run.Verdict, run.Pid)).ShouldBe([("a", "interrupted", null), ("b", null, null)]);
    }

    [Test]
    public async Task A_run_of_another_start_of_the_daemon_changes_nothing()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        var claim = (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), task.Id)).Claim!;
        var board = await fixture.Reopen();

        (await board.EndRunAsync(End(claim with { Epoch = claim.Epoch + 1 }))).IsLost.ShouldBeTrue();
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Claimed);
        (await board.EndRunAsync(End(claim))).ShouldSatisfyAllConditions(closed => closed.IsLost.ShouldBeFalse(), closed => closed.Task!.Status.ShouldBe(TaskState.Done));
    }

    [Test]
    public async Task Each_start_that_claims_has_a_higher_epoch_and_every_claim_of_a_task_a_higher_number()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create(maxAttempts: 9);
        var claims = new List<RunClaim>();
        for (var start = 0; start < 3; start++)
        {
            var board = await fixture.Reopen();
            for (var n = 0; n < 2; n++)
            {
                var begun = await board.BeginSpawnAsync(BoardFixture.Record($"a{start}-{n}"), task.Id);
                claims.Add(begun.Claim!);
                await board.EndRunAsync(End(begun.Claim!, RunEnding.Interrupted) with { AgentId = $"a{start}-{n}" });
            }
        }
        claims.Select(claim => (claim.Number, claim.Epoch)).ShouldBe([(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)]);
        (await fixture.Get(task)).Attempts.ShouldBe(0);
    }

    [Test]
    public async Task An_end_that_is_told_twice_is_not_lost()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        var claim = (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), task.Id)).Claim!;

        (await fixture.Board.EndRunAsync(End(claim))).IsLost.ShouldBeFalse();
        (await fixture.Board.EndRunAsync(End(claim))).ShouldSatisfyAllConditions(
            closed => closed.IsLost.ShouldBeFalse(), closed => closed.Task!.Status.ShouldBe(TaskState.Done));
    }

    [Test]
    public async Task A_tasks_own_session_is_kept_unless_another_is_asked_for()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Board.CreateAsync(new NewTask { Title = "t", SessionId = "review-42" });

        var begun = await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), task.Id);
        begun.Task!.SessionId.ShouldBe("review-42");
        (await fixture.Board.RunsAsync(task.Id)).ShouldHaveSingleItem().SessionId.ShouldBe("review-42");
        await fixture.Board.EndRunAsync(End(begun.Claim!, RunEnding.Interrupted));

        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("b") with { ReplacesSession = true }, task.Id)).Task!.SessionId.ShouldBe("session-of-b");
    }

    [Test]
    public async Task The_arguments_on_record_are_made_of_the_task_as_it_was_claimed()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Board.CreateAsync(new NewTask { Title = "title", Description = "the whole story" });

        await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a") with { Arguments = (claimed, _) => ["-p", claimed!.Description] }, task.Id);

        (await fixture.Board.RunsAsync(task.Id)).ShouldHaveSingleItem().Arguments.ShouldBe(["-p", "the whole story"]);
    }
}
