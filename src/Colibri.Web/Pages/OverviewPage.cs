using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>All at a glance: what waits for a person, what runs, what it costs, what was done last.</summary>
internal static class OverviewPage
{
    private const int MostItems = 10;
    private const int MostAgents = 50;
    private const int LatestTasks = 10;

    public static async Task<Page> BuildAsync(PageRequest request)
    {
        // Agents change all the time, and need neither.
        var (inbox, status) = request.Wants("numbers", "inbox") ? await request.Glass.FreshAsync(request.Cancellation).ConfigureAwait(false) : default;
        var tasks = request.Wants("tasks") ? await request.Daemon.AskAsync(new CommandRequest { Cmd = "list-tasks", Order = "newest", Limit = LatestTasks }, ProtocolJson.Wire.TaskList, request.Cancellation).ConfigureAwait(false) : new TaskList([]);
        return new Page("Overview", "/",
        [
            Part.Of("numbers", [Topics.Status], html => Numbers(html, status)),
            Part.Of("inbox", [Topics.Inbox], html =>
            {
                html.Element("h2", "Waits for you");
                html.Inbox(inbox, request.Options, MostItems);
            }),
            Part.Of("agents", [Topics.Panes], html =>
            {
                html.Element("h2", "Agents");
                html.Agents([.. request.Glass.Panes().Where(pane => pane.Lifecycle != Lifecycle.Stopped)], MostAgents, request.Now);
            }),
            Part.Of("tasks", [Topics.Tasks], html =>
            {
                html.Element("h2", "Latest tasks");
                html.Tasks(tasks.Tasks, request.Now);
                html.Open("p").Element("a", "All tasks", ("href", "/tasks")).Close();
            }),
        ]);
    }

    private static void Numbers(HtmlWriter html, StatusReport? status)
    {
        if (status is null)
            return;
        html.Open("ul", ("class", "numbers"), ("aria-label", "Numbers"));
        Number(html, "queued", Words.Number(status.Tasks.Queued), "/tasks?status=queued");
        Number(html, "running", Words.Number(status.Tasks.Started + status.Tasks.Claimed), "/tasks?status=started");
        Number(html, "done", Words.Number(status.Tasks.Done), "/tasks?status=done");
        Number(html, "failed", Words.Number(status.Tasks.Failed), "/tasks?status=failed");
        Number(html, "agents", $"{Words.Number(status.Agents.Running)} of {Words.Number(status.Agents.Max)}", "/agents");
        if (status.Budget is { } budget)
            Number(html, budget.DayMicrocents is { } day ? $"today, of {Words.Money(day)}" : "today", Words.Money(budget.SpentMicrocents), "/cost");
        if (status.Queue?.Paused.Count > 0)
            Number(html, "paused", Words.Number(status.Queue.Paused.Count), "/providers");
        html.Close();
    }

    private static void Number(HtmlWriter html, string name, string value, string href) =>
        html.Open("li").Open("a", ("href", href)).Element("span", value, ("class", "big")).Text(" ").Element("span", name).Close().Close();
}
