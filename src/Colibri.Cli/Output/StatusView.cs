using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>The daemon at a glance.</summary>
internal static class StatusView
{
    private const int LabelWidth = 11;
    private const int CommitDigits = 8;

    /// <param name="screen">Where to.</param>
    /// <param name="status">The daemon's answer.</param>
    /// <param name="client">This program's version: after an upgrade the daemon may still be the old one.</param>
    public static void Write(Screen screen, StatusReport status, string client)
    {
        void Field(string label, string? value, Tone tone = Tone.Plain)
        {
            if (!string.IsNullOrEmpty(value))
                screen.Field(label, Words.Plain(value), LabelWidth, tone);
        }

        Field("daemon", $"colibri-daemon {Build(status.Version)}, pid {status.Pid}");
        if (status.Version != client)
            Field("", $"this client is {Build(client)}: restart the daemon after an upgrade", Tone.Attention);
        Field("host", status.Host);
        Field("up", $"{Words.Duration(TimeSpan.FromMilliseconds(status.UptimeMs))}, since {Words.Time(status.StartedAt)}");
        Field("socket", status.Paths.Socket);
        Field("db", status.Paths.Db);
        Field("sessions", status.Paths.Sessions);
        Field("log", status.Paths.Log);
        foreach (var file in status.Files ?? [])
            Field("", $"{file.What} is {file.State}: {file.Reason}", Tone.Bad);
        if (status.Disk is { } disk)
            Field("disk", Disk(disk) + (disk.State == StatusDisk.Low ? ": no agent is started" : ""), disk.State == StatusDisk.Low ? Tone.Bad : Tone.Plain);
        Field("mode", Mode(status.Cost));
        Field("", Escalation(status.Cost), Tone.Attention);
        Field("scheduler", Scheduler(status.Scheduler));
        if (status.Scheduler.MissingAgent is { } missing)
            Field("", status.Scheduler.MissingReason is { } reason ? $"its agent cannot be executed, {reason}: tasks wait" : $"its agent {missing} is not installed: tasks wait", Tone.Attention);
        if (status.Scheduler.Unmatched > 0)
            Field("", $"{Words.Count(status.Scheduler.Unmatched, "queued task")} no configured agent can take", Tone.Attention);
        foreach (var pause in status.Queue?.Paused ?? [])
            Field("paused", QueueView.Line(pause), Tone.Attention);
        if (status.Schedules is { } schedules)
            Field("schedules", ScheduleView.Glance(schedules, screen.Now), schedules.Problems > 0 ? Tone.Attention : Tone.Plain);
        Field("tasks", Tasks(status.Tasks));
        foreach (var group in status.Groups ?? [])
        {
            Field(
                group == status.Groups![0] ? "groups" : "",
                $"{group.Name}: {Words.Number(group.Running)} of {Words.Number(group.Limit)} running, {Words.Number(group.Queued)} queued",
                group.Running >= group.Limit && group.Queued > 0 ? Tone.Attention : Tone.Plain);
        }
        Field("agents", $"{status.Agents.Running} of {status.Agents.Max} running, {Words.Count(status.Panes, "pane")}");
        foreach (var agent in status.Agents.List)
            Agent(screen, agent);
        if (status.Cgroup is { } cgroup)
            Field("cgroups", (cgroup.Parent is null ? "none" : $"below {cgroup.Parent}") + (cgroup.Reason is null ? "" : $": {cgroup.Reason}"));
        Field("cache", Cache(status.Cache));
        if (status.Budget is { } budget)
        {
            var label = "budget";
            foreach (var line in CostView.Budget(budget))
            {
                Field(label, line, budget.Held ? Tone.Attention : Tone.Plain);
                label = "";
            }
        }
        if (status.Prompt is { } prompt)
            Field("prompt", $"prefix of {Words.Bytes(prompt.PrefixBytes)}, SHA-256 {prompt.PrefixSha256}");
        foreach (var breaker in status.Breakers ?? [])
            Field("breaker", $"{breaker.Program} crashed {Words.Count(breaker.Crashes, "time")}, rests until {Words.Time(breaker.Until)}: {breaker.LastError}", Tone.Attention);
        if (status.Autospawn is { } resident)
            Field("autospawn", $"{resident.Binary}: {resident.State}" + (resident.AgentId is { } residentId ? $", agent {residentId}" : ""));
        if (status.Leftovers is { } left)
            Field("leftovers", $"{Words.Count(left.Runs, "run")} of an earlier daemon not closed yet, tasks held: {left.Reason ?? "processes survive"}", Tone.Attention);
        foreach (var sink in status.Notify?.Sinks ?? [])
            Field(sink == status.Notify!.Sinks[0] ? "told" : "", $"{sink.Name}: {sink.State}, {Words.Number(sink.Delivered)} told{(sink.Pending > 0 ? $", {Words.Number(sink.Pending)} pending" : "")}{(sink.Dead > 0 ? $", {Words.Number(sink.Dead)} given up: colibri notify retry" : "")}", sink.State is "ready" or "quiet" ? Tone.Plain : Tone.Attention);
        foreach (var route in status.Providers ?? [])
        {
            var until = route.Until is { } at ? $" until {Words.Time(at)}" : "";
            var name = route.Model is null ? route.Provider : $"{route.Provider}:{route.Model}";
            var failures = route is { Failures: > 0, State: not "ready" } ? $", {Words.Count(route.Failures, "failure")} in a row" : "";
            Field(route == status.Providers![0] ? "providers" : "", $"{name}: {route.State}{until}{failures}", route.State == "ready" ? Tone.Plain : Tone.Attention);
            Field("", route.LastError, Tone.Attention);
        }
        Field("headroom", Headroom(status.Headroom));
        if (status.Headroom is { Requests: > 0 } used)
            Field("", $"{Words.Number(used.Shortened)} of {Words.Count(used.Requests, "tool result")} shortened, {Words.Bytes(used.BytesSaved)} saved");
        Field("", status.Headroom.LastError, Tone.Attention);
        Field("limits hit", Limits(status.Counters), Tone.Attention);
    }

    /// <summary>The cost mode with the limits that follow from it, on one line.</summary>
    public static string Mode(CostState cost) =>
        $"{Words.Of(cost.Mode)}: {Words.Bytes(cost.SessionMaxBytes)} and {Words.Count(cost.MaxUncompactedTurns, "turn")} a session, "
        + (cost.ToolResultMaxBytes is { } bytes ? $"{Words.Bytes(bytes)} a tool result" : "tool results unlimited");

    /// <summary>What a file system has free, and what starts need.</summary>
    public static string Disk(StatusDisk disk) =>
        $"{Words.Bytes(disk.FreeBytes)} free on the file system of {disk.Path}, starts need {Words.Bytes(disk.MinFreeBytes)}"
        + (disk.State == StatusDisk.Low ? " and go on at a tenth more" : "");

    /// <summary>Which session raised the mode, from what and when; null if the mode was not raised.</summary>
    public static string? Escalation(CostState cost)
    {
        if (cost.EscalatedFrom is not { } from)
            return null;
        var when = cost.EscalatedAt is { } at ? $" at {Words.Time(at)}" : "";
        return $"escalated from {Words.Of(from)}{when}" + (cost.EscalatedBy is { } by ? $" by {by}" : "");
    }

    private static string Scheduler(StatusScheduler scheduler)
    {
        var last = scheduler.LastTickAt is { } at ? $", the last at {Words.Time(at)}" : "";
        return $"every {Words.Duration(TimeSpan.FromMilliseconds(scheduler.IntervalMs))}, {Words.Count(scheduler.Ticks, "tick")}{last}";
    }

    private static string Tasks(StatusTasks tasks) =>
        $"{Words.Number(tasks.Queued)} queued, {Words.Number(tasks.Claimed)} claimed, {Words.Number(tasks.Started)} started, "
        + $"{Words.Number(tasks.Done)} done, {Words.Number(tasks.Failed)} failed, {Words.Number(tasks.Cancelled)} cancelled";

    private static void Agent(Screen screen, StatusAgent agent)
    {
        var who = $"{agent.Label ?? agent.Id}  {agent.Agent}  {Words.Of(agent.Activity)}";
        screen.Line("  " + screen.Paint(Words.Plain(who), AgentView.ToneOf(agent.Activity)));
        if ((agent.TaskNumber?.ToString(CultureInfo.InvariantCulture) ?? agent.TaskId) is { } task)
            screen.Line($"    on task {Words.Plain(task)}");
    }

    private static string Cache(StatusCache cache) => cache.InputTokens == 0
        ? "no tokens sent yet"
        : $"{(cache.HitRate * 100).ToString("0.#", CultureInfo.InvariantCulture)} % of {Words.Number(cache.InputTokens)} tokens sent came from it";

    private static string Headroom(StatusHeadroom headroom) => headroom switch
    {
        { Enabled: false } => "off",
        { Connected: true } => $"connected to {headroom.Socket}",
        _ => $"not connected to {headroom.Socket ?? "(no socket set)"}",
    };

    private static string Limits(StatusCounters counters)
    {
        (long Number, string What)[] hit =
        [
            (counters.ConnectionsRefused, "connections refused"), (counters.ConnectionsEvicted, "idle connections closed"), (counters.RequestsTooLarge, "requests too large"),
            (counters.EventsMissed, "events missed"), (counters.PanesEvicted, "panes evicted"),
            (counters.LogLinesDropped, "log lines dropped"), (counters.SessionEntriesDropped, "session entries dropped"),
            (counters.BoardQueueFull, "board queue full"),
        ];
        return string.Join(", ", hit.Where(h => h.Number > 0).Select(h => $"{h.What} {Words.Number(h.Number)}"));
    }

    // As much of the commit as git shows to a person; --json has all of it.
    private static string Build(string version) =>
        version.IndexOf('+', StringComparison.Ordinal) is >= 0 and var plus && plus + 1 + CommitDigits < version.Length
            ? version[..(plus + 1 + CommitDigits)]
            : version;
}
