using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>The hosts, of which there is one, and the schedules, of which the daemon knows none.</summary>
internal static class HostPages
{
    public static async Task<Page> HostsAsync(PageRequest request)
    {
        var (_, status) = await request.Glass.FreshAsync(request.Cancellation).ConfigureAwait(false);
        return new Page("Hosts", "/hosts",
        [
            Part.Of("host", [Topics.Status], html =>
            {
                html.Element("p", "This daemon works alone: its board is its own, and no other host shares it.", ("class", "note"));
                if (status is not null)
                    Host(html, status);
            }),
        ]);
    }

    public static Task<Page> SchedulesAsync(PageRequest request) => Task.FromResult(new Page("Schedules", "/schedules",
    [
        Part.Of("schedules", [], html =>
        {
            html.Empty("This daemon keeps no schedules.");
            html.Open("p").Text("A task can wait for a time of its own, and cron(8) or a systemd timer can add one again and again: ").Twin("colibri add TITLE --not-before 2026-12-01T06:00:00Z").Close();
        }),
    ]));

    private static void Host(HtmlWriter html, StatusReport status)
    {
        html.Element("h2", status.Host).Open("dl", ("class", "facts"));
        html.Fact("version", status.Version).Fact("process", Words.Plain(status.Pid)).Fact("started", Words.Time(status.StartedAt)).Fact("agents", $"{Words.Number(status.Agents.Running)} of {Words.Number(status.Agents.Max)}");
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
