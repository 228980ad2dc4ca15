using System.Runtime.InteropServices;
using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Following;

/// <summary><c>watch</c>: a line an event, until the operator has seen enough.</summary>
internal sealed class EventWatch
{
    // The most unfinished tasks remembered, whose state is read anew after the daemon was away. Further ones are forgotten.
    private const int MostRemembered = 1_024;
    private readonly CliSession _session;
    private readonly EventView _view;
    private readonly Dictionary<string, DateTimeOffset> _open = new(StringComparer.Ordinal);

    private EventWatch(CliSession session) => (_session, _view) = (session, new EventView(session.Screen));

    /// <param name="session">The run of the command.</param>
    /// <param name="topics">Null for all.</param>
    /// <param name="patience">How long the daemon may be away once it has answered.</param>
    public static async Task<int> RunAsync(CliSession session, string[]? topics, TimeSpan patience)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(session.Cancellation);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Enough);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Enough);
        void Enough(PosixSignalContext signal)
        {
            signal.Cancel = true;
            enough.Cancel();
        }

        var watch = new EventWatch(session);
        var absence = session.Outlasting(patience);
        var wasThere = false;
        try
        {
            while (true)
            {
                try
                {
                    using var client = await session.ConnectAsync().ConfigureAwait(false);
                    CliSession.Accepted(await client.SubscribeAsync(topics, enough.Token).ConfigureAwait(false));
                    wasThere = true;
                    if (absence.IsAway)
                        await watch.CatchUpAsync().ConfigureAwait(false);
                    absence.IsOver();
                    await foreach (var line in client.ReadEventLinesAsync(enough.Token).ConfigureAwait(false))
                        watch.Show(line);
                }
                catch (DaemonUnreachableException e) when (wasThere)
                {
                    await absence.OutlastAsync(e, enough.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
        return ExitCodes.Done;
    }

    private void Show(ReadOnlyMemory<byte> line)
    {
        if (_session.Json)
        {
            _session.Screen.Raw(line);
            Remember(TryRead(line.Span)?.Task);
            return;
        }
        if (JsonSerializer.Deserialize(line.Span, ProtocolJson.Wire.Event) is { } change)
        {
            _view.Write(change);
            Remember(change.Task);
        }
        _session.Screen.Flush();
    }

    /// <summary>Events for the changes of remembered tasks that happened during the restart and before the new subscription.</summary>
    private async Task CatchUpAsync()
    {
        foreach (var (id, updatedAt) in _open.ToList())
        {
            try
            {
                var reply = await _session.AskAsync(new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = id }).ConfigureAwait(false);
                var task = reply.Read(ProtocolJson.Wire.BoardTask);
                if (task.UpdatedAt != updatedAt)
                    Show(JsonSerializer.SerializeToUtf8Bytes(new Event { Kind = "task", Topic = "tasks", At = task.UpdatedAt, Task = task }, ProtocolJson.Wire.Event));
            }
            catch (RefusedException)
            {
                // The daemon may have come back with another board.
                _open.Remove(id);
            }
        }
    }

    private void Remember(BoardTask? task)
    {
        if (task is null)
            return;
        if (task.Status is TaskState.Done or TaskState.Failed or TaskState.Cancelled)
            _open.Remove(task.Id);
        else if (_open.Count < MostRemembered || _open.ContainsKey(task.Id))
            _open[task.Id] = task.UpdatedAt;
    }

    private static Event? TryRead(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ProtocolJson.Wire.Event);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
