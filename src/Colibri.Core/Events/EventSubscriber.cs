using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Events;

/// <summary>One subscriber's queue of serialised events. Any thread may publish; one at a time reads.</summary>
public sealed class EventSubscriber : ILineSource
{
    /// <summary>The most events queued for a subscriber that is behind; further ones are dropped and counted.</summary>
    public const int Capacity = 1_024;

    /// <summary>
    /// The most bytes queued for a subscriber that is behind, because a task's description may be long. An empty queue accepts one event of any
    /// size, so that a subscriber that keeps up gets every event.
    /// </summary>
    public const long CapacityBytes = 4 * 1024 * 1024;

    private readonly EventHub _hub;
    private readonly TimeProvider _time;

    // One lock guards the queue, its bytes and the missed count, so that a reader that finds the queue empty sees every miss before it waits.
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _lines = new();
    private TaskCompletionSource? _waiting;
    private long _missed;
    private long _bytes;

    internal EventSubscriber(EventHub hub, EventTopic topics, TimeProvider time) => (_hub, Topics, _time) = (hub, topics, time);

    public EventTopic Topics { get; }

    /// <summary>
    /// The next event as a JSON line without its newline. Where some were dropped, a <c>missed</c> event stands exactly in their place.
    /// </summary>
    public async ValueTask<byte[]> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            long missed;
            TaskCompletionSource? news = null;
            lock (_gate)
            {
                if (TryTake(out var line))
                    return line;
                (missed, _missed) = (_missed, 0);
                if (missed == 0)
                    news = _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            if (news is null)
            {
                return JsonSerializer.SerializeToUtf8Bytes(
                    new Event { Kind = "missed", At = _time.GetUtcNow(), Missed = missed }, ProtocolJson.Wire.Event);
            }
            await news.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The next event, if one is queued and none before it was dropped.</summary>
    public bool TryRead([MaybeNullWhen(false)] out byte[] line)
    {
        lock (_gate)
            return TryTake(out line);
    }

    public void Dispose() => _hub.Remove(this);

    internal void Offer(byte[] line)
    {
        TaskCompletionSource? waiting;
        bool isKept;
        lock (_gate)
        {
            // After a miss all events are dropped until the reader has caught up, so that the gap has one place.
            isKept = _missed == 0 && (_lines.Count == 0 || (_lines.Count < Capacity && _bytes + line.Length <= CapacityBytes));
            if (isKept)
            {
                _lines.Enqueue(line);
                _bytes += line.Length;
            }
            else
            {
                _missed++;
            }
            (waiting, _waiting) = (_waiting, null);
        }
        waiting?.TrySetResult();
        if (!isKept)
            _hub.CountMissed();
    }

    private bool TryTake([MaybeNullWhen(false)] out byte[] line)
    {
        if (!_lines.TryDequeue(out line))
            return false;
        _bytes -= line.Length;
        return true;
    }
}
