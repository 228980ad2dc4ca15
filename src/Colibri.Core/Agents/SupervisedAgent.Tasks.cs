using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Posix.Polling;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>The tasks in an agent's hands, one after another, and what it is told and asked over its standard input.</summary>
public sealed partial class SupervisedAgent
{
    private bool _isWatchedForQuiet;
    private volatile bool _isTold;

    /// <summary>Whether it may be given a task now: long-lived, at rest, and meant for it.</summary>
    internal bool IsAtRest => TakesTasks && _assignment is null && _process is not null && !HasEnded && Cause == StopCause.None
        && !_isTold && _pane.Run.Outcome is not (RunOutcome.Working or RunOutcome.Blocked);

    /// <summary>It stays when there is nothing to do.</summary>
    internal bool IsKept { get; }

    private bool TakesTasks { get; }

    /// <summary>Whether it has a capability.</summary>
    internal Predicate<string> Offers { get; }

    /// <summary>What the agent asks and nobody has answered yet.</summary>
    public AgentQuestion? Question => _pane.Question;

    /// <summary>Tells a long-lived agent something: a new prompt when it is at rest, else an addition to what it is at.</summary>
    public async Task<RpcReply> TellAsync(string text)
    {
        if (_rpc is null)
            return RpcReply.Refused("it takes no prompts on standard input: it was started for one run");
        var isBusy = _pane.Run.Outcome is RunOutcome.Working or RunOutcome.Blocked;
        await LogAsync(new SessionEntry { Kind = SessionEntryKind.User, Text = text }).ConfigureAwait(false);
        return await _rpc.AskAsync(isBusy && _profile.SteerCommand is { } steer ? steer : "prompt", text).ConfigureAwait(false);
    }

    /// <summary>Answers the open question; the agent says nothing to that but goes on.</summary>
    /// <returns>False where it does not ask that any more, or does not read.</returns>
    public bool TryAnswer(string request, string? value, bool? confirmed)
    {
        if (_rpc is null || !_pane.TryAnswer(request))
            return false;
        return _rpc.TrySend(writer =>
        {
            writer.WriteString("type"u8, "extension_ui_response"u8);
            writer.WriteString("id"u8, request);
            if (confirmed is { } yes)
                writer.WriteBoolean("confirmed"u8, yes);
            else if (value is not null)
                writer.WriteString("value"u8, value);
            else
                writer.WriteBoolean("cancelled"u8, true);
        });
    }

    /// <summary>Claims a task for an agent at rest and sets it to work.</summary>
    /// <returns>False where the agent or the task was not free any more.</returns>
    /// <exception cref="BoardUnavailableException">Nothing could be put on record, so nothing was begun.</exception>
    internal async Task<bool> TryAssignAsync(string taskId)
    {
        var assignment = new Assignment(taskId, Guid.CreateVersion7().ToString(), _parts.Time.GetTimestamp())
        {
            AgentSpentBefore = _pane.Usage.CostMicrocents,
            RunsBefore = _pane.Run.Runs,
        };
        if (!IsAtRest || Interlocked.CompareExchange(ref _assignment, assignment, null) is not null)
            return false;
        BoardTask? claimed = null;
        try
        {
            var begun = await _parts.Board.BeginRunAsync(new RunStart(assignment.RunId, Id, taskId, SessionId), Record.Provider, Record.Model)
                .ConfigureAwait(false);
            claimed = begun.Outcome == EdgeOutcome.Applied ? begun.Task : null;
        }
        catch (InvalidOperationException)
        {
            // It has ended meanwhile.
        }
        finally
        {
            if (claimed is null)
                Volatile.Write(ref _assignment, null);
        }
        if (claimed is null)
            return false;
        assignment.Claimed(claimed);
        _isWatchedForQuiet = false;
        _usage.RunId = assignment.RunId;
        _pane.SetTask(taskId);
        _parts.Logger.TaskAssigned(Id, taskId);
        _ = WorkOnAsync(assignment, AgentLaunch.PromptOf(claimed));
        return true;
    }

    /// <summary>Ends an agent that has nothing more to do.</summary>
    internal void Retire()
    {
        if (IsAtRest)
            RequestStop(StopCause.Settled, AgentSupervisor.DefaultGrace);
    }

    private async Task WorkOnAsync(Assignment assignment, string prompt)
    {
        // A task starts with a clean head: what was said about another one costs money with every request, and may mislead.
        if (_profile.ForgetCommand is { } forget)
            await _rpc!.AskAsync(forget, null).ConfigureAwait(false);
        await LogAsync(new SessionEntry { Kind = SessionEntryKind.User, Text = prompt }).ConfigureAwait(false);
        await PromptAsync(assignment, prompt).ConfigureAwait(false);
    }

    private async Task PromptAsync(Assignment? assignment, string prompt)
    {
        _isTold = assignment is null;
        var reply = await _rpc!.AskAsync("prompt", prompt).ConfigureAwait(false);
        _isTold = false;
        if (reply.IsTaken || assignment is null)
            return;
        assignment.Refusal = reply.Problem;
        LookForTheEndOfTheRun();
    }

    private long SpentOn(Assignment assignment) => assignment.SpentBefore + _pane.Usage.CostMicrocents - assignment.AgentSpentBefore;

    /// <summary>A run that has ended has nothing left to save: its work is done and paid.</summary>
    private void HoldToBudget()
    {
        if (_assignment is not { } assignment || Cause != StopCause.None || !_parts.Budgets.IsOverTask(SpentOn(assignment))
            || assignment.Of(_pane.Run).Outcome == RunOutcome.Done)
            return;
        _parts.Logger.TaskBudgetSpent(Id, assignment.TaskId, Dollars.Of(SpentOn(assignment)), Dollars.Of(_parts.Budgets.TaskMicrocents ?? 0));
        RequestStop(StopCause.Budget, BudgetGrace);
    }

    /// <summary>A long-lived agent's task is over when its run is; one that was started for a run alone has to exit then.</summary>
    private void LookForTheEndOfTheRun()
    {
        if (_assignment is not { } assignment)
            return;
        var run = assignment.Of(_pane.Run);
        if (_isRpc && (run.IsSettled || run.PromptRefused is not null))
        {
            EndRun(assignment, run);
        }
        else if (run.Outcome is RunOutcome.Done or RunOutcome.Failed && !_isWatchedForQuiet)
        {
            _isWatchedForQuiet = true;
            _ = EndWhenQuietAsync(assignment, _isRpc ? QuietAfterEnd : _parts.Configuration.ExitTimeout);
        }
    }

    /// <summary>Some versions never say that a run is settled, and some agents never exit: an end with nothing after it is one.</summary>
    private async Task EndWhenQuietAsync(Assignment assignment, TimeSpan quiet)
    {
        while (true)
        {
            var seen = _pane.Events;
            if (!await WaitWhileAliveAsync(quiet).ConfigureAwait(false))
                return;
            if (_pane.Events == seen)
                break;
            // Codex without a network says that it reconnects, for ever.
            if (_pane.FailingFor() >= _parts.Configuration.FirstEventTimeout)
            {
                MissByFailing(_parts.Configuration.FirstEventTimeout);
                return;
            }
        }
        var run = assignment.Of(_pane.Run);
        if (_assignment == assignment && run.Outcome is RunOutcome.Done or RunOutcome.Failed)
            EndRun(assignment, run);
        else
            _isWatchedForQuiet = false;
    }

    private void EndRun(Assignment assignment, RunState run)
    {
        if (!assignment.TryEnd())
            return;
        if (_isRpc && (IsKept || (TakesTasks && run.Outcome == RunOutcome.Done)) && Cause == StopCause.None)
            _ = CompleteRunAsync(assignment);
        else
            RequestStop(StopCause.Settled, AgentSupervisor.DefaultGrace);
    }

    /// <summary>Puts the run's end on record; the agent lives on.</summary>
    private async Task CompleteRunAsync(Assignment assignment)
    {
        if (_process is not { } process)
            return;
        await EventLoop.LeaveAsync();
        var end = EndOf(StopCause.Settled, new ProcessExit(Code: 0), process);
        await LogAsync(new SessionEntry { Kind = SessionEntryKind.Note, Text = NoteOf(end) }).ConfigureAwait(false);
        await PutOnRecordAsync(() => _parts.Board.EndRunAsync(Id, end)).ConfigureAwait(false);
        _usage.Settle();
        _parts.Logger.TaskLeft(Id, assignment.TaskId, end.Verdict);
        if (Cause != StopCause.None)
            return;
        _pane.SetTask(null);
        Volatile.Write(ref _assignment, null);
        _rested();
    }

    private async Task LogAsync(SessionEntry entry)
    {
        try
        {
            await _parts.Sessions.AppendAsync(SessionId, entry).ConfigureAwait(false);
        }
        catch (SessionUnavailableException)
        {
            _recorder.CountDropped();
        }
    }

    private static string NoteOf(SpawnEnd end) => end.Error is { } error ? $"run ended: {end.Verdict} ({error.Message})" : $"run ended: {end.Verdict}";
}
