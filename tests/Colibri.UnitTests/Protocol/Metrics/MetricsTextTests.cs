using System.Text.Json;
using System.Text.RegularExpressions;
using Colibri.Protocol.Metrics;
using Colibri.Protocol.Wire;
using Colibri.Tests;
using Colibri.UnitTests.Cli.Output;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Protocol.Metrics;

public sealed class MetricsTextTests
{
    private const string Hostile = "a\\b\"c\nd\re\u2028f}{,=\" 7";

    private static readonly MetricsReport Totals = new()
    {
        At = Samples.Now,
        RunsOpen = 2,
        TasksHeld = 3,
        Runs = [new RunTotal("claude", "done", 41, 61_500), new RunTotal(Hostile, "exit-code", 1, 20)],
        Usage = [new UsageTotal("anthropic", Hostile, "claude", 7, Samples.Spent with { UnpricedTokens = 5 })],
        Waits = [new WaitTotal("after", 4), new WaitTotal("none", 1)],
        WaitsOf = 5,
        Sessions = new SessionTotal(9, 123_456),
    };

    private static readonly MetricsReadings Readings = new(
        Samples.Status with
        {
            Budget = new BudgetState { Day = "2026-11-22", SpentMicrocents = 150_000_000, UnpricedTokens = 0, Held = true, DayMicrocents = 100_000_000 },
            Notify = new SinkReport([new SinkStatus("desk", "ready", 1, 2, 3)]),
            Disk = new StatusDisk(StatusDisk.Low, 10, 20, "/"),
            Providers = [new StatusRoute("openai", null, "ready", null, 0, null), new StatusRoute("openai", null, "resting", null, 1, null), new StatusRoute("openai", Hostile, "no-key", null, 0, null)],
        },
        new Snapshot(Snapshot.CurrentSchema, "clawdie", Samples.Now, [Samples.Working, Samples.Working with { NeedsAttention = true }, Samples.Dead]),
        Totals);

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public void A_strict_reader_takes_all_of_it(bool openMetrics)
    {
        var read = Exposition.Parse(MetricsText.Of(Readings, openMetrics), openMetrics);

        read.Samples["colibri_build_info{version=\"" + Samples.Status.Version + "\"}"].ShouldBe(1);
        read.Samples["colibri_tasks{state=\"done\"}"].ShouldBe(1_340);
        read.Samples["colibri_tasks_held"].ShouldBe(3);
        read.Samples["colibri_queue_waiting_tasks{code=\"after\"}"].ShouldBe(4);
        read.Samples["colibri_agents{activity=\"working\",runtime=\"pi\"}"].ShouldBe(2);
        read.Samples["colibri_agents_needing_attention"].ShouldBe(1);
        read.Samples["colibri_runs_ended_total{profile=\"claude\",verdict=\"done\"}"].ShouldBe(41);
        read.Samples["colibri_run_duration_seconds_total{profile=\"claude\",verdict=\"done\"}"].ShouldBe(61.5);
        read.Samples.Where(sample => sample.Key.StartsWith("colibri_cost_dollars_total", StringComparison.Ordinal)).ShouldHaveSingleItem().Value.ShouldBe(0.0024);
        read.Samples.Where(sample => sample.Key.StartsWith("colibri_tokens_total", StringComparison.Ordinal)).Sum(sample => sample.Value).ShouldBe(12_000 + 345 + 9_000 + 800);
        (read.Samples["colibri_budget_day_spent_dollars"], read.Samples["colibri_budget_held"], read.Samples["colibri_disk_low"]).ShouldBe((1.5, 1, 1));
        read.Samples["colibri_start_time_seconds"].ShouldBe(Samples.Status.StartedAt.ToUnixTimeMilliseconds() / 1000d);
        read.Samples["colibri_provider_state{provider=\"openai\",model=\"\",state=\"ready\"}"].ShouldBe(1);
        read.Samples.Keys.Count(series => series.StartsWith("colibri_provider_state", StringComparison.Ordinal)).ShouldBe(2, "a route is in one state");
        (read.Samples["colibri_sink_pending_notices{sink=\"desk\"}"], read.Samples["colibri_sink_delivered_notices_total{sink=\"desk\"}"]).ShouldBe((1, 3));
        read.Samples["colibri_events_missed_total"].ShouldBe(17);
        read.Types[openMetrics ? "colibri_events_missed" : "colibri_events_missed_total"].ShouldBe("counter");
        read.Types[openMetrics ? "colibri_build" : "colibri_build_info"].ShouldBe(openMetrics ? "info" : "gauge");
    }

    [Test]
    public void Names_that_are_hostile_stay_inside_their_quotes() => MetricsText.Of(Readings).Split('\n')
        .Single(line => line.StartsWith("colibri_requests_total", StringComparison.Ordinal))
        .ShouldBe("""colibri_requests_total{provider="anthropic",model="a\\b\"c\nd?e?f}{,=\" 7",profile="claude"} 7""".Replace('?', '\uFFFD'));

    [Test]
    public void A_label_is_cut_and_no_character_is_halved()
    {
        var model = new string('x', MetricsText.LongestLabel - 1) + "😀";
        var text = MetricsText.Of(Readings with { Totals = Totals with { Usage = [Totals.Usage[0] with { Model = model }] } });

        Exposition.Parse(text).Samples.Keys.ShouldContain($"colibri_requests_total{{provider=\"anthropic\",model=\"{model[..^2]}\",profile=\"claude\"}}");
    }

    /// <summary>No id of a task, an agent or a session: a series for each would grow without end.</summary>
    [Test]
    public void No_label_is_an_id()
    {
        foreach (var id in (string[])[Samples.TaskId, Samples.AgentId, Samples.SessionId])
            MetricsText.Of(Readings).ShouldNotContain(id);
    }

    [Test]
    public void The_page_lists_every_metric_with_its_labels_and_no_other()
    {
        var listed = Regex.Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "metrics.md")), @"^\| `(colibri_\w+)` \|([^|]*)\|", RegexOptions.Multiline)
            .Select(row => $"{row.Groups[1].Value} {string.Join(',', Regex.Matches(row.Groups[2].Value, @"\w+").Select(label => label.Value))}");
        var written = Exposition.Parse(MetricsText.Of(Readings)).Samples.Keys
            .Select(series => $"{series.Split('{')[0]} {string.Join(',', Regex.Matches(series, @"[{,](\w+)=""(?=(?:[^""\\]|\\.)*"")").Select(label => label.Groups[1].Value).Distinct())}")
            .Select(series => series.TrimEnd()).Distinct();

        written.ShouldBeSubsetOf(listed.Select(row => row.TrimEnd()));
        listed.Select(row => row.TrimEnd().Split(' ')[0]).ShouldBe(Exposition.Parse(MetricsText.Of(Readings)).Names, ignoreOrder: true);
    }

    /// <summary>A dashboard that asks for a metric of another name shows nothing, and no one is told.</summary>
    [Test]
    public void The_dashboard_asks_for_metrics_that_are_written()
    {
        var names = Exposition.Parse(MetricsText.Of(Readings)).Names.ToHashSet(StringComparer.Ordinal);
        using var dashboard = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SourceTree.Root, "packaging", "grafana", "colibri.json")));
        var root = dashboard.RootElement;
        var panels = root.GetProperty("panels").EnumerateArray().ToList();
        var queries = panels.SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!)
            .Concat(root.GetProperty("templating").GetProperty("list").EnumerateArray().Where(variable => variable.GetProperty("type").GetString() == "query").Select(variable => variable.GetProperty("definition").GetString()!)).ToList();

        queries.Count.ShouldBeGreaterThan(20);
        var asked = queries.SelectMany(query => Regex.Matches(query, @"\bcolibri_\w+").Select(name => name.Value)).Distinct().ToList();
        asked.Count.ShouldBeGreaterThan(15);
        asked.ShouldBeSubsetOf(names);
        panels.Select(panel => panel.GetProperty("id").GetInt32()).ShouldBeUnique();
        panels.Select(panel => panel.GetProperty("datasource").GetProperty("uid").GetString()).ShouldAllBe(uid => uid == "${datasource}");
        root.GetProperty("templating").GetProperty("list")[0].GetProperty("type").GetString().ShouldBe("datasource");
    }

    [Test]
    [Arguments("colibri_x 1\n")]
    [Arguments("# HELP colibri_x X.\n# TYPE colibri_x gauge\ncolibri_x{a=\"b\"c\"} 1\n")]
    [Arguments("# HELP colibri_x X.\n# TYPE colibri_x gauge\ncolibri_x 1\ncolibri_x 2\n")]
    [Arguments("# HELP colibri_x X.\n# TYPE colibri_x counter\ncolibri_x 1\n")]
    [Arguments("# HELP colibri_x X.\n# TYPE colibri_x gauge\ncolibri_x 1")]
    [Arguments("# HELP colibri_x X.\n# TYPE colibri_x gauge\ncolibri_y 1\n")]
    [Arguments("# HELP colibri_x X.\n# TYPE colibri_x gauge\ncolibri_x 1\n# EOF\n")]
    public void The_reader_is_strict(string text) => Should.Throw<FormatException>(() => Exposition.Parse(text));
}
