using Colibri.Core.Board;
using Colibri.Core.Glasspane;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Spawning;

/// <summary>One agent from the moment it is put on record until its whole tree is gone and its verdict is.</summary>
public sealed partial class SupervisedAgent
{
    /// <summary>Linux takes no single argument of 128 KiB or more (MAX_ARG_STRLEN).</summary>
    private const long MaxArgumentBytes = 120_000;

    private readonly SupervisorParts _parts;
    private readonly RetryBackoff _backoff;
    private readonly SpawnRequest _request;
    private readonly BoardTask? _task;
    private readonly AgentCommandLine _commandLine;
    private readonly AgentPane _pane;
    private readonly SessionRecorder _recorder;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopRequested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset _registeredAt;
    private readonly string? _prompt;
    private readonly string? _sentPrompt;
    private AgentProcess? _process;
    private long _graceTicks = long.MaxValue;
    private int _stopReason;

    internal SupervisedAgent(SupervisorParts parts, RetryBackoff backoff, SpawnRequest request, BoardTask? task)
    {
        (_parts, _backoff, _request, _task) = (parts, backoff, request, task);
        Id = Guid.CreateVersion7().ToString();
        var profile = AgentProfiles.For(request.Runtime, request.Binary);
        _prompt = request.Prompt ?? (task is null ? null : PromptOf(task));
        var own = AgentCommandLine.Build(profile, request.Arguments, request.Rpc, request.Provider, request.Model, _prompt);
        _registeredAt = parts.Time.GetUtcNow();
        SessionId = request.SessionId ?? task?.SessionId ?? Guid.CreateVersion7().ToString();
        _sentPrompt = Introduced(own.IsRpc);
        _commandLine = ReferenceEquals(_sentPrompt, _prompt)
            ? own
            : AgentCommandLine.Build(profile, request.Arguments, request.Rpc, request.Provider, request.Model, _sentPrompt);
        _recorder = new SessionRecorder(parts.Sessions, SessionId);
        Record = new SpawnRecord
        {
            AgentId = Id,
            Name = Path.GetFileName(request.Binary),
            Runtime = Dialects.RuntimeName(request.Runtime, Path.GetFileName(request.Binary)),
            Capabilities = request.Capabilities,
            Binary = parts.Programs.Find(request.Binary) ?? request.Binary,
            Arguments = own.Arguments,
            Cwd = request.Cwd,
            SessionId = SessionId,
            Host = parts.Configuration.Host,
        };
        _pane = new AgentPane(
            new PaneIdentity(Id, Record.Name, Record.Runtime) { TaskId = task?.Id, SessionId = SessionId, Cwd = request.Cwd },
            Dialects.For(request.Runtime, Record.Name),
            parts.Time,
            _recorder,
            changed: _ => parts.Events.PublishPane(ToPane));
    }

    public string Id { get; }

    public string Name => Record.Name;

    public string SessionId { get; }

    public string? TaskId => _task?.Id;

    /// <summary>Completes when the tree is gone and that is on record.</summary>
    public Task Ended => _ended.Task;

    public bool HasEnded => _ended.Task.IsCompleted;

    internal SpawnRecord Record { get; }

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
        };
    }

    /// <summary>The prompt behind what its session has so far; that is in the log already, so only the prompt itself is added to it.</summary>
    private string? Introduced(bool isRpc) =>
        _prompt is not null && _task is not null && _parts is { Configuration.SchedulerPromptInjection: true, Prompts: { } prompts }
            ? prompts.Introduce(SessionId, _prompt, isRpc ? long.MaxValue : MaxArgumentBytes)
            : _prompt;

    internal void MarkEnded() => _ended.TrySetResult();

    private static string PromptOf(BoardTask task) => task.Description.Length == 0 ? task.Title : $"{task.Title}\n\n{task.Description}";
}
