using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>The hosts, of which there is one, and the schedules.</summary>
internal static class HostPages
{
    public static async Task<Page> HostsAsync(PageRequest request)
    {
        var (_, status) = await request.Glass.FreshAsync(request.Cancellation).ConfigureAwait(false);
        return new Page("Hosts", "/hosts",
        [
            Part.Of("host", [Topics.Status], html =>
            {
                if (status is null)
                {
                    html.Empty("The daemon has not answered yet.");
                    return;
                }
                Table(html, [HostRow.Of(status)]);
                html.Element("p", "This daemon works alone: its board is its own, and no other host shares it.", ("class", "note"));
                Host(html, status);
            }),
        ]);
    }

    public static async Task<Page> SchedulesAsync(PageRequest request)
    {
        var list = await request.Daemon.AskAsync(new CommandRequest { Cmd = "list-schedules" }, ProtocolJson.Wire.ScheduleList, request.Cancellation).ConfigureAwait(false);
        return new Page("Schedules", "/schedules",
        [
            Part.Of("schedules", [Topics.Tasks, Topics.Status], html =>
            {
                if (list.Schedules.Count == 0)
                    html.Empty("There are no schedules.");
                else
                    Table(html, list.Schedules);
                html.Open("p").Twin("colibri schedule news --cron '0 7 * * 1-5' --zone Europe/Berlin TITLE").Close();
            }),
        ]);
    }

    private static void Table(HtmlWriter html, IReadOnlyList<Schedule> schedules)
    {
        html.OpenTable("Schedules", "cards").Head("name", "when", "next", "last", "#fired", "#skipped", "#missed", "task").Open("tbody");
        foreach (var schedule in schedules)
        {
            html.Open("tr", ("data-row", ""), ("data-attention", schedule.Problem is null ? null : "")).Cell(schedule.Name, "title", "name");
            html.Cell(schedule.Cron is { } cron ? $"{cron} {schedule.Zone}" : schedule.EveryMs is { } every ? $"every {Words.Duration(TimeSpan.FromMilliseconds(every))}" : $"at {schedule.At} {schedule.Zone}", null, "when");
            html.Open("td", ("data-label", "next")).Open("span");
            if (schedule.Paused)
                html.Badge("paused");
            else if (schedule.Over is true)
                html.Badge("over");
            else
                html.Text(schedule.NextLocal ?? "");
            if (schedule.Problem is { } problem)
                html.Open("span", ("class", "warn")).Text($" {problem}").Close();
            html.Close().Close().Open("td", ("data-label", "last")).Open("span");
            if (schedule.LastAt is { } last)
                html.When(last).Text($" {schedule.LastOutcome} ");
            if (schedule.LastTask is { } task)
                html.TaskLink(task.Number);
            html.Close().Close().Cell(Words.Number(schedule.Fired), "num", "fired").Cell(Words.Number(schedule.Skipped), "num", "skipped").Cell(Words.Number(schedule.MissedCount), "num", "missed");
            html.Cell(schedule.Task.Title ?? "", "clip", "task").Close();
        }
        html.Close().Close().Close();
    }

    private static void Table(HtmlWriter html, IReadOnlyList<HostRow> hosts)
    {
        html.OpenTable("Hosts", "cards").Head("host", "version", "since", "#agents", "queue", "disk", "#workspaces").Open("tbody");
        foreach (var host in hosts)
        {
            html.Open("tr", ("data-row", "")).Cell(host.Name, "title", "host").Cell(host.Version, null, "version").Open("td", ("data-label", "since")).When(host.Since).Close();
            html.Cell($"{Words.Number(host.Agents)} of {Words.Number(host.MaxAgents)}", "num", "agents");
            html.Open("td", ("data-label", "queue")).Open("span").Text($"{Words.Number(host.Queued)} ");
            html.Text("queued ");
            if (host.IsPaused)
                html.Badge("paused");
            html.Close().Close();
            html.Open("td", ("data-label", "disk")).Open("span");
            if (host.Disk is { } disk)
                html.Badge(disk.State).Text($" {Words.Bytes(disk.FreeBytes)} free");
            html.Close().Close().Cell(Words.Number(host.Workspaces), "num", "workspaces").Close();
        }
        html.Close().Close().Close();
    }

    private static void Host(HtmlWriter html, StatusReport status)
    {
        html.Element("h2", status.Host).Open("dl", ("class", "facts"));
        html.Fact("process", Words.Plain(status.Pid));
        html.Fact("socket", status.Paths.Socket).Fact("board", status.Paths.Db).Fact("sessions", status.Paths.Sessions).Fact("cost mode", status.Cost.Mode.ToString().ToLowerInvariant()).Close();
        if (status.Files is { Count: > 0 } files)
        {
            html.Element("h2", "Files that are not as they should be").Open("ul");
            foreach (var file in files)
                html.Open("li").Badge(file.State).Text($" {file.What} ").Element("code", file.Path).Text($": {file.Reason}").Close();
            html.Close();
        }
        if (status.Agents.Profiles is { Count: > 0 } profiles)
        {
            html.Element("h2", "Profiles").Open("ul");
            foreach (var profile in profiles)
                html.Open("li").Element("strong", profile.Name).Text($" {profile.Kind}").Text(profile.Max is { } max ? $", at most {Words.Plain(max)}" : "").Close();
            html.Close();
        }
        if (status.Workspaces is { Count: > 0 } workspaces)
        {
            html.Element("h2", "Workspaces").Open("ul");
            foreach (var workspace in workspaces)
                html.Open("li").Element("strong", workspace.Name).Text(" ").Element("code", workspace.Path).Close();
            html.Close();
        }
        html.Element("h2", "Limits that were reached").Open("dl", ("class", "facts"));
        var counters = status.Counters;
        html.Fact("connections refused", Words.Number(counters.ConnectionsRefused)).Fact("connections evicted", Words.Number(counters.ConnectionsEvicted)).Fact("requests too large", Words.Number(counters.RequestsTooLarge));
        html.Fact("events missed", Words.Number(counters.EventsMissed)).Fact("log lines dropped", Words.Number(counters.LogLinesDropped)).Fact("session entries dropped", Words.Number(counters.SessionEntriesDropped)).Close();
    }
}

/// <summary>A host as a line of the table.</summary>
internal sealed record HostRow(string Name, string Version, DateTimeOffset Since, int Agents, int MaxAgents, long Queued, bool IsPaused, StatusDisk? Disk, int Workspaces)
{
    public static HostRow Of(StatusReport status) => new(status.Host, status.Version, status.StartedAt, status.Agents.Running, status.Agents.Max, status.Tasks.Queued,
        status.Queue is { Paused.Count: > 0 }, status.Disk, status.Workspaces?.Count ?? 0);
}
