using Colibri.Core.Board;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>Which session of a task's earlier runs the next one is told of, by how the run before ended and by what came between.</summary>
public sealed class EarlierSessionTests : IAsyncDisposable
{
    private static readonly Conversation Own = new("claude", "s-1");

    private readonly BoardFixture _fixture = new() { MaxInterruptions = 99 };
    private int _runs;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    public static List<(RunEnding Ending, string Verdict)> Cuts() =>
    [
        (RunEnding.Killed, "interrupted"),
        (RunEnding.Interrupted, "interrupted"),
        (RunEnding.Interrupted, "provider"),
        (RunEnding.Failed, "deadline"),
        (RunEnding.Failed, "exit-code"),
        (RunEnding.Failed, "memory"),
        (RunEnding.Failed, "stopped"),
        (RunEnding.Reworked, "check-failed"),
    ];

    [Test]
    [MethodDataSource(nameof(Cuts))]
    public async Task Every_end_that_leaves_the_work_unfinished_leaves_its_session(RunEnding ending, string verdict)
    {
        var task = await _fixture.Create();
        await Run(task, ending, verdict, cwd: "/work");

        var earlier = (await Begin(task)).Earlier!;

        earlier.ShouldBe(new EarlierSession(Own)
        {
            Directory = "/work",
            IsTaskTold = true,
            IsFeedbackTold = ending != RunEnding.Reworked,
            Reason = $"because {verdict}",
        });
    }

    [Test]
    [Arguments(RunEnding.Done, null, false)]
    [Arguments(RunEnding.Done, "", false)]
    [Arguments(RunEnding.Done, "once more", true)]
    [Arguments(RunEnding.Failed, null, false)]
    [Arguments(RunEnding.Failed, "once more", true)]
    public async Task Another_try_begins_anew_unless_something_is_to_be_said(RunEnding ending, string? feedback, bool expected)
    {
        var task = await _fixture.Create(maxAttempts: 1);
        await Run(task, ending, "exit-code");
        await _fixture.Board.RetryAsync(task.Id, feedback);

        ((await Begin(task)).Earlier is not null).ShouldBe(expected);
    }

    /// <summary>What another try begins is gone on with again.</summary>
    [Test]
    public async Task A_run_after_such_a_try_leaves_its_own()
    {
        var task = await _fixture.Create(maxAttempts: 1);
        await Run(task, RunEnding.Failed, "exit-code");
        await _fixture.Board.RetryAsync(task.Id, null);
        await Run(task, RunEnding.Killed, "interrupted", own: Own with { Session = "s-2" });

        (await Begin(task)).Earlier!.Conversation.Session.ShouldBe("s-2");
    }

    /// <summary>What it did is in no earlier session.</summary>
    [Test]
    public async Task A_run_without_a_session_in_which_the_model_answered_leaves_none()
    {
        var task = await _fixture.Create();
        await Run(task, RunEnding.Killed, "interrupted");
        await Run(task, RunEnding.Killed, "interrupted", own: null, isSessionless: true);

        (await Begin(task)).Earlier.ShouldBeNull();
    }

    [Test]
    public async Task Runs_without_an_answer_leave_the_one_before_and_those_that_failed_to_take_it_up_count()
    {
        var task = await _fixture.Create(maxAttempts: 9);
        await Run(task, RunEnding.Killed, "interrupted");
        await Run(task, RunEnding.Killed, "interrupted", hasAnswered: false, own: Own with { Session = "s-2" });
        (await Begin(task, end: true)).Earlier!.Conversation.ShouldBe(Own);
        for (var failures = 1; failures <= 3; failures++)
        {
            await Run(task, RunEnding.Interrupted, "exit-code", hasAnswered: false, resumeFailed: true);
            var earlier = (await Begin(task, end: true)).Earlier!;
            (earlier.Conversation, earlier.Failures).ShouldBe((Own, failures));
        }
    }

    [Test]
    public async Task An_edit_of_what_it_was_told_shows()
    {
        var task = await _fixture.Create();
        await Run(task, RunEnding.Killed, "interrupted");
        await _fixture.Board.EditAsync(task.Id, new TaskEdit { Priority = 7 });
        (await Begin(task, end: true)).Earlier!.IsTaskTold.ShouldBeTrue();
        await _fixture.Board.EditAsync(task.Id, new TaskEdit { Description = "the north side" });

        (await Begin(task)).Earlier!.IsTaskTold.ShouldBeFalse();
    }

    /// <summary>It is fenced as every statement of a run is.</summary>
    [Test]
    public async Task What_an_agent_tells_of_its_session_is_heard_while_its_run_is_open()
    {
        var task = await _fixture.Create();
        var claim = (await Begin(task)).Claim!;
        var board = _fixture.Board;

        (await board.NoteSessionAsync(claim, Own, hasAnswered: false)).ShouldBeTrue();
        (await board.NoteSessionAsync(claim, null, hasAnswered: true)).ShouldBeTrue();
        (await board.NoteSessionAsync(claim with { Epoch = claim.Epoch - 1 }, Own with { Session = "x" }, hasAnswered: true)).ShouldBeFalse();
        await board.EndRunAsync(new RunEnd { AgentId = Agent, Claim = claim, AgentEnded = true, Ending = RunEnding.Killed, Verdict = "interrupted" });
        (await board.NoteSessionAsync(claim, Own with { Session = "x" }, hasAnswered: true)).ShouldBeFalse();

        var run = (await board.RunsAsync(task.Id)).ShouldHaveSingleItem();
        (run.HarnessSession, run.HasAnswered, run.IsResumed).ShouldBe(("s-1", true, false));
    }

    private string Agent => $"agent-{_runs}";

    [Test]
    public async Task What_came_before_is_told_again_only_where_it_has_come_to_something_else()
    {
        var parent = await _fixture.Create("beams");
        await Run(parent, RunEnding.Done, "done");
        var child = await _fixture.Board.CreateAsync(new NewTask { Title = "roof", After = [parent.Id], MaxAttempts = 9 });
        await Run(child, RunEnding.Reworked, "check-failed");

        (await Begin(child, end: true)).Earlier!.AreParentsTold.ShouldBeTrue();

        await _fixture.Board.RetryAsync(parent.Id, null);
        _fixture.Time.Now += TimeSpan.FromHours(1);
        var claim = (await Begin(parent)).Claim;
        await _fixture.Board.EndRunAsync(new RunEnd { AgentId = Agent, Claim = claim, AgentEnded = true, Ending = RunEnding.Done, Result = new TaskResult("They stand otherwise.") });
        _fixture.Time.Now += TimeSpan.FromHours(1);
        var again = await Begin(child);
        again.Earlier!.AreParentsTold.ShouldBeFalse();
        again.Earlier.IsTaskTold.ShouldBeTrue();
        again.Task!.Parents!.ShouldHaveSingleItem().Result!.Text.ShouldBe("They stand otherwise.");
    }

    private async Task<RunBegun> Begin(BoardTask task, bool end = false)
    {
        _runs++;
        var begun = await _fixture.Board.BeginSpawnAsync(BoardFixture.Record(Agent), task.Id);
        begun.Outcome.ShouldBe(EdgeOutcome.Applied, begun.Reason);
        if (end)
            await _fixture.Board.EndRunAsync(new RunEnd { AgentId = Agent, Claim = begun.Claim, AgentEnded = true, Ending = RunEnding.Killed, Verdict = "interrupted" });
        return begun;
    }

    private async Task Run(
        BoardTask task, RunEnding ending, string verdict, string? cwd = null, bool hasAnswered = true, bool resumeFailed = false, bool isSessionless = false, Conversation? own = null)
    {
        var claim = (await Begin(task)).Claim!;
        if (cwd is not null)
            await _fixture.Board.PlaceRunAsync(claim, cwd);
        await _fixture.Board.EndRunAsync(new RunEnd
        {
            AgentId = Agent,
            Claim = claim,
            AgentEnded = true,
            Ending = ending,
            Verdict = verdict,
            Error = ending == RunEnding.Done ? null : new TaskError(verdict, $"because {verdict}"),
            Feedback = ending == RunEnding.Reworked ? "mend it" : null,
            RetryAt = ending == RunEnding.Failed ? _fixture.Time.Now : null,
            Conversation = isSessionless ? null : own ?? Own,
            HasAnswered = hasAnswered,
            ResumeFailed = resumeFailed,
        });
    }
}
