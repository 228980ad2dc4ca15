using System.Diagnostics;
using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Following;

/// <summary><c>wait</c>: a task until it is over.</summary>
internal static class TaskWait
{
    /// <param name="session">The run of the command.</param>
    /// <param name="taskId">The task.</param>
    /// <param name="timeout">Null for ever.</param>
    /// <param name="patience">How long the daemon may be away once it has answered.</param>
    public static async Task<int> RunAsync(CliSession session, string taskId, TimeSpan? timeout, TimeSpan patience)
    {
        var clock = Stopwatch.StartNew();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(session.Cancellation);
        if (timeout is { } limit)
            deadline.CancelAfter(limit);
        var absence = new Absence(session, patience);
        BoardTask? latest = null;
        var isToldHeld = false;
        try
        {
            while (true)
            {
                try
                {
                    using var events = await session.ConnectAsync().ConfigureAwait(false);
                    // Subscribe before the task is read: an end between the two would otherwise be missed.
                    CliSession.Accepted(await events.SubscribeAsync(["tasks"], session.Cancellation).ConfigureAwait(false));
                    latest = await ReadAsync(session, taskId).ConfigureAwait(false);
                    absence.IsOver();
                    if (IsOver(latest.Status))
                        return Report(session, latest, clock.Elapsed);
                    TellHeld(latest);
                    await foreach (var change in events.ReadEventsAsync(deadline.Token).ConfigureAwait(false))
                    {
                        if (change.Missed is not null)
                            latest = await ReadAsync(session, taskId).ConfigureAwait(false);
                        else if (change.Task?.Id == taskId)
                            latest = change.Task;
                        if (IsOver(latest.Status))
                            return Report(session, latest, clock.Elapsed);
                        TellHeld(latest);
                    }
                }
                catch (DaemonUnreachableException e) when (latest is not null)
                {
                    // The daemon was there before. A task outlives a restart, and is read anew after it.
                    await absence.OutlastAsync(e, deadline.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (!session.Cancellation.IsCancellationRequested && latest is not null)
        {
            // The events may lag behind; the board does not.
            latest = await ReadAsync(session, taskId).ConfigureAwait(false);
            if (IsOver(latest.Status))
                return Report(session, latest, clock.Elapsed);
        }
        if (session.Json)
            Print(session, latest!);
        session.Complain($"{TaskView.Standing(latest!)} after {Words.Duration(timeout ?? clock.Elapsed)} (go on waiting: colibri wait {taskId})");
        return ExitCodes.Refused;

        // It would wait for ever, and nobody would know for what.
        void TellHeld(BoardTask task)
        {
            if (task.Held && !isToldHeld)
                session.Complain($"{TaskView.Standing(task)} and does not start before: colibri release-task {taskId}; waiting");
            isToldHeld = task.Held;
        }
    }

    private static async Task<BoardTask> ReadAsync(CliSession session, string taskId)
    {
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = taskId }).ConfigureAwait(false);
        return reply.Read(ProtocolJson.Wire.BoardTask);
    }

    private static bool IsOver(TaskState status) => status is TaskState.Done or TaskState.Failed or TaskState.Cancelled;

    private static int Report(CliSession session, BoardTask task, TimeSpan waited)
    {
        if (session.Json)
            Print(session, task);
        if (task.Status is TaskState.Done)
        {
            if (!session.Json)
            {
                session.Screen.Line($"task {Words.Plain(task.Id)} is {session.Screen.Paint("done", Tone.Good)} after {Words.Duration(waited)}, "
                    + $"{CostView.Cost(task.Usage)}");
            }
            return ExitCodes.Done;
        }
        // A cancelled task may still show what an earlier attempt ran into; that is not why it ended.
        var why = task is { Status: TaskState.Failed, Error: { } error } ? $": {error.Code}: {error.Message}" : "";
        session.Complain($"task {task.Id} is {Words.Of(task.Status)}{why} (see: colibri get-task {task.Id})");
        return ExitCodes.Refused;
    }

    private static void Print(CliSession session, BoardTask task) =>
        session.Screen.Raw(JsonSerializer.SerializeToUtf8Bytes(task, ProtocolJson.Wire.BoardTask));
}
