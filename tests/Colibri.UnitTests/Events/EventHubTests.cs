using System.Text.Json;
using Colibri.Core.Events;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Events;

public sealed class EventHubTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 22, 6, 7, 10, 893, TimeSpan.Zero);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly EventHub _hub = new(TimeProvider.System);

    [Test]
    public async Task A_subscriber_gets_the_topics_it_asked_for_and_no_others()
    {
        using var tasks = _hub.Subscribe(EventTopic.Tasks);
        using var both = _hub.Subscribe(EventTopic.Tasks | EventTopic.Cost);
        _hub.Publish(CostOf(1));
        _hub.Publish(TaskOf("a"));
        _hub.Publish(CostOf(2));
        _hub.Publish(TaskOf("b"));

        (await Read(tasks, 2)).Select(e => (e.Kind, e.Topic, e.Task?.Id, e.Cost)).ShouldBe([("task", "tasks", "a", null), ("task", "tasks", "b", null)]);
        (await Read(both, 4)).Select(e => e.Task?.Id ?? $"{e.Cost!.MaxUncompactedTurns}").ShouldBe(["1", "a", "2", "b"]);
    }

    [Test]
    public async Task A_pane_is_drawn_only_where_somebody_looks()
    {
        using var tasks = _hub.Subscribe(EventTopic.Tasks);
        _hub.PublishPane(() => throw new InvalidOperationException("nobody listens to panes"));
        using var panes = _hub.Subscribe(EventTopic.Panes);
        _hub.PublishPane(() => new Pane
        {
            Id = "p",
            Agent = "pi",
            Runtime = "pi",
            Lifecycle = Lifecycle.Running,
            Activity = Activity.Idle,
            StartedAt = At,
        });
        var told = (await Read(panes, 1))[0];
        (told.Kind, told.Topic, told.Pane?.Id).ShouldBe(("pane", "panes", "p"));
    }

    [Test]
    public async Task A_subscriber_that_does_not_read_is_told_exactly_how_many_it_missed()
    {
        const int Published = 3_000;
        using var slow = _hub.Subscribe(EventTopic.All);
        using var fast = _hub.Subscribe(EventTopic.All);
        for (var i = 0; i < Published; i++)
        {
            _hub.Publish(TaskOf($"{i}"));
            (await Read(fast, 1))[0].Task!.Id.ShouldBe($"{i}");
        }

        const int Missed = Published - EventSubscriber.Capacity;
        var read = await Read(slow, EventSubscriber.Capacity + 1);
        read.Where(e => e.Kind == "missed").ShouldHaveSingleItem().Missed.ShouldBe(Missed);
        read.Where(e => e.Kind == "task").Select(e => e.Task!.Id).ShouldBe(Enumerable.Range(0, EventSubscriber.Capacity).Select(i => $"{i}"));
        _hub.Missed.ShouldBe(Missed);

        _hub.Publish(TaskOf("after"));
        (await Read(slow, 1))[0].Task!.Id.ShouldBe("after");
        _hub.Missed.ShouldBe(Missed);
    }

    [Test]
    public async Task Publishers_at_once_lose_nothing_uncounted()
    {
        using var slow = _hub.Subscribe(EventTopic.Tasks);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () =>
            {
                for (var i = 0; i < 1_000; i++)
                    _hub.Publish(TaskOf("x"));
            },
            TestContext.Current!.Execution.CancellationToken)));
        (_hub.Missed + EventSubscriber.Capacity).ShouldBe(4_000);
        var read = await Read(slow, EventSubscriber.Capacity + 1);
        // In its place: behind what was kept, before what comes after.
        read[^1].Missed.ShouldBe(_hub.Missed);
        read.Count(e => e.Kind == "missed").ShouldBe(1);
    }

    [Test]
    public async Task A_subscriber_is_kept_events_by_the_byte_as_well()
    {
        using var slow = _hub.Subscribe(EventTopic.Tasks);
        var large = TaskOf("large") with { Description = new string('x', 1024 * 1024) };
        for (var i = 0; i < 10; i++)
            _hub.Publish(large);
        _hub.Missed.ShouldBe(7);
        (await Read(slow, 4))[^1].Missed.ShouldBe(7);
        _hub.Publish(large);
        (await Read(slow, 1))[0].Task!.Id.ShouldBe("large");
    }

    [Test]
    [Arguments(-1)]
    [Arguments(0)]
    [Arguments(1)]
    [Arguments(8 * 1024 * 1024)]
    public async Task An_event_of_any_size_reaches_a_subscriber_that_waits_and_so_do_those_after_it(int beyondBound)
    {
        var large = await LineOf(EventSubscriber.CapacityBytes + beyondBound);
        using var subscriber = _hub.Subscribe(EventTopic.Tasks);
        for (var round = 0; round < 3; round++)
        {
            var waiting = Read(subscriber, 1);
            waiting.IsCompleted.ShouldBeFalse();
            _hub.Publish(large);
            (await waiting)[0].Task!.Description.Length.ShouldBe(large.Description.Length);

            waiting = Read(subscriber, 1);
            _hub.Publish(TaskOf("after"));
            (await waiting)[0].Task!.Id.ShouldBe("after");
        }
        _hub.Missed.ShouldBe(0);
    }

    [Test]
    [Arguments(-1)]
    [Arguments(0)]
    [Arguments(1)]
    public async Task Large_events_missed_in_a_row_are_one_gap_and_what_comes_after_it_is_heard(int beyondBound)
    {
        var large = await LineOf(EventSubscriber.CapacityBytes + beyondBound);
        using var subscriber = _hub.Subscribe(EventTopic.Tasks);
        for (var round = 1; round <= 2; round++)
        {
            _hub.Publish(TaskOf("before"));
            for (var i = 0; i < 3; i++)
                _hub.Publish(large);
            _hub.Publish(TaskOf("small, and behind the gap"));

            var read = await Read(subscriber, 2);
            (read[0].Task?.Id, read[1].Kind, read[1].Missed).ShouldBe(("before", "missed", 4));
            _hub.Missed.ShouldBe(4 * round);

            foreach (var next in new[] { large, TaskOf("after") })
            {
                var waiting = Read(subscriber, 1);
                waiting.IsCompleted.ShouldBeFalse();
                _hub.Publish(next);
                (await waiting)[0].Task!.Id.ShouldBe(next.Id);
            }
        }
    }

    [Test]
    public async Task A_subscriber_that_reads_all_the_while_gets_or_is_told_of_every_event()
    {
        const int Publishers = 4;
        const int Each = 20_000;
        using var subscriber = _hub.Subscribe(EventTopic.Tasks);
        // Two of them fill the queue: a miss meets a reader that is about to wait over and over.
        var line = new byte[EventSubscriber.CapacityBytes / 2];
        var publishing = Task.WhenAll(Enumerable.Range(0, Publishers).Select(_ => Task.Run(
            () =>
            {
                for (var i = 0; i < Each; i++)
                    subscriber.Offer(line);
            },
            TestContext.Current!.Execution.CancellationToken)));

        var heard = 0L;
        while (heard < Publishers * Each)
        {
            var read = await subscriber.ReadAsync(TestContext.Current!.Execution.CancellationToken).AsTask().WaitAsync(Deadline, TestContext.Current!.Execution.CancellationToken);
            heard += ReferenceEquals(read, line) ? 1 : JsonSerializer.Deserialize(read, ProtocolJson.Wire.Event)!.Missed!.Value;
        }
        heard.ShouldBe(Publishers * Each);
        await publishing;
    }

    [Test]
    public async Task A_subscriber_that_left_is_not_counted()
    {
        using (_hub.Subscribe(EventTopic.All))
        {
        }
        for (var i = 0; i < EventSubscriber.Capacity + 1; i++)
            _hub.Publish(TaskOf("x"));
        _hub.Missed.ShouldBe(0);
        using var late = _hub.Subscribe(EventTopic.All);
        _hub.Publish(TaskOf("y"));
        (await Read(late, 1))[0].Task!.Id.ShouldBe("y");
    }

    [Test]
    public async Task Waiting_for_an_event_can_be_given_up()
    {
        using var subscriber = _hub.Subscribe(EventTopic.All);
        using var stop = new CancellationTokenSource();
        var waiting = subscriber.ReadAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting.WaitAsync(Deadline, TestContext.Current!.Execution.CancellationToken));
    }

    private static async Task<List<Event>> Read(EventSubscriber subscriber, int count)
    {
        var events = new List<Event>();
        while (events.Count < count)
        {
            var line = await subscriber.ReadAsync(TestContext.Current!.Execution.CancellationToken).AsTask().WaitAsync(Deadline, TestContext.Current!.Execution.CancellationToken);
            line.ShouldNotContain((byte)'\n');
            events.Add(JsonSerializer.Deserialize(line, ProtocolJson.Wire.Event)!);
        }
        return events;
    }

    /// <summary>A task whose event is a line of exactly so many bytes.</summary>
    private async Task<BoardTask> LineOf(long bytes)
    {
        using var subscriber = _hub.Subscribe(EventTopic.Tasks);
        _hub.Publish(TaskOf("large"));
        var rest = (await subscriber.ReadAsync(TestContext.Current!.Execution.CancellationToken)).Length;
        return TaskOf("large") with { Description = new string('x', (int)bytes - rest) };
    }

    private static BoardTask TaskOf(string id) => new() { Id = id, Title = "mend\nthe roof", Status = TaskState.Queued, CreatedAt = At, UpdatedAt = At };

    private static CostState CostOf(int turns) => new() { Mode = CostMode.Smart, SessionMaxBytes = 1, MaxUncompactedTurns = turns };
}
