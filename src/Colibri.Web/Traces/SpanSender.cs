namespace Colibri.Web.Traces;

/// <summary>Sends what is in the queue, one batch at a time. A collector that is away is tried again, first soon and then every 30 seconds; meanwhile the queue fills and drops.</summary>
internal sealed class SpanSender(SpanQueue queue, TraceOptions options, string version, Action<string> tell)
{
    public const int MostInBatch = 512;
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Last = TimeSpan.FromSeconds(2);

    private readonly Collector _collector = new(options, version);
    private List<Span> _batch = [];
    private bool _isFailing;

    /// <summary>Sends until cancelled, and then what is left, once and within 2 seconds.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await queue.WaitAsync(cancellation).ConfigureAwait(false);
                while ((_batch = queue.Take(MostInBatch)).Count > 0)
                    await SendAsync(cancellation).ConfigureAwait(false);
                // What ends together is sent together.
                await Task.Delay(Gap, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            await SendLastAsync().ConfigureAwait(false);
        }
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        for (var wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            if (await TryAsync(Collector.Deadline, cancellation).ConfigureAwait(false))
                return;
            await Task.Delay(wait, cancellation).ConfigureAwait(false);
        }
    }

    /// <returns>Whether the batch is done with.</returns>
    private async Task<bool> TryAsync(TimeSpan deadline, CancellationToken cancellation)
    {
        var (result, why) = await _collector.PostAsync(OtlpRequest.Of(_batch, options.Service, version), deadline, cancellation).ConfigureAwait(false);
        switch (result)
        {
            case PostResult.Taken:
                queue.CountSent(_batch.Count);
                break;
            case PostResult.Refused:
                queue.CountDropped(DropReason.Refused, _batch.Count);
                break;
            case PostResult.Unanswered:
                queue.CountDropped(DropReason.Unanswered, _batch.Count);
                break;
        }
        if (result != PostResult.Later)
            _batch = [];
        if (_isFailing != (result != PostResult.Taken) && !cancellation.IsCancellationRequested)
        {
            _isFailing = !_isFailing;
            tell(_isFailing ? $"the collector at {options.Address} takes no traces: {why} (it is tried again; colibri_web_spans_dropped_total counts what is lost)" : $"the collector at {options.Address} takes traces again");
        }
        return result != PostResult.Later;
    }

    private async Task SendLastAsync()
    {
        using var soon = new CancellationTokenSource(Last);
        if (_batch.Count == 0)
            _batch = queue.Take(MostInBatch);
        while (_batch.Count > 0 && !soon.IsCancellationRequested && await TryAsync(Last, soon.Token).ConfigureAwait(false))
            _batch = queue.Take(MostInBatch);
    }
}
