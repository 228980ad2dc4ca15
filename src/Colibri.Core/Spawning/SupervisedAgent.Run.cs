using System.Buffers;
using System.Text.Json;
using Colibri.Core.Board;
using Colibri.Core.Glasspane;
using Colibri.Core.Logging;
using Colibri.Posix;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Spawning;

/// <summary>Starting, following and ending the process.</summary>
public sealed partial class SupervisedAgent
{
    private const string SpawnFailed = "spawn-failed";
    private const string Interrupted = "interrupted";

    private static readonly TimeSpan StraysGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OutputDeadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RecordRetry = TimeSpan.FromSeconds(1);

    /// <summary>Starts the process; the agent is on record already.</summary>
    /// <exception cref="SpawnException">It cannot be started.</exception>
    internal void Start()
    {
        _parts.Events.PublishPane(ToPane);
        var program = _parts.Programs.Find(_request.Binary)
            ?? throw new SpawnException(
                $"cannot find an executable '{_request.Binary}'" + (_request.Binary.Contains('/') ? "" : $" in {string.Join(':', _parts.Programs.Directories)}"), 0);
        var environment = AgentEnvironment.Build(_request.Environment, Id, TaskId, SessionId, _parts.Configuration.SocketPath);
        _process = AgentProcess.Start(
            _parts.Processes, program, _commandLine, environment, _request.Cwd, Id, _parts.Time, _parts.Logger);
        _pane.Started(_process.Identity.Pid);
        _parts.Logger.AgentStarted(Id, Name, _process.Identity.Pid, _commandLine.Describe(program));
    }

    /// <summary>Follows the process to its end and puts the outcome on record.</summary>
    internal async Task RunToEndAsync()
    {
        var process = _process!;
        if (_prompt is not null)
            _recorder.User(_prompt);
        await RecordAsync().ConfigureAwait(false);
        var output = process.ReadOutputAsync(FeedAsync);
        var errors = process.ReadErrorsAsync();
        if (_commandLine.IsRpc && _prompt is not null)
            _ = process.WriteLineAsync(RpcPrompt(_sentPrompt!));
        await RecordStartAsync(process.Identity).ConfigureAwait(false);

        if (await Task.WhenAny(process.Exited, _stopRequested.Task).ConfigureAwait(false) == _stopRequested.Task)
            await EndTreeAsync(process).ConfigureAwait(false);
        var exit = await process.Exited.ConfigureAwait(false);
        _pane.Exited(new ProcessExit(exit.Code, exit.Signal));
        if (process.HasStrays())
            await EndStraysAsync(process).ConfigureAwait(false);

        await DrainAsync(process, Task.WhenAll(output, errors)).ConfigureAwait(false);
        _pane.Complete();
        await CloseRunAsync(process, exit).ConfigureAwait(false);
        process.Dispose();
    }

    /// <summary>Closes the record of an agent whose process never was.</summary>
    /// <param name="reason">Why, in one line.</param>
    /// <param name="mayPass">The reason may be gone in a moment: the task is tried again.</param>
    internal async Task CloseUnstartedAsync(string reason, bool mayPass)
    {
        _pane.FailedToStart(reason);
        await PutOnRecordAsync(new SpawnEnd
        {
            Ending = RunEnding.Failed,
            Verdict = SpawnFailed,
            Error = new TaskError(SpawnFailed, reason),
            RetryAt = mayPass && _task is not null ? _backoff.NextAttemptAt(_task.Attempts + 1) : null,
        }).ConfigureAwait(false);
        MarkEnded();
    }

    /// <summary>Ends the tree at once and gives the attempt back.</summary>
    internal async Task AbandonAsync()
    {
        _process!.Ender.KillAt(_parts.Time.GetUtcNow());
        await _process.Ender.EndAsync(polite: null).ConfigureAwait(false);
        _process.Dispose();
        _pane.TreeGone();
        await PutOnRecordAsync(new SpawnEnd
        {
            Ending = RunEnding.Interrupted,
            Verdict = Interrupted,
            Error = new TaskError("internal", "the daemon failed while it followed the agent; its log says how"),
            Usage = ToPane().Usage,
        }).ConfigureAwait(false);
    }

    internal void RequestStop(StopCause reason, TimeSpan grace)
    {
        Interlocked.CompareExchange(ref _stopReason, (int)reason, (int)StopCause.None);
        Volatile.Write(ref _graceTicks, Math.Min(Volatile.Read(ref _graceTicks), grace.Ticks));
        _process?.Ender.KillAt(_parts.Time.GetUtcNow() + grace);
        if (!HasEnded && _stopRequested.TrySetResult())
        {
            _parts.Logger.AgentStopping(Id, (long)grace.TotalMilliseconds);
            _pane.StopRequested();
        }
    }

    private async ValueTask FeedAsync(ReadOnlyMemory<byte> chunk)
    {
        _pane.Feed(chunk.Span);
        await RecordAsync().ConfigureAwait(false);
        // A long-lived agent started for one task has nothing left to do.
        if (_commandLine.IsRpc && _task is not null && _pane.Run.IsSettled)
            RequestStop(StopCause.Settled, AgentSupervisor.DefaultGrace);
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
            // An agent that is not on record must not run on: nobody would find it again after a crash.
            _parts.Logger.BoardUnavailable(e.Message);
            RequestStop(StopCause.DaemonStopping, AgentSupervisor.DefaultGrace);
        }
    }

    private async Task EndTreeAsync(AgentProcess process)
    {
        var grace = TimeSpan.FromTicks(Volatile.Read(ref _graceTicks));
        process.Ender.KillAt(_parts.Time.GetUtcNow() + grace);
        await process.Ender.EndAsync(() => process.CloseInputAsync(grace)).ConfigureAwait(false);
    }

    private async Task EndStraysAsync(AgentProcess process)
    {
        process.Ender.KillAt(_parts.Time.GetUtcNow() + StraysGrace);
        await process.Ender.EndAsync(polite: null).ConfigureAwait(false);
    }

    private async Task DrainAsync(AgentProcess process, Task readers)
    {
        // The tree is gone, so the streams end by themselves, unless somebody passed a descriptor out of it.
        if (await Task.WhenAny(readers, Task.Delay(OutputDeadline, _parts.Time)).ConfigureAwait(false) == readers)
            return;
        _parts.Logger.OutputGivenUp(Id);
        process.Dispose();
        await readers.ConfigureAwait(false);
    }

    private async Task CloseRunAsync(AgentProcess process, ExitStatus status)
    {
        var exit = new ProcessExit(status.Code, status.Signal);
        var reason = (StopCause)Volatile.Read(ref _stopReason);
        var verdict = RunVerdict.Judge(
            _pane.Run, exit, reason != StopCause.None, Record.Runtime == Dialects.Local, process.StderrTail.LastLine());
        var isDone = verdict.Error is null;
        var interrupted = reason == StopCause.DaemonStopping && !isDone;
        var end = new SpawnEnd
        {
            Ending = interrupted ? RunEnding.Interrupted : isDone ? RunEnding.Done : RunEnding.Failed,
            Verdict = interrupted ? Interrupted : verdict.Verdict,
            Error = interrupted ? new TaskError(Interrupted, "the daemon stopped while the agent was running") : verdict.Error,
            Exit = exit,
            StderrTail = process.StderrTail.Text(),
            Usage = ToPane().Usage,
            RetryAt = isDone || _task is null ? null : _backoff.NextAttemptAt(_task.Attempts + 1),
        };
        _recorder.Note(end.Error is { } error ? $"run ended: {end.Verdict} ({error.Code}: {error.Message})" : $"run ended: {end.Verdict}");
        await RecordAsync().ConfigureAwait(false);
        // Before the task's end is: whoever sees the task done finds its agent gone.
        _pane.TreeGone();
        await PutOnRecordAsync(end).ConfigureAwait(false);
        _parts.Logger.AgentStopped(Id, Name, status.ToString(), end.Verdict);
    }

    /// <summary>A run is closed only when that is on disk; a full disk keeps its slot taken until there is room.</summary>
    private async Task PutOnRecordAsync(SpawnEnd end)
    {
        while (true)
        {
            try
            {
                await _parts.Board.EndSpawnAsync(Id, end).ConfigureAwait(false);
                return;
            }
            catch (BoardUnavailableException e)
            {
                _parts.Logger.BoardUnavailable(e.Message);
                // The next daemon finds the run open and its process gone, and closes it.
                if ((StopCause)Volatile.Read(ref _stopReason) == StopCause.DaemonStopping)
                    return;
                await Task.Delay(RecordRetry, _parts.Time).ConfigureAwait(false);
            }
        }
    }

    private static byte[] RpcPrompt(string prompt)
    {
        var line = new ArrayBufferWriter<byte>(prompt.Length + 64);
        using (var writer = new Utf8JsonWriter(line))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, "1"u8);
            writer.WriteString("type"u8, "prompt"u8);
            writer.WriteString("message"u8, prompt);
            writer.WriteEndObject();
        }
        line.Write("\n"u8);
        return line.WrittenSpan.ToArray();
    }
}
