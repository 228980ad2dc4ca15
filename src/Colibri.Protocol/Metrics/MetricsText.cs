using System.Globalization;
using System.Text;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Metrics;

/// <summary>
/// A daemon as metrics for Prometheus: the text format 0.0.4, or OpenMetrics 1.0. Labels are words of the protocol and names of the configuration, never an
/// id. Names carry their unit, and counters end in <c>_total</c>.
/// </summary>
public sealed class MetricsText
{
    /// <summary>The content type of the text format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The content type of OpenMetrics.</summary>
    public const string OpenMetricsContentType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// <summary>Longest value of a label, in UTF-16 code units: a name of the protocol.</summary>
    public const int LongestLabel = 256;

    private const decimal MicrocentsPerDollar = 100_000_000m;
    private const string Prefix = "colibri_";

    private readonly StringBuilder _text = new();
    private readonly bool _isOpen;

    private MetricsText(bool isOpen) => _isOpen = isOpen;

    /// <summary>The whole exposition, its last line ended.</summary>
    public static string Of(MetricsReadings readings, bool openMetrics = false)
    {
        ArgumentNullException.ThrowIfNull(readings);
        var text = new MetricsText(openMetrics);
        text.Daemon(readings.Status);
        text.Tasks(readings.Status, readings.Totals);
        text.Agents(readings.Status, readings.Snapshot);
        text.Runs(readings.Totals);
        text.Usage(readings.Totals);
        text.Money(readings.Status);
        text.Storage(readings.Status, readings.Totals);
        text.Notices(readings.Status);
        text.Counters(readings.Status);
        if (openMetrics)
            text._text.Append("# EOF\n");
        return text._text.ToString();
    }

    private void Daemon(StatusReport status)
    {
        if (_isOpen)
            Family("build", "info", "The version of the daemon.");
        else
            Family("build_info", "gauge", "The version of the daemon.");
        Sample("build_info", 1, ("version", status.Version));
        Gauge("start_time_seconds", "When the daemon started, since the epoch.", status.StartedAt.ToUnixTimeMilliseconds() / 1000m);
        Gauge("files_wrong", "The daemon's own files that are gone, replaced or refused.", status.Files?.Count ?? 0);
        Gauge("leftover_runs", "Runs of an earlier daemon that are not closed yet.", status.Leftovers?.Runs ?? 0);
        Gauge("programs_resting", "Programs that crashed over and over and are not started for a while.", status.Breakers?.Count ?? 0);
        Family("provider_state", "gauge", "The state that each route and each held provider is in: 1.");
        var seen = new HashSet<(string, string)>();
        foreach (var route in status.Providers ?? [])
        {
            // Two routes may differ in what no label says.
            if (seen.Add((Cut(route.Provider), Cut(route.Model ?? ""))))
                Sample("provider_state", 1, ("provider", route.Provider), ("model", route.Model ?? ""), ("state", route.State));
        }
    }

    private void Tasks(StatusReport status, MetricsReport totals)
    {
        Family("tasks", "gauge", "Tasks on the board, by state.");
        foreach (var (state, count) in (ReadOnlySpan<(string, long)>)
            [
                ("queued", status.Tasks.Queued), ("claimed", status.Tasks.Claimed), ("started", status.Tasks.Started),
                ("done", status.Tasks.Done), ("failed", status.Tasks.Failed), ("cancelled", status.Tasks.Cancelled),
            ])
            Sample("tasks", count, ("state", state));
        Gauge("tasks_held", "Queued tasks that wait for their release.", totals.TasksHeld);
        Gauge("tasks_unmatched", "Queued tasks that no configured agent can take.", status.Scheduler.Unmatched);
        Family("queue_waiting_tasks", "gauge", "Queued tasks by the first reason why they wait, of the first 1,000; none for those that are next.");
        foreach (var wait in totals.Waits)
            Sample("queue_waiting_tasks", wait.Tasks, ("code", wait.Code));
        Gauge("queue_pauses", "What operators have paused.", status.Queue?.Paused.Count ?? 0);
        Counter("scheduler_ticks", "Ticks of the scheduler since the daemon started.", status.Scheduler.Ticks);
    }

    private void Agents(StatusReport status, Snapshot snapshot)
    {
        var living = snapshot.Panes.Where(pane => pane.Lifecycle != Lifecycle.Stopped).ToList();
        Family("agents", "gauge", "Living agents, by what they do and their kind.");
        foreach (var ((activity, runtime), count) in living.CountBy(pane => (Activity: Word(pane.Activity), pane.Runtime)).OrderBy(agents => agents.Key))
            Sample("agents", count, ("activity", activity), ("runtime", runtime));
        Gauge("agents_max", "The most agents at once.", status.Agents.Max);
        Gauge("agents_needing_attention", "Living agents that wait for a person, are in error, or are stalled.", living.Count(pane => pane.NeedsAttention));
        Gauge("agents_stalled", "Living agents without a sign of work for long.", living.Count(pane => pane.Stalled));
    }

    private void Runs(MetricsReport totals)
    {
        Gauge("runs_open", "Runs that are under way.", totals.RunsOpen);
        Family("runs_ended", "counter", "Runs that have ended since the board was made, by profile and verdict.");
        foreach (var run in totals.Runs)
            Sample(Total("runs_ended"), run.Runs, ("profile", run.Profile), ("verdict", run.Verdict));
        Family("run_duration_seconds", "counter", "How long those runs took together.");
        foreach (var run in totals.Runs)
            Sample(Total("run_duration_seconds"), run.DurationMs / 1000m, ("profile", run.Profile), ("verdict", run.Verdict));
    }

    private void Usage(MetricsReport totals)
    {
        Family("tokens", "counter", "Tokens since the board was made: input is what no cache held.");
        foreach (var line in totals.Usage)
        {
            foreach (var (type, count) in (ReadOnlySpan<(string, long)>)
                [
                    ("input", line.Usage.InputTokens), ("output", line.Usage.OutputTokens),
                    ("cache_read", line.Usage.CacheReadTokens), ("cache_write", line.Usage.CacheWriteTokens),
                ])
                Sample(Total("tokens"), count, ("provider", line.Provider), ("model", line.Model), ("profile", line.Profile), ("type", type));
        }
        Of("unpriced_tokens", "Of the tokens, those whose cost is not known.", totals, line => line.Usage.UnpricedTokens);
        Of("requests", "Requests that were answered or billed.", totals, line => line.Requests);
        Of("cost_dollars", "What the tokens cost whose cost is known, in US dollars.", totals, line => line.Usage.CostMicrocents / MicrocentsPerDollar);
    }

    private void Money(StatusReport status)
    {
        if (status.Budget is not { } budget)
            return;
        Gauge("budget_day_spent_dollars", "What was spent on this day in UTC, in US dollars.", budget.SpentMicrocents / MicrocentsPerDollar);
        if (budget.DayMicrocents is { } day)
            Gauge("budget_day_dollars", "The day's budget, in US dollars.", day / MicrocentsPerDollar);
        Gauge("budget_held", "Whether the day's budget is used up and no agent is started.", budget.Held ? 1 : 0);
    }

    private void Storage(StatusReport status, MetricsReport totals)
    {
        if (status.Disk is { } disk)
        {
            Gauge("disk_free_bytes", "What is free on the worst of the daemon's file systems.", disk.FreeBytes);
            Gauge("disk_min_free_bytes", "What must be free there for agents to be started.", disk.MinFreeBytes);
            Gauge("disk_low", "Whether so little is free that no agent is started.", disk.State == StatusDisk.Low ? 1 : 0);
        }
        Gauge("sessions", "Sessions on the disk.", totals.Sessions.Count);
        Gauge("sessions_bytes", "What they take, all generations included.", totals.Sessions.Bytes);
    }

    private void Notices(StatusReport status)
    {
        var sinks = status.Notify?.Sinks ?? [];
        Family("sink_state", "gauge", "The state that each sink of notices is in: 1.");
        foreach (var sink in sinks)
            Sample("sink_state", 1, ("sink", sink.Name), ("state", sink.State));
        Family("sink_pending_notices", "gauge", "Notices that a sink is still to be told.");
        foreach (var sink in sinks)
            Sample("sink_pending_notices", sink.Pending, ("sink", sink.Name));
        Family("sink_dead_notices", "gauge", "Notices that a sink could not be told.");
        foreach (var sink in sinks)
            Sample("sink_dead_notices", sink.Dead, ("sink", sink.Name));
        Family("sink_delivered_notices", "counter", "Notices that a sink was told.");
        foreach (var sink in sinks)
            Sample(Total("sink_delivered_notices"), sink.Delivered, ("sink", sink.Name));
    }

    private void Counters(StatusReport status)
    {
        var counters = status.Counters;
        Counter("connections", "Connections of clients since the daemon started.", counters.Connections);
        Counter("connections_refused", "Connections that were refused.", counters.ConnectionsRefused);
        Counter("connections_evicted", "Idle connections that were closed for new ones.", counters.ConnectionsEvicted);
        Counter("requests_too_large", "Request lines beyond the limit.", counters.RequestsTooLarge);
        Counter("events_missed", "Events that slow subscribers missed.", counters.EventsMissed);
        Counter("panes_evicted", "Panes of stopped agents that were forgotten.", counters.PanesEvicted);
        Counter("log_lines_dropped", "Lines of the daemon's log that were dropped.", counters.LogLinesDropped);
        Counter("session_entries_dropped", "Entries that sessions lack.", counters.SessionEntriesDropped);
        Counter("board_queue_full", "Writes that found the board's queue full.", counters.BoardQueueFull);
        Counter("headroom_requests", "Texts handed to the sidecar that shortens them.", status.Headroom.Requests);
        Counter("headroom_saved_bytes", "What it saved.", status.Headroom.BytesSaved);
    }

    private void Of(string name, string help, MetricsReport totals, Func<UsageTotal, decimal> value)
    {
        Family(name, "counter", help);
        foreach (var line in totals.Usage)
            Sample(Total(name), value(line), ("provider", line.Provider), ("model", line.Model), ("profile", line.Profile));
    }

    private void Gauge(string name, string help, decimal value)
    {
        Family(name, "gauge", help);
        Sample(name, value);
    }

    private void Counter(string name, string help, decimal value)
    {
        Family(name, "counter", help);
        Sample(Total(name), value);
    }

    private static string Total(string name) => name + "_total";

    // In the text format a counter's family has the name of its samples; in OpenMetrics it is without the ending.
    private void Family(string name, string type, string help)
    {
        var family = Prefix + (type == "counter" && !_isOpen ? Total(name) : name);
        _text.Append("# HELP ").Append(family).Append(' ').Append(help).Append('\n');
        _text.Append("# TYPE ").Append(family).Append(' ').Append(type).Append('\n');
    }

    private void Sample(string name, decimal value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(Prefix).Append(name);
        for (var i = 0; i < labels.Length; i++)
        {
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            Escape(Cut(labels[i].Value));
            _text.Append('"');
        }
        if (labels.Length > 0)
            _text.Append('}');
        _text.Append(' ').Append(value.ToString("0.#########", CultureInfo.InvariantCulture)).Append('\n');
    }

    private void Escape(string value)
    {
        foreach (var letter in value)
        {
            _ = letter switch
            {
                '\\' => _text.Append(@"\\"),
                '"' => _text.Append("\\\""),
                '\n' => _text.Append("\\n"),
                // A parser of lines may take any of these for an end of one.
                _ when char.IsControl(letter) || letter is '\u2028' or '\u2029' => _text.Append('\uFFFD'),
                _ => _text.Append(letter),
            };
        }
    }

    private static string Cut(string value) => value.Length <= LongestLabel ? value
        : value[..(char.IsHighSurrogate(value[LongestLabel - 1]) ? LongestLabel - 1 : LongestLabel)];

    private static string Word(Activity activity) => activity switch
    {
        Activity.Idle => "idle",
        Activity.Working => "working",
        Activity.Blocked => "blocked",
        Activity.Done => "done",
        _ => "error",
    };
}
