namespace Colibri.Web.Traces;

/// <summary>Spans that wait for the collector: 4,096 at the most. One that finds it full is dropped and counted, and nobody waits for room.</summary>
internal sealed class SpanQueue : IDisposable
{
    public const int MostSpans = 4_096;

    private readonly Lock _lock = new();
    private readonly Queue<Span> _spans = new();
    private readonly SemaphoreSlim _news = new(0, 1);
    private readonly Dictionary<DropReason, long> _dropped = Enum.GetValues<DropReason>().ToDictionary(reason => reason, _ => 0L);
    private long _sent;
    private bool _isOver;

    /// <summary>Spans that the collector has taken.</summary>
    public long Sent
    {
        get { lock (_lock) return _sent; }
    }

    public long Dropped(DropReason reason)
    {
        lock (_lock)
            return _dropped[reason];
    }

    public void Add(Span span)
    {
        lock (_lock)
        {
            if (_spans.Count >= MostSpans)
            {
                _dropped[DropReason.QueueFull]++;
                return;
            }
            _spans.Enqueue(span);
            if (_news.CurrentCount == 0 && !_isOver)
                _news.Release();
        }
    }

    /// <summary>Takes the oldest; none where there is none.</summary>
    public List<Span> Take(int most)
    {
        lock (_lock)
        {
            List<Span> taken = new(Math.Min(most, _spans.Count));
            while (taken.Count < most && _spans.TryDequeue(out var span))
                taken.Add(span);
            return taken;
        }
    }

    /// <summary>Ends once a span was added since the last wait.</summary>
    public Task WaitAsync(CancellationToken cancellation) => _news.WaitAsync(cancellation);

    public void CountSent(int spans)
    {
        lock (_lock)
            _sent += spans;
    }

    public void CountDropped(DropReason reason, int spans)
    {
        lock (_lock)
            _dropped[reason] += spans;
    }

    public void Dispose()
    {
        lock (_lock)
            _isOver = true;
        _news.Dispose();
    }
}

/// <summary>Why spans were not sent.</summary>
internal enum DropReason
{
    /// <summary>The queue was full: the collector is away, or too slow.</summary>
    QueueFull,

    /// <summary>The collector has refused them.</summary>
    Refused,

    /// <summary>They were sent and not answered in time. The collector may have them, so they are not sent again.</summary>
    Unanswered,

    /// <summary>More tools than are kept of one run.</summary>
    ManyTools,
}
