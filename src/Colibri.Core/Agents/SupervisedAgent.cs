using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Core.Settings;
using Colibri.Posix.Processes;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

#pragma warning disable CA1001 // Its one disposable is cancelled at the agent's end and asked for its token even after that.
/// <summary>
/// A living agent: its process, its pane, and the run it is at. Long because the life of a process is told in one place, from its start to
/// the last of its tree. A one-shot agent has one run in its life, a resident many; both are held to
/// the same limits (<see cref="AgentRuns"/>).
/// </summary>
public sealed class SupervisedAgent : IRunSite
#pragma warning restore CA1001
{
    private static readonly TimeSpan StraysGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OutputDeadline = TimeSpan.FromSeconds(2);

    // What an agent is given to confirm that it has left its run, before it is told to end.
    private static readonly TimeSpan CancelWait = TimeSpan.FromSeconds(2);

    private const string Shell = "/bin/sh";

    private readonly SupervisorParts _parts;
    private readonly ConfinementPlan? _confinement;
    private readonly AgentProfile _profile;
    private readonly AgentPane _pane;
    private readonly AgentRuns _runs;
    private readonly IAgentTransport? _transport;
    private readonly Lock _publishing = new();
    private readonly Lock _feeding = new();
    private readonly CancellationTokenSource _alive = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopRequested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cutShort = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset _registeredAt;
    private readonly long _registeredStamp;

    // Released at the agent's end: the pane of a stopped agent is kept, its prompt and its process are not.
    private SpawnRequest _request;
    private AgentLaunch? _launch;
    private AgentProcess? _process;
    private Task _prompted = Task.CompletedTask;
    private string _inside = "/";
    private long _graceTicks = long.MaxValue;
    private int _stopCause;
    private volatile bool _daemonStopping;
    private bool _outputIsDiscarded;
    private bool _tellsUsage;

    /// <exception cref="ArgumentException">No command line can be made from the request.</exception>
    internal SupervisedAgent(SupervisorParts parts, RetryBackoff backoff, SpawnRequest request, ConfinementPlan? confinement, string program, Action rested)
    {
        (_parts, _request, _confinement) = (parts, request, confinement);
        Offers = request.Offers ?? (capability => request.Capabilities.Contains(capability, StringComparer.OrdinalIgnoreCase));
        Id = Guid.CreateVersion7().ToString();
        (_registeredAt, _registeredStamp) = (parts.Time.GetUtcNow(), parts.Time.GetTimestamp());
        _profile = request.Kind;
        _transport = AgentLaunch.CommandLineOf(_profile, request, null, request.Prompt).IsRpc ? TransportSite.Transport(_profile, this, parts.Time) : null;
        Record = new AgentRecord
        {
            Number = parts.Board.NextAgentNumber(),
            Name = Path.GetFileName(request.Binary),
            Runtime = _profile.Name,
            Capabilities = request.Capabilities,
            Binary = program,
            Version = confinement is null ? parts.Versions?.VersionOf(request, program) : null,
            Cwd = request.Cwd,
            Host = parts.Configuration.Host,
            Jail = confinement?.JailOf(Id),
            JailRoot = confinement?.Stage is null ? null : confinement.Root.Path,
        };
        var identity = new PaneIdentity(Id, Record.Name, Record.Runtime)
        {
            TaskId = request.TaskId,
            SessionId = request.SessionId ?? Guid.CreateVersion7().ToString(),
            Cwd = request.Cwd,
            Label = Label,
            Unknown = _profile.Tells.Unknown(_profile.Cost),
        };
        _pane = new AgentPane(identity, _transport?.Dialect ?? _profile.Dialect, parts.Time, PricingOf(parts, request), keepsWords: true, parts.Secrets);
        _runs = new AgentRuns(parts, backoff, request, this, _pane, _transport, rested);
    }

    public string Id { get; }

    /// <summary><c>a1</c>, <c>a2</c>, …: taken wherever the id is.</summary>
    public string Label => AgentLabel.Of(Record.Number!.Value);

    public string Name => Record.Name;

    /// <summary>What its program said of its version before it was started; null where that is not known.</summary>
    public string? Version => Record.Version;

    /// <summary>The session that it is logged to: that of its current run, else its own.</summary>
    public string SessionId => _runs.SessionId;

    /// <summary>Its current task; for an agent that has ended, its last task.</summary>
    public string? TaskId => _pane.TaskId;

    /// <summary>Completes when the process tree has ended and that is on disk.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Whether a client or the operator asked for its end.</summary>
    public bool WasStoppedOnRequest => Cause == StopCause.Requested;

    public bool HasEnded => _ended.Task.IsCompleted;

    /// <summary>The agent's open question, if any.</summary>
    public AgentQuestion? Question => _pane.Question;

    /// <summary>The number of its current task, or of its last one.</summary>
    public long? TaskNumber => _pane.TaskNumber;

    /// <summary>Whether its process lives and it has given no sign of work for the time that the settings allow.</summary>
    public bool IsStalled => _pane.IsStalled(_parts.Configuration.StallAfter, _parts.Configuration.ToolTimeout);

    internal AgentRecord Record { get; }

    /// <summary>Where its process was started; null before its start, and where that is the daemon's directory.</summary>
    internal string? Directory { get; private set; }

    /// <summary>The profile that it is of; null without one.</summary>
    internal string? ProfileName => _request.Profile?.Name;

    /// <summary>Whether a prompt is held, which may take megabytes.</summary>
    internal bool HoldsPrompt => _launch is not null || _request.Prompt is not null || _runs.HoldPrompt;

    /// <summary>Entries of its current run that its session lacks.</summary>
    internal long SessionEntriesDropped => _runs.LostEntries;

    /// <summary>Whether it lives on without a task.</summary>
    internal bool IsKept => _request.IsKept;

    /// <summary>Whether it takes tasks of the queue.</summary>
    internal bool TakesTasks => _request.TakesTasks;

    /// <summary>Whether it has a capability.</summary>
    internal Predicate<string> Offers { get; }

    /// <summary>Whether it may be given a task now: it is long-lived, at rest, and takes tasks.</summary>
    internal bool IsAtRest => _request.TakesTasks && _runs.Current is null && _process is not null && !HasEnded && Cause == StopCause.None
        && !_pane.IsBusy;

    /// <summary>Whether it lives and has no run, such as a long-lived agent at rest.</summary>
    internal bool IsWithoutRun => _process is not null && !HasEnded && _runs.Current is null;

    /// <summary>Whom it asks.</summary>
    internal ProviderSource Source => _runs.Source;

    /// <summary>Why the daemon ended it.</summary>
    internal StopCause Cause => (StopCause)Volatile.Read(ref _stopCause);

    /// <summary>Whether the daemon is stopping: then it no longer waits for a disk.</summary>
    internal bool IsDaemonStopping => _daemonStopping;

    /// <summary>Whether a chunk of its output was read and is not yet in its session.</summary>
    internal bool IsTakingIn => _process is { IsTakingIn: true };

    /// <summary>Returns when all that it had printed by the call was read.</summary>
    internal Task CatchUpAsync(CancellationToken cancellation) => _process?.CatchUpAsync(_parts.Time, cancellation) ?? Task.CompletedTask;

    /// <summary>The limit of memory that a look has found its tree over.</summary>
    internal MemoryExcess? MemoryExcess => _process?.Memory?.Found;

    /// <summary>The last of what it wrote to standard error.</summary>
    internal StderrTail StderrTail => _process?.StderrTail ?? new StderrTail();

    public Pane ToPane() => _pane.ToWire(_parts.Configuration.StallAfter, _parts.Configuration.ToolTimeout);

    public Agent ToWire()
    {
        var pane = ToPane();
        return new Agent
        {
            Id = Id,
            Label = Label,
            Name = Name,
            Kind = "spawned",
            Runtime = pane.Runtime,
            Capabilities = Record.Capabilities,
            Host = Record.Host,
            Pid = pane.Pid,
            Lifecycle = pane.Lifecycle,
            Activity = pane.Activity,
            TaskId = TaskId,
            TaskNumber = pane.TaskNumber,
            SessionId = SessionId,
            RegisteredAt = _registeredAt,
            Exit = pane.Exit,
            Confinement = _confinement?.Description,
            Version = Record.Version,
        };
    }

    internal static UsagePricing PricingOf(SupervisorParts parts, SpawnRequest request)
    {
        var profile = request.Kind;
        return new UsagePricing(parts.Prices, request.Provider ?? profile.Provider, request.Model)
        {
            Sessions = parts.SessionTotals,
            Runtime = profile.Name,
            // A task's agent may take up the session of the run before. A session that is new has no totals yet.
            Resumes = profile.Resumes(request.Arguments ?? []) || (request.TaskId is not null && profile.CanResume),
        };
    }

    /// <summary>Persists the agent before its process is started; with a task, claims it and opens the run.</summary>
    /// <returns>The board's answer; after a refusal nothing is persisted.</returns>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing was begun.</exception>
    internal Task<RunBegun> BeginAsync() => _runs.BeginAsync(Record);

    /// <summary>Performs the steps before the prompt.</summary>
    /// <returns>Why the run fails and no process is started; null if all steps succeeded.</returns>
    internal Task<TaskError?> PlaceAsync() => _runs.PlaceAsync();

    /// <summary>Claims a task for an agent at rest and gives it the prompt.</summary>
    /// <returns>False if the agent or the task was no longer free.</returns>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing was begun.</exception>
    internal Task<bool> TryAssignAsync(string taskId) => _runs.TryAssignAsync(taskId);

    /// <summary>Sends a prompt to a long-lived agent: a run of its own if the agent is at rest, else an addition to its current run.</summary>
    public Task<RpcReply> TellAsync(string text) => _runs.TellAsync(text);

    /// <summary>Starts the process of an agent that is persisted already.</summary>
    /// <exception cref="SpawnException">It cannot be started.</exception>
    internal async Task StartAsync()
    {
        Publish();
        var launch = _launch = _runs.Launch();
        IReadOnlyList<string>? providers = _request.Provider is { } chosen && _profile.Providers is null ? [chosen] : _profile.Providers;
        var place = _runs.Current?.Place;
        Directory = place?.Directory ?? _request.Cwd;
        var directory = place?.Inside ?? Directory;
        _inside = directory ?? WorkingDirectory.Current;
        _transport?.Prepare(new ConversationWish(_inside) { Earlier = launch.TakenUp?.Session, Model = _runs.ModelFor(_runs.Current?.Task), Access = _request.HeldAccess, AcpVersion = _request.Profile?.AcpVersion ?? 1 });
        if (_profile.Transport == Transport.Acp && _profile.AcpManners.ProgramVariable is { } variable && !_request.Environment.ContainsKey(variable)
            && _parts.Programs.Find(_profile.ProgramName) is { } own && own != Record.Binary)
        {
            _request = _request with { Environment = new Dictionary<string, string>(_request.Environment) { [variable] = own } };
        }
        var environment = _parts.Environment.Build(
            _request with { Cwd = directory }, [.. _parts.Secrets.For(providers), .. _parts.Secrets.Named(_request.PassedEnvironment)], _parts.Secrets.IsSecret, Id, TaskId, SessionId, _parts.Configuration.SocketPath, _runs.Current?.Trace);
        var (program, arguments, cwd) = (Record.Binary, launch.CommandLine.Arguments, directory);
        // Stated arguments stand alone, and a path of ours is nothing within another root.
        if (_transport is null && _confinement is null && _request.Arguments.Count == 0 && _profile.UsageFile is { } told && _parts.UsageFiles.PathFor(Id) is { } path)
            (_tellsUsage, arguments) = (true, [.. told.Arguments(path), .. arguments]);
        if (_confinement?.Start(Id, program, arguments, cwd, environment) is { } confined)
        {
            _confinement.Stage?.Write(Id, confined.Staged);
            (program, arguments, environment, cwd) = (confined.Program, confined.Arguments, confined.Environment, null);
        }
        var process = await AgentProcess.StartAsync(
            _parts.Processes, _parts.Loop, program, arguments, _transport is not null || launch.CommandLine.Input is not null, environment, cwd, Id, _parts.Cgroups,
            _parts.Jails.SignalsFor(Record.Jail, Id), _parts.Time, _parts.Logger, RunRules.MemoryOf(_request.Profile), RunRules.ProcessesOf(_request.Profile)).ConfigureAwait(false);
        if (Record.Jail is { } jail && jail == FreeBsdJail.OwnName(Id))
            process.StderrTail.Echo = $"jail: {jail}: /usr/bin/env -i ";
        _process = process;
        Tell(_pane.Started(process.Identity.Pid));
        var confinement = _confinement is null ? "" : $"[{_confinement.Description}] ";
        _parts.Logger.AgentStarted(Id, Name, process.Identity.Pid, confinement + launch.Recorded.Describe(Record.Binary, _parts.Secrets));
    }

    bool IRunSite.IsStopping => _cutShort.Task.IsCompleted;

    string? IRunSite.Root => _confinement?.Root.Path;

    string? IRunSite.Tenant => _request.Tenant;

    string? IRunSite.Inside(string directory) => _confinement is not { } plan ? directory : plan.Root.Inside(directory);

    void IRunSite.ShowPlace(string directory) => Tell(_pane.SetPlace(directory));

    async Task<CommandOutcome> IRunSite.ExecuteAsync(string command, string directory, TimeSpan limit)
    {
        // A check needs no provider's key.
        var environment = _parts.Environment.Build(
            _request with { Cwd = directory }, [], _parts.Secrets.IsSecret, Id, TaskId, SessionId, _parts.Configuration.SocketPath, _runs.Current?.Trace);
        var start = new CommandStart(Shell, ["-c", command], environment, directory);
        if (_confinement?.Start(Id, Shell, start.Arguments, ((IRunSite)this).Inside(directory), environment) is { } confined)
        {
            _confinement.Stage?.Write(Id, confined.Staged);
            start = new CommandStart(confined.Program, confined.Arguments, confined.Environment, null);
        }
        // One that has settled, or is over a limit, still has its end checked; a stop cuts it short.
        return await new TreeCommand(_parts.Processes, _parts.Loop, _parts.Cgroups, _parts.Time, _parts.Logger)
            .RunAsync(start, Id, _parts.Jails.SignalsFor(Record.Jail, Id), limit, _cutShort.Task, RunRules.MemoryOf(_request.Profile), RunRules.ProcessesOf(_request.Profile)).ConfigureAwait(false);
    }

    /// <summary>Follows the process to its end and persists the outcome.</summary>
    internal async Task RunToEndAsync()
    {
        using var process = _process!;
        var (launch, first) = (_launch!, _runs.Current);
        if (launch.Prompt is { } prompt)
            _runs.Recorder.Add(SessionId, new SessionEntry { Kind = SessionEntryKind.User, Text = prompt });
        // Start reading now, so that the pane shows the first event at once. Session entries wait until the prompt was written (_prompted).
        _prompted = _runs.RecordAsync().AsTask();
        var output = process.ReadOutputAsync(FeedAsync);
        var errors = process.ReadErrorsAsync();
        await _prompted.ConfigureAwait(false);
        if (_transport is not null)
        {
            _ = Watched("writing to", _transport.Input.PumpAsync(process.WriteLineAsync));
            _ = Watched("opening the conversation of", _transport.OpenAsync());
        }
        if (launch.CommandLine.Input is { } input)
            _ = Watched("writing the prompt to", process.WriteInputAsync(input));
        if (first is not null)
            _ = Watched("telling", _runs.TellFirstAsync(first, launch));
        if (_profile.PrintsEvents || first is not null)
            _ = Watched("waiting for the output of", StopWhenOutputEndsAsync(process, output));
        _ = Watched("watching", _runs.WatchAsync(_alive.Token));
        if (process.Memory is { } memory)
            _ = Watched("watching the memory of", memory.WatchAsync(_runs.EndForMemory, _alive.Token));
        // Not waited for here: a slow disk must not keep a stop from being heard.
        var recorded = RecordStartAsync(process.Identity);

        if (await Task.WhenAny(process.Exited, _stopRequested.Task).ConfigureAwait(false) == _stopRequested.Task)
            await EndTreeAsync(process).ConfigureAwait(false);
        var exit = await process.Exited.ConfigureAwait(false);
        // The runtime prints nothing then.
        if (exit.Code == 255 && Record.Jail is not null)
            process.StderrTail.Unsaid = "so ends a Linux .NET program that may not lock memory: set allow.mlock for the jail (jail.conf, or jail -m)";
        await _alive.CancelAsync().ConfigureAwait(false);
        _transport?.Input.Close();
        Tell(_pane.Exited(new ProcessExit(exit.Code, exit.Signal)));
        var left = process.MayHaveStrays() ? await EndStraysAsync(process).ConfigureAwait(false) : default;
        await _parts.Jails.CloseAsync(Record.Jail, Record.JailRoot, Id).ConfigureAwait(false);
        var excess = process.Memory?.AtEnd();
        left = left with { Limit = process.ProcessLimitReached() };
        await process.RemoveCgroupAsync().ConfigureAwait(false);

        await DrainAsync(process, Task.WhenAll(output, errors)).ConfigureAwait(false);
        var used = _tellsUsage ? _parts.UsageFiles.Take(Id, _profile.UsageFile!) : null;
        lock (_feeding)
            _runs.Take(_pane.Complete(used));
        await recorded.ConfigureAwait(false);
        await CloseAsync(exit, left, excess).ConfigureAwait(false);
    }

    /// <summary>Persists the end of an agent whose process was never started.</summary>
    /// <param name="error">Why, in one line.</param>
    /// <param name="mayPass">The cause may be gone later: the task is tried again, its attempt given back. Else it has failed for good.</param>
    internal async Task CloseUnstartedAsync(TaskError error, bool mayPass)
    {
        await _parts.Jails.CloseAsync(Record.Jail, Record.JailRoot, Id).ConfigureAwait(false);
        await _runs.CloseAsync(error, mayPass ? RunEnding.Interrupted : RunEnding.Failed).ConfigureAwait(false);
        Tell(_pane.FailedToStart(error.Message));
        MarkEnded();
    }

    /// <summary>Ends the tree at once and gives the attempt back, after the task that followed the agent has failed in any state.</summary>
    internal async Task AbandonAsync()
    {
        using var process = _process!;
        process.Ender.KillAfter(TimeSpan.Zero);
        await process.Ender.EndAsync(polite: null).ConfigureAwait(false);
        await _parts.Jails.CloseAsync(Record.Jail, Record.JailRoot, Id).ConfigureAwait(false);
        await process.RemoveCgroupAsync().ConfigureAwait(false);
        var error = new TaskError(RunJudge.Internal, "the daemon failed while it followed the agent; its log says how");
        await _runs.CloseAsync(error, RunEnding.Interrupted).ConfigureAwait(false);
        Tell(_pane.TreeGone());
    }

    internal void MarkEnded()
    {
        (_launch, _process, _request) = (null, null, _request.WithoutWords());
        _runs.Release();
        _ended.TrySetResult();
    }

    internal void RequestStop(StopCause cause, TimeSpan grace)
    {
        if (cause == StopCause.DaemonStopping)
            _daemonStopping = true;
        Interlocked.CompareExchange(ref _stopCause, (int)cause, (int)StopCause.None);
        if (cause is StopCause.DaemonStopping or StopCause.Requested)
            _cutShort.TrySetResult();
        Shorten(grace.Ticks);
        _process?.Ender.KillAfter(grace);
        if (!HasEnded && _stopRequested.TrySetResult())
        {
            _parts.Logger.AgentStopping(Id, (long)grace.TotalMilliseconds);
            Tell(_pane.StopRequested());
        }
    }

    /// <summary>Ends an agent without further work.</summary>
    internal void Retire()
    {
        if (IsAtRest)
            RequestStop(StopCause.Settled, AgentSupervisor.DefaultGrace);
    }

    /// <summary>Refuses the open permission, because nobody has answered in time; the run goes on.</summary>
    /// <returns>False where that could not be said.</returns>
    internal bool RejectQuestion() => _pane.Question is not { } question || TryAnswer(question.Request, null, null);

    /// <summary>Reads the events that the dialect has of its own, after something was said to the agent that they depend on.</summary>
    internal void Poke()
    {
        // Within a chunk its events are read at its next line.
        if (_feeding.IsHeldByCurrentThread)
            return;
        lock (_feeding)
        {
            if (!_outputIsDiscarded)
                _runs.Take(_pane.Tell());
        }
        if (_runs.Recorder.HasEntries)
            _ = Watched("writing the session of", _runs.RecordAsync().AsTask());
        _runs.LookAtOutput();
    }

    /// <summary>Where its run works, on the host and as the agent sees it.</summary>
    internal (string Directory, string Inside) Workplace => (_runs.Current?.Place?.Directory ?? Directory ?? WorkingDirectory.Current, _runs.Current?.Place?.Inside ?? _inside);

    /// <summary>The daemon's version.</summary>
    internal string DaemonVersion => _parts.Version;

    /// <summary>The keys to redact in what it says.</summary>
    internal Secrets Secrets => _parts.Secrets;

    /// <summary>Ends it, because it leaves unread what it has asked for.</summary>
    internal void EndUnread(string why) => _runs.EndUnread(why);

    /// <summary>Whether it runs as the daemon runs, and sees the files that the daemon sees.</summary>
    internal bool IsUnconfined => _confinement is null;

    /// <summary>Answers the open question. The agent does not acknowledge an answer; it goes on.</summary>
    /// <returns>False if that question is no longer open, or the agent does not read.</returns>
    public bool TryAnswer(string request, string? value, bool? confirmed)
    {
        if (_transport is null || _pane.Question is not { } question || question.Request != request || !_pane.TryAnswer(request))
            return false;
        var answer = new QuestionAnswer(value, confirmed);
        lock (_feeding)
            _runs.LogAnswer(answer.Words);
        var isSent = _transport.TryAnswer(question, answer);
        if (!isSent)
        {
            _runs.LogAnswerUnsent();
            _pane.Reopen(request);
        }
        _ = Watched("writing an answer into the session of", _runs.RecordAsync().AsTask());
        // Other limits hold from now on.
        _runs.LookAtLimits();
        Publish();
        return isSent;
    }

    // Usually runs on the agents' loop, a hundred thousand times a second. Most chunks leave nothing to write.
    private ValueTask FeedAsync(ReadOnlySpan<byte> chunk)
    {
        if (_outputIsDiscarded)
            return ValueTask.CompletedTask;
        try
        {
            lock (_feeding)
                _runs.Take(_pane.Feed(chunk));
            if (_runs.Recorder.HasEntries)
                return RecordChunkAsync();
            _runs.LookAtOutput();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            DiscardOutput(e);
        }
        return ValueTask.CompletedTask;
    }

    private async Task CloseAsync(ExitStatus status, LeftProcesses left, MemoryExcess? memory)
    {
        var end = await _runs.CloseAsync(new ProcessExit(status.Code, status.Signal), left, memory).ConfigureAwait(false);
        // An agent that exits within seconds without printing an event is broken, whatever its task. One that we stopped does not count, nor
        // one that the kernel ended for its memory.
        if (Cause == StopCause.None && memory is not { IsByKernel: true } && _profile.PrintsEvents)
        {
            // One that printed events and did not get as far as an answer may be, too: then several tasks have to meet the same.
            var isSilent = _pane.Events == 0;
            var isBroken = isSilent || (_pane.Run.Answers == 0 && end.Verdict is RunVerdict.ExitCode or RunVerdict.NoResult);
            var crashed = end.Ending == RunEnding.Failed && isBroken && _parts.Time.GetElapsedTime(_registeredStamp) < CrashBreaker.CrashWithin;
            // Without a task its failure may be that of its operator's words, and says nothing about others.
            if (!crashed || isSilent || TaskId is not null)
                _parts.Breaker?.Report(Record.Binary, crashed, end.Error?.Message, isSilent ? null : TaskId);
        }
        // After the task's end is on disk, so that a client that sees a task claimed or started finds its agent alive.
        Tell(_pane.TreeGone());
        _parts.Logger.AgentStopped(Id, Name, status.ToString(), end.Verdict ?? "");
    }

    private async ValueTask RecordChunkAsync()
    {
        try
        {
            await _prompted.ConfigureAwait(false);
            await _runs.RecordAsync().ConfigureAwait(false);
            _runs.LookAtOutput();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            DiscardOutput(e);
        }
    }

    // Read on and discard the output: an agent with a full pipe would hang instead of ending.
    private void DiscardOutput(Exception why)
    {
        _outputIsDiscarded = true;
        _parts.Logger.UnexpectedFailure($"reading agent {Id}", why);
        RequestStop(StopCause.Defect, AgentSupervisor.DefaultGrace);
    }

    private async Task StopWhenOutputEndsAsync(AgentProcess process, Task output)
    {
        await output.ConfigureAwait(false);
        if (!await FairWait.IsDoneAsync(process.Exited, _parts.ClosedOutputGrace, _parts.Time).ConfigureAwait(false))
            RequestStop(StopCause.OutputClosed, AgentSupervisor.DefaultGrace);
    }

    private async Task RecordStartAsync(ProcessIdentity identity)
    {
        try
        {
            var task = await _parts.Board.ProcessStartedAsync(Id, _runs.Current?.Claim, identity.Pid, identity.StartTime, identity.BootId).ConfigureAwait(false);
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
        var grace = TimeSpan.FromTicks(Volatile.Read(ref _graceTicks));
        process.Ender.KillAfter(grace);
        // A run under way is left first, so that the agent can tell of it what is to be told.
        if (_transport is not null && !process.Exited.IsCompleted)
        {
            var cancelled = _transport.CancelAsync(grace / 4 < CancelWait ? grace / 4 : CancelWait);
            if (await Task.WhenAny(cancelled, process.Exited).ConfigureAwait(false) != cancelled)
                _ = Watched("cancelling the run of", cancelled);
            else if (await cancelled.ConfigureAwait(false) is { } reason)
                _runs.LogCancelled(reason);
        }
        await process.Ender.EndAsync(process.PoliteEnd).ConfigureAwait(false);
    }

    private async Task<LeftProcesses> EndStraysAsync(AgentProcess process)
    {
        // Of a tree that we ended ourselves it says nothing.
        var left = Cause == StopCause.None ? await process.LookAtStraysAsync(_parts.Time).ConfigureAwait(false) : default;
        if (left.Count > 0)
            _parts.Logger.ProcessesLeft(Id, left.Count, left.First ?? "");
        process.Ender.KillAfter(StraysGrace);
        await process.Ender.EndAsync(polite: null).ConfigureAwait(false);
        return left;
    }

    private async Task DrainAsync(AgentProcess process, Task readers)
    {
        // The tree has ended, so its streams end too, unless a descriptor was passed out of it. Hence a deadline. A slow disk must not trigger it:
        // it starts anew with every chunk, and does not run while a chunk is being recorded.
        long seen;
        do
        {
            seen = process.Progress;
            if (await FairWait.IsDoneAsync(readers, OutputDeadline, _parts.Time).ConfigureAwait(false))
                return;
        }
        while (process.IsTakingIn || process.Progress != seen);
        _parts.Logger.OutputGivenUp(Id);
        process.Dispose();
        await readers.ConfigureAwait(false);
    }

    private void Shorten(long ticks)
    {
        for (var current = Volatile.Read(ref _graceTicks); ticks < current;)
        {
            var before = Interlocked.CompareExchange(ref _graceTicks, ticks, current);
            if (before == current)
                return;
            current = before;
        }
    }

    // Whatever fails beside the agent must not leave it running unwatched.
    internal Task Watched(string what, Task work) => Background.Run(
        _parts.Logger, $"{what} agent {Id}", work, _ => RequestStop(StopCause.Unrecorded, AgentSupervisor.DefaultGrace));

    internal void Tell(bool changed)
    {
        if (changed)
            Publish();
    }

    private void Publish()
    {
        // The state is read under the lock, so that the last event that a subscriber gets is the latest state, whichever thread was first.
        lock (_publishing)
            _parts.Events.PublishPane(ToPane);
    }
}
