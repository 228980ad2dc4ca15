using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

#pragma warning disable CA1001 // Its one disposable is cancelled at the agent's end and asked for its token even after that.
/// <summary>One agent from the moment it is put on record until its whole tree is gone and its verdict is.</summary>
public sealed partial class SupervisedAgent
#pragma warning restore CA1001
{
    private readonly SupervisorParts _parts;
    private readonly RetryBackoff _backoff;
    private readonly Action _rested;
    private readonly ConfinementPlan? _confinement;
    private readonly AgentPane _pane;
    private readonly SessionRecorder _recorder;
    private readonly AgentUsage _usage;
    private readonly AgentProfile _profile;
    private readonly RpcChannel? _rpc;
    private readonly Lock _publishing = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopRequested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset _registeredAt;
    private readonly bool _isRpc;

    // Gone when the agent has: a stopped agent's pane is kept, its prompt and its process are not.
    private AgentLaunch? _launch;
    private Assignment? _assignment;
    private AgentProcess? _process;
    private long _graceTicks = long.MaxValue;
    private int _stopCause;
    private volatile bool _daemonStopping;

    /// <exception cref="ArgumentException">The request makes no command line.</exception>
    internal SupervisedAgent(SupervisorParts parts, RetryBackoff backoff, SpawnRequest request, BoardTask? task, ConfinementPlan? confinement, string program, Action rested)
    {
        (_parts, _backoff, _rested, _confinement) = (parts, backoff, rested, confinement);
        (TakesTasks, IsKept) = (request.TakesTasks, request.IsKept);
        Offers = request.Offers ?? (capability => request.Capabilities.Contains(capability, StringComparer.OrdinalIgnoreCase));
        Id = Guid.CreateVersion7().ToString();
        _registeredAt = parts.Time.GetUtcNow();
        SessionId = request.SessionId ?? task?.SessionId ?? Guid.CreateVersion7().ToString();
        var prompts = parts.Configuration.SchedulerPromptInjection ? parts.Prompts : null;
        _profile = AgentProfiles.For(request.Runtime, request.Binary);
        _launch = new AgentLaunch(_profile, request, task, prompts, SessionId);
        _isRpc = _launch.CommandLine.IsRpc;
        _rpc = _isRpc ? new RpcChannel(parts.Time) : null;
        _recorder = new SessionRecorder(parts.Sessions, SessionId);
        _usage = new AgentUsage(parts, Id, request.Provider ?? _profile.Provider, request.Model);
        Record = new SpawnRecord
        {
            AgentId = Id,
            Name = Path.GetFileName(request.Binary),
            Runtime = _profile.Name,
            Capabilities = request.Capabilities,
            Binary = program,
            Arguments = _launch.Recorded.Arguments,
            Cwd = request.Cwd,
            SessionId = SessionId,
            Host = parts.Configuration.Host,
            Provider = request.Provider,
            Model = request.Model,
            Jail = confinement?.JailOf(Id),
            JailRoot = confinement?.Stage is null ? null : confinement.Root.Path,
        };
        _pane = new AgentPane(
            new PaneIdentity(Id, Record.Name, Record.Runtime) { TaskId = task?.Id, SessionId = SessionId, Cwd = request.Cwd },
            _profile.Dialect,
            parts.Time,
            _recorder,
            changed: _ => Publish(),
            meter: _usage,
            replies: _rpc,
            secrets: parts.Secrets);
        if (task is not null)
        {
            _assignment = new Assignment(task.Id, Record.RunId, parts.Time.GetTimestamp());
            _usage.RunId = Record.RunId;
        }
    }

    public string Id { get; }

    public string Name => Record.Name;

    public string SessionId { get; }

    /// <summary>What it works on; of an agent that has ended, what it worked on last.</summary>
    public string? TaskId => Volatile.Read(ref _assignment)?.TaskId;

    /// <summary>Completes when the tree is gone and that is on record.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Somebody asked for its end, and it was not its own run's.</summary>
    public bool WasStoppedOnRequest => Cause == StopCause.Requested;

    public bool HasEnded => _ended.Task.IsCompleted;

    internal SpawnRecord Record { get; private set; }

    internal long SessionEntriesDropped => _recorder.Dropped;

    public Pane ToPane() => _pane.ToWire(_parts.Time.GetUtcNow(), _parts.Configuration.StallAfter);

    public Agent ToWire()
    {
        var pane = ToPane();
        return new Agent
        {
            Id = Id,
            Name = Name,
            Kind = "spawned",
            Runtime = pane.Runtime,
            Capabilities = Record.Capabilities,
            Host = Record.Host,
            Pid = pane.Pid,
            Lifecycle = pane.Lifecycle,
            Activity = pane.Activity,
            TaskId = TaskId,
            SessionId = SessionId,
            RegisteredAt = _registeredAt,
            Exit = pane.Exit,
            Confinement = _confinement?.Description,
        };
    }

    internal void MarkEnded()
    {
        (_launch, _process) = (null, null);
        Record = Record with { Arguments = [] };
        _ended.TrySetResult();
    }

    private void Publish()
    {
        // The state is read inside, so that the last event a subscriber gets is the latest state, whichever thread was first.
        lock (_publishing)
            _parts.Events.PublishPane(ToPane);
    }
}
