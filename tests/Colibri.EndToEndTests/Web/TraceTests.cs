using Colibri.EndToEndTests.Harness;
using Colibri.Tests;

namespace Colibri.EndToEndTests.Web;

/// <summary>Traces of a native daemon's runs at a collector.</summary>
public sealed class TraceTests
{
    [Test]
    public async Task A_run_is_one_span_with_the_ids_that_its_agent_was_told_and_a_restart_of_the_daemon_loses_and_repeats_none()
    {
        await using var collector = new StandInCollector();
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var web = await WebServer.StartAsync(daemon.SocketPath, "--otlp", collector.Url);
        await RunAsync(daemon, "before the restart");
        await Eventually.HoldsAsync(() => collector.Spans.Any(span => span.Name.StartsWith("execute_tool", StringComparison.Ordinal)), () => "the first run is told");

        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        await RunAsync(daemon, "after the restart");
        await Eventually.HoldsAsync(() => Runs(collector).Count == 2, () => $"{Runs(collector).Count} runs are told");

        var listed = (await daemon.DataAsync(new { cmd = "list-runs" })).Member("runs").EnumerateArray().ToList();
        Runs(collector).Select(span => (span.TraceId, span.SpanId)).ShouldBe(listed.Select(run => (run.Text("trace_id"), run.Text("span_id"))), ignoreOrder: true);
        foreach (var run in Runs(collector))
        {
            run.Attributes["colibri.verdict"].ShouldBe("done");
            run.Attributes["gen_ai.usage.output_tokens"].ShouldBeOfType<long>().ShouldBeGreaterThan(0);
            var tool = collector.Spans.First(span => span.ParentId == run.SpanId);
            tool.TraceId.ShouldBe(run.TraceId);
            tool.Start.ShouldBeGreaterThanOrEqualTo(run.Start);
            tool.End.ShouldBeLessThanOrEqualTo(run.End);
        }

        using var http = new HttpClient();
        var metrics = Exposition.Parse(await http.GetStringAsync($"{web.Url}/metrics"));
        metrics.Samples["colibri_web_spans_sent_total"].ShouldBe(collector.Spans.Count);
        metrics.Samples["colibri_web_spans_dropped_total{reason=\"unanswered\"}"].ShouldBe(0);
    }

    [Test]
    public async Task A_collector_that_hangs_delays_no_page()
    {
        await using var collector = new StandInCollector { Status = null };
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var web = await WebServer.StartAsync(daemon.SocketPath, "--otlp", collector.Url);
        await RunAsync(daemon, "nobody is told of it");
        await Eventually.HoldsAsync(() => collector.Requests.Count > 0, () => "the collector was asked");
        using var http = new HttpClient();
        (await http.GetStringAsync($"{web.Url}/tasks")).ShouldContain("nobody is told of it");
        (await http.GetStringAsync($"{web.Url}/healthz")).ShouldBe("ok\n");
    }

    private static List<OtlpSpan> Runs(StandInCollector collector) => [.. collector.Spans.Where(span => span.Name.StartsWith("invoke_agent", StringComparison.Ordinal))];

    private static async Task RunAsync(ColibriDaemon daemon, string title)
    {
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title });
        await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--emit-usage", "--step-ms", "50" }, task_id = task.Text("id") });
        await client.TaskEndedAsync(task.Text("id"), "done");
    }
}
