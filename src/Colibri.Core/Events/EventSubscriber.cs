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

    private readonly EventHub _hub;
    private readonly TimeProvider _time;
    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private long _missed;

    internal EventSubscriber(EventHub hub, EventTopic topics, TimeProvider time) => (_hub, Topics, _time) = (hub, topics, time);

    public EventTopic Topics { get; }

    /// <summary>The next event as a JSON line without its newline; a <c>missed</c> event where some were dropped before it.</summary>
    public async ValueTask<byte[]> ReadAsync(CancellationToken cancellation)
    {
        var missed = Interlocked.Exchange(ref _missed, 0);
        return missed > 0
            ? JsonSerializer.SerializeToUtf8Bytes(
                new Event { Kind = "missed", At = _time.GetUtcNow(), Missed = missed }, ProtocolJson.Wire.Event)
            : await _lines.Reader.ReadAsync(cancellation).ConfigureAwait(false);
    }

    public void Dispose() => _hub.Remove(this);

    internal void Offer(byte[] line)
    {
        if (_lines.Writer.TryWrite(line))
            return;
        Interlocked.Increment(ref _missed);
        _hub.CountMissed();
    }
}
