using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;
using Colibri.Web.Options;

namespace Colibri.Web.Pages;

/// <summary>What keeps tasks from starting: providers, pauses, programs that crash, the budget, the disk.</summary>
internal static class ProvidersPage
{
    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var (_, status) = await request.Glass.FreshAsync(request.Cancellation).ConfigureAwait(false);
        return new Page("Providers and holds", "/providers",
        [
            Part.Of("holds", [Topics.Status], html =>
            {
                if (status is null)
                {
                    html.Empty("The daemon has not answered yet.");
                    return;
                }
                Providers(html, status, request.Options);
                Pauses(html, status, request.Options);
                Breakers(html, status);
                Budget(html, status, request.Options);
                Disk(html, status);
                Told(html, status);
            }),
        ]);
    }

    private static void Providers(HtmlWriter html, StatusReport status, WebOptions options)
    {
        html.Element("h2", "Providers");
        if (status.Providers is not { Count: > 0 } providers)
        {
            html.Empty("No route is configured, and no provider has failed since it last answered.");
            return;
        }
        html.OpenTable("Providers", "cards").Head("provider", "model", "state", "until", "#failures", "last error", "action").Open("tbody");
        foreach (var route in providers)
        {
            html.Open("tr", ("data-row", "")).Cell(route.Provider, null, "provider").Cell(route.Model ?? "its default", null, "model").Open("td", ("data-label", "state")).Badge(route.State).Close();
            html.Open("td", ("data-label", "until"));
            if (route.Until is { } until)
                html.When(until);
            html.Close().Cell(Words.Number(route.Failures), "num", "failures").Cell(route.LastError, "clip", "last error").Open("td");
            if (route.State is not ("ready" or "trying"))
                html.Action(options, "resume-queue", [("provider", route.Provider)], "Try it again", $"colibri resume-queue --provider {ActionForms.Shell(route.Provider)}");
            html.Close().Close();
        }
        html.Close().Close().Close();
    }

    private static void Pauses(HtmlWriter html, StatusReport status, WebOptions options)
    {
        html.Element("h2", "Pauses");
        if (status.Queue is not { Paused.Count: > 0 } queue)
        {
            html.Empty("Nothing is paused.");
            html.Action(options, "pause-queue", [], "Pause the queue", "colibri pause-queue", "Runs go on, and no task starts until the queue is resumed.");
            return;
        }
        html.Open("ul", ("class", "inbox"));
        foreach (var pause in queue.Paused)
        {
            (string Name, string? Value)[] of = [("provider", pause.Provider), ("agent", pause.Agent), ("workspace", pause.Workspace)];
            var said = of.Where(pair => pair.Value is not null).Select(pair => (pair.Name, Value: pair.Value!)).ToArray();
            html.Open("li", ("class", "item"), ("data-row", "")).Open("p").Badge("paused").Text(" " + (said.Length == 0 ? "the whole queue" : string.Join(", ", said.Select(pair => $"{pair.Name} {pair.Value}"))));
            html.Text(" ").When(pause.Since).Close();
            if (pause.Reason is { } reason)
                html.Element("p", reason, ("class", "words"));
            html.Action(options, "resume-queue", said, "Resume", "colibri resume-queue" + string.Concat(said.Select(pair => $" --{pair.Name} {ActionForms.Shell(pair.Value)}")));
            html.Close();
        }
        html.Close();
    }

    private static void Breakers(HtmlWriter html, StatusReport status)
    {
        if (status.Breakers is not { Count: > 0 } breakers)
            return;
        html.Element("h2", "Programs at rest after crashes").Open("ul");
        foreach (var breaker in breakers)
            html.Open("li").Element("code", breaker.Program).Text($" crashed {Words.Count(breaker.Crashes, "time")}, until ").When(breaker.Until).Text(breaker.LastError is { } error ? $": {error}" : "").Close();
        html.Close();
    }

    private static void Budget(HtmlWriter html, StatusReport status, WebOptions options)
    {
        if (status.Budget is not { } budget)
            return;
        html.Element("h2", "Budget").Open("dl", ("class", "facts")).Fact("day", budget.Day).Fact("spent", Words.Money(budget.SpentMicrocents)).Fact("of", budget.DayMicrocents is { } day ? Words.Money(day) : "no limit of the day");
        html.Fact("for a task", budget.TaskMicrocents is { } task ? Words.Money(task) : "no limit").Fact("unpriced tokens", Words.Number(budget.UnpricedTokens)).Fact("state", budget.Held ? "held: no agent is started" : "open", budget.Held ? "warn" : null).Close();
        if (budget.Held)
            html.Action(options, "budget", [("action", "lift")], "Lift the budget for today", "colibri budget lift", "Lifting the day's budget lets agents spend more today.");
    }

    private static void Told(HtmlWriter html, StatusReport status)
    {
        html.Element("h2", "Who is told");
        if (status.Notify is not { Sinks.Count: > 0 } notify)
        {
            html.Empty("Nobody is told of what waits: there is no [notify.NAME] in colibri.toml.");
            return;
        }
        html.OpenTable("Who is told", "cards").Head("sink", "state", "#waiting", "#given up", "#delivered", "last", "last error").Open("tbody");
        foreach (var sink in notify.Sinks)
        {
            html.Open("tr").Cell(sink.Name, null, "sink").Open("td", ("data-label", "state")).Badge(sink.State).Close();
            html.Cell(Words.Number(sink.Pending), "num", "waiting").Cell(Words.Number(sink.Dead), "num", "given up").Cell(Words.Number(sink.Delivered), "num", "delivered").Open("td", ("data-label", "last"));
            if (sink.LastAt is { } at)
                html.When(at);
            html.Close().Cell(sink.LastError, "clip", "last error").Close();
        }
        html.Close().Close().Close();
    }

    private static void Disk(HtmlWriter html, StatusReport status)
    {
        if (status.Disk is not { } disk)
            return;
        html.Element("h2", "Disk").Open("p").Badge(disk.State).Text($" {Words.Bytes(disk.FreeBytes)} free at ").Element("code", disk.Path).Text($"; starts need {Words.Bytes(disk.MinFreeBytes)}").Close();
    }
}
