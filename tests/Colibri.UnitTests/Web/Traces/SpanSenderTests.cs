using Colibri.Tests;
using Colibri.Web.Traces;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace Colibri.UnitTests.Web.Traces;

public sealed class SpanSenderTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task Spans_are_posted_with_the_headers_and_counted()
    {
        await using var collector = new StandInCollector();
        using var queue = Filled(1_000);
        await using (Sending(collector, queue, ("x-key", "a b")))
            await HoldsAsync(() => queue.Sent == 1_000);
        collector.Spans.Select(span => span.Name).ShouldBe(Enumerable.Range(0, 1_000).Select(i => $"span {i}"));
        var head = collector.Requests[0].Head;
        head.ShouldStartWith("POST /v1/traces HTTP/1.1\r\n");
        head.ShouldContain("x-key: a b\r\n");
        head.ShouldContain("Content-Type: application/x-protobuf\r\n");
    }

    [Test]
    public async Task What_the_collector_refuses_is_counted_and_not_sent_again()
    {
        await using var collector = new StandInCollector { Status = 400 };
        using var queue = Filled(3);
        List<string> told = [];
        await using (Sending(collector, queue, told: told.Add))
            await HoldsAsync(() => queue.Dropped(DropReason.Refused) == 3);
        collector.Requests.Count.ShouldBe(1);
        told.Single().ShouldContain("takes no traces: status 400");
    }

    [Test]
    public async Task A_collector_that_is_away_or_busy_gets_each_span_once_it_is_there()
    {
        var collector = new StandInCollector { Status = 503 };
        var port = collector.Port;
        using var queue = Filled(3);
        await using var sending = Sending(collector, queue);
        await HoldsAsync(() => collector.Requests.Count > 0);
        await collector.DisposeAsync();
        await using var again = new StandInCollector(port);
        await HoldsAsync(() => queue.Sent == 3);
        again.Spans.Count.ShouldBe(3);
    }

    [Test]
    public async Task A_collector_that_hangs_delays_neither_the_queue_nor_the_end()
    {
        await using var collector = new StandInCollector { Status = null };
        using var queue = Filled(1);
        var sending = Sending(collector, queue);
        await HoldsAsync(() => collector.Requests.Count == 1);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < SpanQueue.MostSpans + 10; i++)
            queue.Add(Span(i));
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        queue.Dropped(DropReason.QueueFull).ShouldBe(10);
        watch.Restart();
        await sending.DisposeAsync();
        // One look at what is left takes two seconds at the most.
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(4.5));
        queue.Dropped(DropReason.Unanswered).ShouldBeGreaterThan(0);
        queue.Sent.ShouldBe(0);
    }

    [Test]
    public async Task What_is_left_at_the_end_is_sent()
    {
        await using var collector = new StandInCollector();
        using var queue = new SpanQueue();
        var sending = Sending(collector, queue);
        queue.Add(Span(1));
        await HoldsAsync(() => queue.Sent == 1);
        queue.Add(Span(2));
        await sending.DisposeAsync();
        queue.Sent.ShouldBe(2);
    }

    private static SpanQueue Filled(int spans)
    {
        var queue = new SpanQueue();
        for (var i = 0; i < spans; i++)
            queue.Add(Span(i));
        return queue;
    }

    private static Span Span(int number) => new() { TraceId = new byte[16], SpanId = new byte[8], Name = $"span {number}", Start = Noon, End = Noon };

    private static Stopping Sending(StandInCollector collector, SpanQueue queue, (string, string)? header = null, Action<string>? told = null)
    {
        var options = TraceOptions.Read(collector.Url, _ => null).Options! with { Headers = header is { } said ? [said] : [] };
        return new Stopping(cancellation => new SpanSender(queue, options, "1", told ?? (_ => { })).RunAsync(cancellation));
    }

    private static async Task HoldsAsync(Func<bool> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!holds())
        {
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
            await Task.Delay(10);
        }
    }

    /// <summary>Work that goes on until the end of a block.</summary>
    private sealed class Stopping : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _work;

        public Stopping(Func<CancellationToken, Task> work) => _work = Task.Run(() => work(_stop.Token));

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => _work);
            _stop.Dispose();
        }
    }
}
