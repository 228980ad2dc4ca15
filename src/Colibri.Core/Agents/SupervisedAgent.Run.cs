using System.Buffers;
using System.Text.Json;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Posix.Host;
using Colibri.Posix.Processes;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>Starting, following and ending the process.</summary>
public sealed partial class SupervisedAgent
{
    /// <summary>The code of a process that could not be started.</summary>
    internal const string SpawnFailed = "spawn-failed";
    private const string Interrupted = "interrupted";

    /// <summary>An agent over its budget is gone within a second: what it does on its way out still costs.</summary>
    private static readonly TimeSpan BudgetGrace = TimeSpan.FromMilliseconds(400);

    private static readonly TimeSpan StraysGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OutputDeadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ClosedOutputGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan QuietAfterEnd = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RecordRetry = TimeSpan.FromSeconds(1);

    private bool _outputIsDiscarded;
    private Task _prompted = Task.CompletedTask;

    private StopCause Cause => (StopCause)Volatile.Read(ref _stopCause);

    /// <summary>Starts the process; the agent is on record already.</summary>
    /// <exception cref="SpawnException">It cannot be started.</exception>
    internal void Start()
    {
        Publish();
        var launch = _launch!;
        IReadOnlyDictionary<string, string> environment = _parts.Environment.Build(
            launch.Request, _parts.Secrets.For(Record.Provider is { } chosen && _profile.Providers is null ? [chosen] : _profile.Providers), _parts.Secrets.IsSecret, Id, TaskId, SessionId, _parts.Configuration.SocketPath);
        var (program, commandLine, cwd) = (Record.Binary, launch.CommandLine, launch.Request.Cwd);
        if (_confinement?.Start(Id, program, commandLine.Arguments, cwd, environment) is { } confined)
        {
            _confinement.Stage?.Write(Id, confined.Staged);
            (program, commandLine, environment, cwd) = (confined.Program, commandLine with { Arguments = confined.Arguments }, confined.Environment, null);
        }
        var process = AgentProcess.Start(
            _parts.Processes, _parts.Loop, program, commandLine.Arguments, commandLine.IsRpc, environment, cwd, Id, _parts.Cgroups, _parts.Jails.SignalsFor(Record.Jail, Id), _parts.Time, _parts.Logger);
        _process = process;
        _pane.Started(process.Identity.Pid);
        _parts.Logger.AgentStarted(Id, Name, process.Identity.Pid, (_confinement is null ? "" : $"[{_confinement.Description}] ") + launch.Recorded.Describe(Record.Binary, _parts.Secrets));
    }

    /// <summary>Follows the process to its end and puts the outcome on record.</summary>
    internal async Task RunToEndAsync()
    {
        using var process = _process!;
        if (_launch!.Prompt is { } prompt)
            _recorder.User(prompt);
        // Reading begins meanwhile, so that the first of what it says is seen at once; to its session that goes after the prompt.
        _prompted = RecordAsync().AsTask();
        var output = process.ReadOutputAsync(FeedAsync);
        var errors = process.ReadErrorsAsync();
        await _prompted.ConfigureAwait(false);
        if (_rpc is not null)
        {
            _ = _rpc.PumpAsync(process.WriteLineAsync);
            if (_launch.SentPrompt is { } sent)
                _ = PromptAsync(_assignment, sent);
        }
        if (TaskId is not null)
            _ = StopWhenOutputEndsAsync(process, output);
        StartDeadlines();
        // Not waited for here: a slow disk must not keep a stop from being heard.
        var recorded = RecordStartAsync(process.Identity);

        if (await Task.WhenAny(process.Exited, _stopRequested.Task).ConfigureAwait(false) == _stopRequested.Task)
            await EndTreeAsync(process).ConfigureAwait(false);
        var exit = await process.Exited.ConfigureAwait(false);
        await _alive.CancelAsync().ConfigureAwait(false);
        _rpc?.Close();
        _pane.Exited(new ProcessExit(exit.Code, exit.Signal));
        if (process.MayHaveStrays())
            await EndStraysAsync(process).ConfigureAwait(false);
        await _parts.Jails.CloseAsync(Record.Jail, Record.JailRoot, Id).ConfigureAwait(false);

        await process.RemoveCgroupAsync().ConfigureAwait(false);

        await DrainAsync(process, Task.WhenAll(output, errors)).ConfigureAwait(false);
        _pane.Complete();
        await recorded.ConfigureAwait(false);
        await CloseRunAsync(process, exit).ConfigureAwait(false);
    }

    /// <summary>Takes over what the claim says of the task it was made for, before its process is started.</summary>
    internal void Claimed(BoardTask task) => _assignment?.Claimed(task);

    /// <summary>Closes the record of an agent whose process never was.</summary>
    /// <param name="error">Why, in one line.</param>
    /// <param name="mayPass">The reason may be gone in a moment: the task is tried again.</param>
    internal async Task CloseUnstartedAsync(TaskError error, bool mayPass)
    {
        await _parts.Jails.CloseAsync(Record.Jail, Record.JailRoot, Id).ConfigureAwait(false);
        await PutOnRecordAsync(() => _parts.Board.EndSpawnAsync(Id, new SpawnEnd
        {
            Ending = RunEnding.Failed,
            Verdict = error.Code,
            Error = error,
            RetryAt = mayPass && TaskId is not null ? _backoff.NextAttemptAt(_assignment?.Attempt ?? 1) : null,
        })).ConfigureAwait(false);
        _pane.FailedToStart(error.Message);
        MarkEnded();
    }

    /// <summary>Ends the tree at once and gives the attempt back, whatever state the following of it was left in.</summary>
    internal async Task AbandonAsync()
    {
        using var process = _process!;
        process.Ender.KillAfter(TimeSpan.Zero);
        await process.Ender.EndAsync(polite: null).ConfigureAwait(false);
        await _parts.Jails.CloseAsync(Record.Jail, Record.JailRoot, Id).ConfigureAwait(false);
        await process.RemoveCgroupAsync().ConfigureAwait(false);
        await PutOnRecordAsync(() => _parts.Board.EndSpawnAsync(Id, new SpawnEnd
        {
            Ending = RunEnding.Interrupted,
            Verdict = Interrupted,
            Error = new TaskError("internal", "the daemon failed while it followed the agent; its log says how"),
            Usage = _usage.Rows,
        })).ConfigureAwait(false);
        _pane.TreeGone();
    }

    internal void RequestStop(StopCause cause, TimeSpan grace)
    {
        if (cause == StopCause.DaemonStopping)
            _daemonStopping = true;
        Interlocked.CompareExchange(ref _stopCause, (int)cause, (int)StopCause.None);
        Volatile.Write(ref _graceTicks, Math.Min(Volatile.Read(ref _graceTicks), grace.Ticks));
        _process?.Ender.KillAfter(grace);
        if (!HasEnded && _stopRequested.TrySetResult())
        {
            _parts.Logger.AgentStopping(Id, (long)grace.TotalMilliseconds);
            _pane.StopRequested();
        }
    }

    // On the agents' loop as a rule, a hundred thousand times a second: most chunks leave nothing to write.
    private ValueTask FeedAsync(ReadOnlySpan<byte> chunk)
    {
        if (_outputIsDiscarded)
            return ValueTask.CompletedTask;
        try
        {
            _pane.Feed(chunk);
            // Before the session: a slow disk must not let an agent go on spending.
            HoldToBudget();
            _usage.Book();
            if (_recorder.HasEntries)
                return RecordChunkAsync();
            LookForTheEndOfTheRun();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            DiscardOutput(e);
        }
        return ValueTask.CompletedTask;
    }

    private async ValueTask RecordChunkAsync()
    {
        try
        {
            await _prompted.ConfigureAwait(false);
            await RecordAsync().ConfigureAwait(false);
            LookForTheEndOfTheRun();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            DiscardOutput(e);
        }
    }

    // Reading goes on, into nothing: an agent whose output is not read would hang instead of ending.
    private void DiscardOutput(Exception why)
    {
        _outputIsDiscarded = true;
        _parts.Logger.UnexpectedFailure($"reading agent {Id}", why);
        RequestStop(StopCause.Requested, AgentSupervisor.DefaultGrace);
    }

    private async Task StopWhenOutputEndsAsync(AgentProcess process, Task output)
    {
        await output.ConfigureAwait(false);
        if (await Task.WhenAny(process.Exited, Task.Delay(ClosedOutputGrace, _parts.Time)).ConfigureAwait(false) != process.Exited)
            RequestStop(StopCause.OutputClosed, AgentSupervisor.DefaultGrace);
    }

    private async ValueTask RecordAsync()
    {
        await _recorder.FlushAsync().ConfigureAwait(false);
        _pane.SetOverBudget(_recorder.IsOverBudget);
    }

    private async Task RecordStartAsync(ProcessIdentity identity)
    {
        try
        {
            var task = await _parts.Board.ProcessStartedAsync(Id, identity.Pid, identity.StartTime, identity.BootId).ConfigureAwait(false);
            if (task is { Status: TaskState.Cancelled })
                RequestStop(StopCause.Requested, AgentSupervisor.DefaultGrace);
        }
        catch (BoardUnavailableException e)
        {
            _parts.Logger.BoardUnavailable(e.Message);
            RequestStop(StopCause.Unrecorded, AgentSupervisor.DefaultGrace);
        }
    }

    private async Task EndTreeAsync(AgentProcess process)
    {
        process.Ender.KillAfter(TimeSpan.FromTicks(Volatile.Read(ref _graceTicks)));
        await process.Ender.EndAsync(process.PoliteEnd).ConfigureAwait(false);
    }

    private static async Task EndStraysAsync(AgentProcess process)
    {
        process.Ender.KillAfter(StraysGrace);
        await process.Ender.EndAsync(polite: null).ConfigureAwait(false);
    }

    private async Task DrainAsync(AgentProcess process, Task readers)
    {
        // The tree is gone, so the streams end by themselves, unless somebody passed a descriptor out of it. A slow disk is no such
        // case: the deadline starts anew with every chunk, and does not run while one is being taken in.
        long seen;
        do
        {
            seen = process.Progress;
            if (await Task.WhenAny(readers, Task.Delay(OutputDeadline, _parts.Time)).ConfigureAwait(false) == readers)
                return;
        }
        while (process.IsTakingIn || process.Progress != seen);
        _parts.Logger.OutputGivenUp(Id);
        process.Dispose();
        await readers.ConfigureAwait(false);
    }

    private async Task CloseRunAsync(AgentProcess process, ExitStatus status)
    {
        var exit = new ProcessExit(status.Code, status.Signal);
        var end = EndOf(Cause, exit, process) with { Exit = exit };
        _recorder.Note(NoteOf(end));
        await RecordAsync().ConfigureAwait(false);
        await PutOnRecordAsync(() => _parts.Board.EndSpawnAsync(Id, end)).ConfigureAwait(false);
        // What printed nothing and was gone at once is broken, whatever its task was; whoever was stopped says nothing about that.
        if (Cause == StopCause.None && _profile.PrintsEvents)
        {
            var crashed = end.Ending == RunEnding.Failed && _pane.Events == 0 && _parts.Time.GetUtcNow() - _registeredAt < CrashBreaker.CrashWithin;
            _parts.Breaker?.Report(Record.Binary, crashed, end.Error?.Message);
        }
        // After the task's end is on record: whoever sees a task held finds its agent alive.
        _pane.TreeGone();
        _parts.Logger.AgentStopped(Id, Name, status.ToString(), end.Verdict ?? "");
    }

    /// <summary>What becomes of the task in hand, from the events and what ended the run.</summary>
    private SpawnEnd EndOf(StopCause cause, ProcessExit exit, AgentProcess process)
    {
        var assignment = _assignment;
        var run = assignment?.Of(_pane.Run) ?? _pane.Run;
        var verdict = RunVerdict.Judge(
            run, exit, cause != StopCause.None, _profile.PrintsEvents, process.StderrTail.LastLine(_parts.Secrets), _parts.Secrets);
        var isDone = verdict.Error is null;
        // Whatever ended it: another attempt would cost still more.
        var overBudget = !isDone && assignment is not null && _parts.Budgets.IsOverTask(SpentOn(assignment));
        var interrupted = cause is StopCause.DaemonStopping or StopCause.Unrecorded && !isDone && !overBudget;
        var providerFailure = isDone ? ProviderFailure.None : ProviderFailures.Of(StatusOf(run, cause, verdict), verdict.Error?.Message);
        if (Record.Provider is not null && (isDone || providerFailure != ProviderFailure.None))
            _parts.Router?.Report(Record.Provider, Record.Model, providerFailure, verdict.Error?.Message, run.ResumeAt);
        // A key that is not taken is no fault of the task's: where another route is ready it goes there at once, the attempt given back.
        interrupted |= providerFailure == ProviderFailure.Authentication && !overBudget && Record.Provider is not null
            && _parts.Router is { IsUsed: true } router && router.Choose(_profile.Providers) is not null && assignment is not null;
        var error = isDone ? null : overBudget ? BudgetError(SpentOn(assignment!), _parts.Budgets) : ErrorFor(cause, verdict);
        return new SpawnEnd
        {
            Ending = interrupted ? RunEnding.Interrupted : isDone ? RunEnding.Done : RunEnding.Failed,
            Verdict = interrupted && providerFailure == ProviderFailure.None ? Interrupted : error?.Code ?? verdict.Verdict,
            Error = error,
            StderrTail = process.StderrTail.Text(_parts.Secrets),
            Usage = _usage.Rows,
            RetryAt = isDone || overBudget || assignment is null || verdict.Verdict == RunVerdict.Usage
                ? null
                : NextAttemptAt(assignment.Attempt, providerFailure == ProviderFailure.Overload ? run.ResumeAt : null),
        };
    }

    // Whoever stops an agent that its provider refuses has stopped it: what the provider said is not why.
    private static int StatusOf(RunState run, StopCause cause, RunVerdict verdict) =>
        verdict.Verdict == RunVerdict.AgentError || cause == StopCause.Deadline ? run.ProviderStatus : 0;

    // Without a route it is the same provider that will be asked; with one, the router keeps the time.
    private DateTimeOffset NextAttemptAt(int attempt, DateTimeOffset? resumeAt)
    {
        var ours = _backoff.NextAttemptAt(attempt);
        return Record.Provider is null && resumeAt is { } stated && stated > ours ? stated : ours;
    }

    internal static TaskError BudgetError(long spent, Budgets budgets) => new(
        RunVerdict.Budget,
        $"the task has cost {Dollars.Of(spent)} and may cost {Dollars.Of(budgets.TaskMicrocents ?? 0)} (COLIBRI_BUDGET_TASK_USD)");

    private TaskError? ErrorFor(StopCause cause, RunVerdict verdict) => cause switch
    {
        StopCause.DaemonStopping => new TaskError(Interrupted, "the daemon stopped while the agent was running"),
        StopCause.Unrecorded => new TaskError(Interrupted, "the agent's start could not be put on record"),
        StopCause.OutputClosed when verdict.Verdict == RunVerdict.Stopped =>
            new TaskError(RunVerdict.Stopped, "closed its standard output and stayed; it was stopped"),
        StopCause.Deadline when _missed is { } missed => new TaskError(RunVerdict.Deadline, missed),
        _ => verdict.Error,
    };

    /// <summary>A run is closed only when that is on disk; a full disk keeps its slot taken until there is room.</summary>
    private async Task PutOnRecordAsync(Func<Task> record)
    {
        while (true)
        {
            try
            {
                await record().ConfigureAwait(false);
                return;
            }
            catch (BoardUnavailableException e)
            {
                _parts.Logger.BoardUnavailable(e.Message);
                // The next daemon finds the run open and its process gone, and closes it.
                if (_daemonStopping)
                    return;
                await Task.Delay(RecordRetry, _parts.Time).ConfigureAwait(false);
            }
        }
    }
}
