using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Tests;
using Colibri.UnitTests.Protocol.Client;
using Colibri.Web.Api;
using Colibri.Web.Glass;
using Colibri.Web.Traces;

namespace Colibri.UnitTests.Web.Traces;

/// <summary>Runs become spans once, whatever is heard of them.</summary>
public sealed class RunTracesTests : IAsyncDisposable
{
    private readonly DateTimeOffset _start = DateTimeOffset.UtcNow;
    private readonly List<RunSummary> _runs = [];
    private readonly FakeDaemon _fake;
    private readonly DaemonClient _daemon;
    private readonly SpanQueue _queue = new();
    private readonly RunTraces _traces;

    public RunTracesTests()
    {
        _fake = new FakeDaemon((line, connection) =>
        {
            var asked = JsonSerializer.Deserialize(line, ProtocolJson.Wire.CommandRequest)!;
            List<RunSummary> runs;
            lock (_runs)
                runs = [.. _runs.Where(run => asked.TaskId is null || run.TaskId == asked.TaskId).OrderByDescending(run => run.StartedAt)];
            var from = asked.Before is { } before ? runs.FindIndex(run => run.Id == before) + 1 : 0;
            var page = runs.Skip(from).Take(asked.Limit ?? 100).ToList();
            return connection.SendAsync($$"""{"ok":true,"data":{{JsonSerializer.Serialize(new RunList(page, from + page.Count < runs.Count ? page[^1].Id : null), ProtocolJson.Wire.RunList)}}}""");
        });
        _daemon = new DaemonClient(_fake.SocketPath);
        _traces = new RunTraces(_daemon, _queue, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        _traces.Dispose();
        _queue.Dispose();
        _daemon.Dispose();
        await _fake.DisposeAsync();
    }

    [Test]
    public async Task A_run_is_sent_when_its_task_s_event_says_that_it_has_ended()
    {
        _traces.Begin([]);
        await LookAsync();
        Ended("r1", "t1");
        Task("t1", TaskState.Started);
        (await LookAsync()).ShouldBeEmpty();
        Task("t1", TaskState.Done);
        (await LookAsync()).ShouldBe(["invoke_agent night"]);
        Task("t1", TaskState.Done);
        _traces.Begin([]);
        (await LookAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task What_ended_in_a_gap_is_found_afterwards_and_nothing_twice()
    {
        _traces.Begin([]);
        Task("t1", TaskState.Started);
        Ended("r1", "t1");
        Task("t1", TaskState.Done);
        (await LookAsync()).Count.ShouldBe(1);
        Task("t2", TaskState.Started);
        // The daemon is gone; meanwhile one that was watched ends, and another begins and ends.
        Ended("r2", "t2");
        Ended("r3", "t3");
        _traces.Begin([]);
        (await LookAsync()).Count.ShouldBe(2);
        (await LookAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task What_ended_before_is_not_sent()
    {
        lock (_runs)
            _runs.Add(OtlpRequestTests.Run("old", _start.AddHours(-1)));
        _traces.Begin([]);
        (await LookAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_run_that_outlasts_its_task_is_looked_at_again()
    {
        _traces.Begin([]);
        await LookAsync();
        Task("t1", TaskState.Started);
        lock (_runs)
            _runs.Add(OtlpRequestTests.Run("r1", _start.AddSeconds(1)) with { EndedAt = null });
        Task("t1", TaskState.Cancelled);
        (await _traces.LookAsync(CancellationToken.None)).ShouldBeTrue();
        lock (_runs)
            _runs.Clear();
        Ended("r1", "t1");
        (await LookAsync()).Count.ShouldBe(1);
    }

    [Test]
    public async Task A_burst_of_ends_beyond_what_is_kept_is_found_by_looking_at_all_runs()
    {
        _traces.Begin([]);
        await LookAsync();
        const int many = RunTraces.MostTasks + 300;
        lock (_runs)
        {
            for (var i = 0; i < many; i++)
                _runs.Add(OtlpRequestTests.Run($"r{i}", _start.AddMilliseconds(i)) with { TaskId = $"t{i}" });
        }
        for (var i = 0; i < many; i++)
            Task($"t{i}", TaskState.Done);
        var sent = 0;
        // The queue holds 4,096; what it drops is counted.
        sent += (await LookAsync()).Count;
        (sent + _queue.Dropped(DropReason.QueueFull)).ShouldBe(many);
    }

    [Test]
    public async Task The_tools_of_a_pane_are_below_its_run()
    {
        _traces.Begin([]);
        await LookAsync();
        Task("t1", TaskState.Started);
        Ended("r1", "t1");
        Pane("bash", 1, 2);
        Pane(null, 1, 3);
        Task("t1", TaskState.Done);
        (await LookAsync()).ShouldBe(["invoke_agent night", "execute_tool bash"]);
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public void The_counters_are_on_the_page_of_metrics(bool isOpen)
    {
        _queue.CountSent(3);
        _queue.CountDropped(DropReason.Unanswered, 2);
        var read = Exposition.Parse(MetricsEndpoint.With(isOpen ? "# EOF\n" : "", _queue, isOpen), isOpen);
        read.Samples["colibri_web_spans_sent_total"].ShouldBe(3);
        read.Samples["colibri_web_spans_dropped_total{reason=\"unanswered\"}"].ShouldBe(2);
        read.Samples["colibri_web_spans_dropped_total{reason=\"queue_full\"}"].ShouldBe(0);
    }

    private void Ended(string id, string task)
    {
        lock (_runs)
            _runs.Add(OtlpRequestTests.Run(id, _start.AddSeconds(1)) with { TaskId = task });
    }

    private void Task(string id, TaskState state) => _traces.Take(new Event
    {
        Kind = "task",
        At = DateTimeOffset.UtcNow,
        Task = new BoardTask { Id = id, Number = 1, Title = "", Description = "", Status = state, Attempts = 1, CreatedAt = _start, UpdatedAt = _start },
    });

    private void Pane(string? tool, long tools, int second) => _traces.Take(new Event
    {
        Kind = "pane",
        At = _start.AddSeconds(second),
        Pane = new Pane { Id = "agent-1", Agent = "claude", Runtime = "claude", Lifecycle = Lifecycle.Running, Activity = Activity.Working, StartedAt = _start, Tool = tool, Tools = tools },
    });

    private async Task<IReadOnlyList<string>> LookAsync()
    {
        await _traces.LookAsync(CancellationToken.None);
        return [.. _queue.Take(SpanQueue.MostSpans).Select(span => span.Name)];
    }
}
