using System.Diagnostics;
using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Following;

/// <summary><c>wait</c>: tasks until they are over.</summary>
internal sealed class TaskWait : ITaskFollower
{
    private readonly CliSession _session;
    private readonly bool _any;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<Waited> _tasks;

    private TaskWait(CliSession session, IReadOnlyList<string> names, bool any) =>
        (_session, _any, _tasks) = (session, any, [.. names.Distinct().Select(name => new Waited(name))]);

    /// <param name="session">The run of the command.</param>
    /// <param name="names">The tasks.</param>
    /// <param name="any">Whether the first end of one of them is enough.</param>
    /// <param name="timeout">Null for ever.</param>
    /// <param name="patience">How long the daemon may be away once it has answered.</param>
    public static async Task<int> RunAsync(CliSession session, IReadOnlyList<string> names, bool any, TimeSpan? timeout, TimeSpan patience)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(session.Cancellation);
        if (timeout is { } limit)
            deadline.CancelAfter(limit);
        var wait = new TaskWait(session, names, any);
        var following = new TaskFollowing(session.SocketPath, wait, session.Outlasting(patience));
        try
        {
            await following.RunAsync(["tasks"], deadline.Token, session.Cancellation).ConfigureAwait(false);
            return wait.Result!.Value;
        }
        catch (OperationCanceledException) when (!session.Cancellation.IsCancellationRequested && wait.IsKnown)
        {
            // The events may lag behind; the board does not.
            await following.ReadAllAsync(session.Cancellation).ConfigureAwait(false);
            return wait.Result ?? wait.GiveUp(timeout);
        }
    }

    private bool IsKnown => _tasks.TrueForAll(task => task.Latest is not null);

    /// <summary>The exit code; null while there is something to wait for.</summary>
    private int? Result
    {
        get
        {
            if (_any && _tasks.Find(task => task.ExitCode is not null) is { } first)
                return first.ExitCode;
            if (_tasks.Exists(task => task.ExitCode is null))
                return null;
            return _tasks.Exists(task => task.ExitCode == ExitCodes.Refused) ? ExitCodes.Refused : _tasks.Max(task => task.ExitCode!.Value);
        }
    }

    bool ITaskFollower.HasSeenEnough => Result is not null;

    IReadOnlyList<string> ITaskFollower.Followed => [.. _tasks.Where(waited => waited.ExitCode is null).Select(waited => waited.Name)];

    void ITaskFollower.See(string name, BoardTask task) => Take(_tasks.Find(waited => waited.Name == name)!, task);

    void ITaskFollower.See(Pane pane)
    {
        // Only tasks are subscribed to.
    }

    private void Take(Waited waited, BoardTask task)
    {
        if (waited.ExitCode is not null)
            return;
        waited.Latest = task;
        if (task.Status is TaskState.Done or TaskState.Failed or TaskState.Cancelled)
        {
            waited.ExitCode = Report(task);
            return;
        }
        // It would wait for ever, and nobody would know for what.
        if (task.Held && !waited.IsToldHeld)
        {
            _session.Complain(task.BlockedBy?.FirstOrDefault(reason => reason.Code == "parent-failed") is { } lost
                ? $"{TaskView.Standing(task)}: {lost.Message}; waiting"
                : $"{TaskView.Standing(task)} and does not start before: colibri release-task {TaskView.NameOf(task)}; waiting");
        }
        waited.IsToldHeld = task.Held;
    }

    private int GiveUp(TimeSpan? timeout)
    {
        foreach (var waited in _tasks.Where(waited => waited.ExitCode is null))
        {
            if (_session.Json)
                Print(waited.Latest!);
            _session.Complain($"{TaskView.Standing(waited.Latest!)} after {Words.Duration(timeout ?? _clock.Elapsed)} (go on waiting: colibri wait {waited.Name})");
        }
        return ExitCodes.TimedOut;
    }

    private int Report(BoardTask task)
    {
        var name = TaskView.NameOf(task);
        if (_session.Json)
            Print(task);
        if (task.Status is TaskState.Done)
        {
            if (!_session.Json)
            {
                _session.Screen.Line($"task {Words.Plain(name)} is {_session.Screen.Paint("done", Tone.Good)} after {Words.Duration(_clock.Elapsed)}, "
                    + $"{CostView.Cost(task.Usage)}");
                _session.Screen.Flush();
            }
            return ExitCodes.Done;
        }
        // A cancelled task may still show what an earlier attempt ran into; that is not why it ended.
        var why = task is { Status: TaskState.Failed, Error: { } error } ? $": {error.Code}: {error.Message}" : "";
        _session.Complain($"task {name} is {Words.Of(task.Status)}{why} (see: colibri get-task {name})");
        return task.Status is TaskState.Cancelled ? ExitCodes.Cancelled : ExitCodes.Refused;
    }

    private void Print(BoardTask task) => _session.Screen.Raw(JsonSerializer.SerializeToUtf8Bytes(task, ProtocolJson.Wire.BoardTask));

    /// <param name="name">As it was typed.</param>
    private sealed class Waited(string name)
    {
        public string Name => name;

        public BoardTask? Latest { get; set; }

        /// <summary>How it ended; null before.</summary>
        public int? ExitCode { get; set; }

        public bool IsToldHeld { get; set; }
    }
}
