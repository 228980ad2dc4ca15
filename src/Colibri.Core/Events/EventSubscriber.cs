using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Threading.Channels;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Events;

/// <summary>One subscriber's queue of serialised events.</summary>
public sealed class EventSubscriber : IDisposable
{
    /// <summary>Events kept for a subscriber that is behind; further ones are counted, not kept.</summary>
    public const int Capacity = 1_024;

    /// <summary>Bytes kept for a subscriber that is behind: a task's description may be long.</summary>
    public const long CapacityBytes = 4 * 1024 * 1024;

    private readonly EventHub _hub;
    private readonly TimeProvider _time;
    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
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
            if (TryRead(out var line))
                return line;
            if (Interlocked.Exchange(ref _missed, 0) is > 0 and var missed)
            {
                return JsonSerializer.SerializeToUtf8Bytes(
                    new Event { Kind = "missed", At = _time.GetUtcNow(), Missed = missed }, ProtocolJson.Wire.Event);
            }
            await _lines.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The next event where there is one already and none before it was dropped.</summary>
    public bool TryRead([MaybeNullWhen(false)] out byte[] line)
    {
        if (!_lines.Reader.TryRead(out line))
            return false;
        Interlocked.Add(ref _bytes, -line.Length);
        return true;
    }

    public void Dispose() => _hub.Remove(this);

    internal void Offer(byte[] line)
    {
        // Once one is missed all are, until the reader has caught up: the gap then has one place.
        if (Interlocked.Read(ref _missed) == 0 && Interlocked.Read(ref _bytes) + line.Length <= CapacityBytes && _lines.Writer.TryWrite(line))
        {
            Interlocked.Add(ref _bytes, line.Length);
            return;
        }
        Interlocked.Increment(ref _missed);
        _hub.CountMissed();
    }
}
