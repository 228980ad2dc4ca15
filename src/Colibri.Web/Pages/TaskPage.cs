using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>All of one task: how it stands, what can be done, its runs, what was said, its check, what was refused, what it cost.</summary>
internal static class TaskPage
{
    // get-task has all of so many runs.
    private const int RunsOfPage = 20;

    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var task = await request.Daemon.AskAsync(new CommandRequest { Cmd = "get-task", TaskId = request.Values[0] }, ProtocolJson.Wire.BoardTask, request.Cancellation).ConfigureAwait(false);
        var runs = await request.Daemon.AskAsync(new CommandRequest { Cmd = WireCommand.ListRuns.Name, TaskId = task.Id, Limit = RunsOfPage, Before = request.Said("runs") }, ProtocolJson.Wire.RunList, request.Cancellation).ConfigureAwait(false);
        var pane = request.Glass.PaneOfTask(task.Number);
        string[] topics = [Topics.Task(task.Number)];
        return new Page($"#{Words.Plain(task.Number)} {task.Title}", "/tasks",
        [
            Part.Of("state", topics, html => State(html, task, pane, request)),
            Part.Of("words", topics, html => Said(html, task)),
            Part.Of("runs", topics, html => Runs(html, task, runs, request)),
            Part.Of("check", topics, html => Check(html, task)),
            Part.Of("denied", topics, html => Denied(html, task.Denied)),
            Part.Of("facts", topics, html => Facts(html, task)),
        ]);
    }

    private static void State(HtmlWriter html, BoardTask task, Pane? pane, PageRequest request)
    {
        var number = Words.Plain(task.Number);
        html.Open("p", ("class", "task-state")).Badge(task.Held ? "held" : Words.Of(task.Status));
        if (task.Verdict is { } verdict)
            html.Text(" verdict ").Element("strong", verdict);
        if (pane is not null)
            html.Text(" on ").AgentLink(pane.Label ?? pane.Id).Text(" ").Badge(AgentRows.StateOf(pane)).Text($" {pane.Tool ?? ""} ").Elapsed(pane.StartedAt, null, request.Now);
        html.Close();
        if (task.Error is { } error)
            html.Open("p", ("class", "words bad")).Element("strong", $"{error.Code}: ").Text(error.Message).Close();
        foreach (var blocked in task.BlockedBy ?? [])
            html.Open("p", ("class", "words")).Element("strong", $"waits, {blocked.Code}: ").Text(blocked.Message).Close();
        if (pane?.Question is { } question)
            html.Question(request.Options, question, pane.Id, pane.Label);
        html.Open("nav", ("class", "tabs"), ("aria-label", "Of this task"));
        if (task.SessionId is not null)
            html.Element("a", "Session", ("href", $"/tasks/{number}/session"));
        if (task.Change is not null)
            html.Element("a", $"Diff ({Words.Of(task.Change.State)})", ("href", $"/tasks/{number}/diff"));
        html.Close();
        html.Open("div", ("class", "actions"));
        html.TaskActions(request.Options, task, pane);
        html.Close();
    }

    private static void Said(HtmlWriter html, BoardTask task)
    {
        if (task.Result is { } result)
        {
            html.Element("h2", "Last words").Element("pre", result.Text, ("class", "words"), ("tabindex", "0"));
            if (result.Truncated == true)
                html.Element("p", "The words were longer; the session has all of them.", ("class", "note"));
        }
        if (task.Feedback is { } feedback)
            html.Element("h2", "Feedback for the next run").Element("pre", feedback, ("class", "words"), ("tabindex", "0"));
        html.Element("h2", "What is asked for");
        if (task.Description.Length > 0)
            html.Element("pre", task.Description, ("class", "words"), ("tabindex", "0"));
        else
            html.Empty("Nothing beyond the title.");
    }

    private static void Runs(HtmlWriter html, BoardTask task, RunList list, PageRequest request)
    {
        html.Element("h2", "Runs");
        if (list.Runs.Count == 0)
        {
            html.Empty("No agent of this daemon has begun with it.");
            return;
        }
        var address = $"/tasks/{Words.Plain(task.Number)}";
        if (request.Said("runs") is not null)
            html.Open("p").Element("a", "Latest runs", ("href", address)).Close();
        html.Open("ol", ("class", "timeline"));
        foreach (var run in list.Runs)
            Run(html, run, task.Runs?.FirstOrDefault(known => known.AgentId == run.AgentId && known.StartedAt == run.StartedAt), request.Now);
        html.Close();
        if (list.Next is { } next)
            html.Open("p").Element("a", "Earlier runs", ("href", $"{address}?runs={Uri.EscapeDataString(next)}"), ("rel", "next")).Close();
    }

    /// <summary>A run, and more of it where it is one of the latest.</summary>
    private static void Run(HtmlWriter html, RunSummary run, TaskRun? more, DateTimeOffset now)
    {
        html.Open("li").Open("p", ("class", "item-head")).Element("strong", $"attempt {Words.Plain(run.Attempt)} ").AgentLink(run.Label ?? run.AgentId);
        html.Text(" ").Badge(run.EndedAt is null ? "running" : run.Verdict ?? "ended").Text(" ").When(run.StartedAt).Text(", ").Elapsed(run.StartedAt, run.EndedAt, now);
        html.Text($", {Words.Money(run.Usage.CostMicrocents)}");
        if (run.Resumed == true)
            html.Text(", went on in its earlier session");
        html.Close();
        if (run.Error is { } error)
            html.Open("p", ("class", "words bad")).Element("strong", $"{error.Code}: ").Text(error.Message).Close();
        Denied(html, run.Denied, isSmall: true);
        html.Open("details", ("id", $"run-{run.Id}")).Element("summary", "More of this run").Open("dl", ("class", "facts"));
        html.Fact("profile", run.Profile).Fact("kind", run.Runtime).Fact("access", more?.Access).Fact("provider", run.Provider).Fact("model", run.Model).Fact("program", more?.Binary).Fact("version", run.Version);
        html.Fact("directory", more?.Cwd).Fact("process", more?.Pid is { } pid ? Words.Plain(pid) : null).Fact("end", run.Exit is { } exit ? Words.End(exit) : null);
        html.Fact("own session", more?.HarnessSessionId).Fact("trace", run.TraceId).Fact("command line", more?.CommandLine).UsageFacts(run.Usage).Close();
        if (more?.Result is { } result)
            html.Element("h3", "Its last words").Element("pre", result.Text, ("class", "words"), ("tabindex", "0"));
        if (more?.StderrTail is { Length: > 0 } talk)
            html.Element("h3", "Standard error, its end").Element("pre", talk, ("class", "log"), ("tabindex", "0"));
        html.Close().Close();
    }

    private static void Check(HtmlWriter html, BoardTask task)
    {
        if (task.Check is not { } check)
            return;
        html.Element("h2", "Check").Open("p").Element("code", check.Command);
        if (check.Exit is { } exit)
            html.Text(" ").Badge(exit.Code == 0 ? "ok" : "failed").Text($" {Words.End(exit)}");
        else
            html.Text(" has not been run");
        if (check.DurationMs is { } duration)
            html.Text($", {Words.Elapsed(TimeSpan.FromMilliseconds(duration))}");
        html.Close();
        if (check.OutputTail is { Length: > 0 } output)
            html.Element("pre", output, ("class", "log"), ("tabindex", "0"));
    }

    private static void Denied(HtmlWriter html, IReadOnlyList<DeniedTool>? denied, bool isSmall = false)
    {
        if (denied is not { Count: > 0 })
            return;
        html.Element(isSmall ? "h3" : "h2", "Refused calls").Open("ul");
        foreach (var tool in denied)
            html.Open("li").Element("code", tool.Tool).Text($" {Words.Count(tool.Count, "time")}").Text(tool.Reason is { } reason ? $": {reason}" : "").Close();
        html.Close();
    }

    private static void Facts(HtmlWriter html, BoardTask task)
    {
        html.Element("h2", "Cost").Open("dl", ("class", "facts")).UsageFacts(task.Usage).Fact("cache hits", Words.Percent(task.Usage.HitRate));
        html.Fact("budget", task.BudgetMicrocents is { } budget ? Words.Money(budget) : null).Close();
        html.Element("h2", "Facts").Open("dl", ("class", "facts"));
        html.Fact("id", task.Id).Fact("priority", Words.Plain(task.Priority)).Fact("attempts", $"{Words.Plain(task.Attempts)} of {Words.Plain(task.MaxAttempts)}");
        html.Fact("agent", task.Agent).Fact("model", task.Model).Fact("workspace", task.Workspace).Fact("directory", task.Cwd).Fact("group", task.Group).Fact("tenant", task.Tenant);
        html.Fact("tags", Listed(task.Tags)).Fact("capabilities", Listed(task.Capabilities)).Fact("after", Listed(task.After)).Fact("session", task.SessionId);
        html.Fact("created", Words.Moment(task.CreatedAt)).Fact("started", task.StartedAt is { } started ? Words.Moment(started) : null).Fact("finished", task.FinishedAt is { } finished ? Words.Moment(finished) : null);
        html.Fact("interruptions", task.Interruptions > 0 ? Words.Plain(task.Interruptions) : null).Fact("reworks", task.Reworks is { } reworks ? Words.Plain(reworks) : null);
        html.Close();
    }

    private static string? Listed(IReadOnlyList<string> words) => words.Count > 0 ? string.Join(", ", words) : null;
}
