using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Following;

/// <summary><c>logs</c>: what was said in a task's runs, and with <c>--follow</c> what is said, until the task is over.</summary>
internal static class TaskLog
{
    public static async Task<int> RunAsync(CliSession session, string taskId, bool follow, bool full)
    {
        var task = await ReadAsync(session, taskId).ConfigureAwait(false);
        if (!follow)
            return await ShowAsync(session, task, full).ConfigureAwait(false);
        using var events = await session.ConnectAsync().ConfigureAwait(false);
        CliSession.Accepted(await events.SubscribeAsync(["tasks"], session.Cancellation).ConfigureAwait(false));
        // A change between the two is read here; the later ones come as events.
        task = await ReadAsync(session, taskId).ConfigureAwait(false);
        await using var changes = events.ReadEventsAsync(session.Cancellation).GetAsyncEnumerator(session.Cancellation);
        while (task.SessionId is null)
        {
            if (IsOver(task))
                return await ShowAsync(session, task, full).ConfigureAwait(false);
            task = await NextAsync(session, changes, task).ConfigureAwait(false);
        }
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(session.Cancellation);
        using var client = await session.ConnectAsync().ConfigureAwait(false);
        CliSession.Accepted(await client.SendAsync(
            new CommandRequest { Cmd = WireCommand.FollowSession.Name, TaskId = task.Id }, null, session.Cancellation).ConfigureAwait(false));
        await using var lines = client.ReadEventLinesAsync(ended.Token).GetAsyncEnumerator(ended.Token);
        var over = LastEntryAsync(session, changes, task);
        long seen = 0;
        long? last = null;
        while (last is null || seen < last)
        {
            var next = lines.MoveNextAsync().AsTask();
            if (last is null && await Task.WhenAny(next, over).ConfigureAwait(false) == over)
                last = await over.ConfigureAwait(false);
            if (seen >= last)
            {
                await ended.CancelAsync().ConfigureAwait(false);
                await next.ContinueWith(static read => read.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
                break;
            }
            if (!await next.ConfigureAwait(false))
                break;
            seen = Math.Max(seen, SessionLines.Show(session, lines.Current, full));
        }
        return ExitCodes.Done;
    }

    private static async Task<int> ShowAsync(CliSession session, BoardTask task, bool full)
    {
        if (task.SessionId is not { } id)
        {
            session.Complain($"nothing was said yet: {TaskView.Standing(task)}");
            return ExitCodes.Refused;
        }
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.GetSession.Name, SessionId = id }).ConfigureAwait(false);
        if (session.Json)
            session.Screen.Raw(reply.Data);
        else
            SessionView.Transcript(session.Screen, reply.Read(ProtocolJson.Wire.SessionEntries), full);
        return ExitCodes.Done;
    }

    /// <summary>The number of the last entry once the task is over.</summary>
    private static async Task<long> LastEntryAsync(CliSession session, IAsyncEnumerator<Event> changes, BoardTask task)
    {
        while (!IsOver(task))
            task = await NextAsync(session, changes, task).ConfigureAwait(false);
        try
        {
            var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.GetSession.Name, SessionId = task.SessionId }).ConfigureAwait(false);
            return reply.Read(ProtocolJson.Wire.SessionEntries).Entries.Select(entry => entry.Seq).DefaultIfEmpty(0).Max();
        }
        catch (RefusedException)
        {
            // Nothing was ever written.
            return 0;
        }
    }

    private static async Task<BoardTask> NextAsync(CliSession session, IAsyncEnumerator<Event> changes, BoardTask task)
    {
        while (await changes.MoveNextAsync().ConfigureAwait(false))
        {
            if (changes.Current.Missed is not null)
                return await ReadAsync(session, task.Id).ConfigureAwait(false);
            if (changes.Current.Task is { } changed && changed.Id == task.Id)
                return changed;
        }
        throw new InvalidOperationException("a subscription has no end of its own");
    }

    private static async Task<BoardTask> ReadAsync(CliSession session, string taskId)
    {
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = taskId }).ConfigureAwait(false);
        return reply.Read(ProtocolJson.Wire.BoardTask);
    }

    private static bool IsOver(BoardTask task) => task.Status is TaskState.Done or TaskState.Failed or TaskState.Cancelled;
}
