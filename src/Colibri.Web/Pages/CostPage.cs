using System.Globalization;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Api;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>What was spent: charts by day, and tables by task, provider and day. Everything in a chart stands in a table too.</summary>
internal static class CostPage
{
    private const int MostLines = 30;

    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var days = await AskAsync(request, "day").ConfigureAwait(false);
        var both = await request.Daemon.AskAsync(new CommandRequest { Cmd = "cost", By = "day-profile", Limit = Charts.MostLines }, ProtocolJson.Wire.CostSummary, request.Cancellation).ConfigureAwait(false);
        var tasks = await AskAsync(request, "task").ConfigureAwait(false);
        var profiles = await AskAsync(request, "profile").ConfigureAwait(false);
        var providers = await AskAsync(request, "provider").ConfigureAwait(false);
        return new Page("Cost", "/cost",
        [
            Part.Of("total", [Topics.Status], html =>
            {
                html.Open("dl", ("class", "facts")).Fact("requests", Words.Number(days.Total.Requests)).UsageFacts(days.Total.Usage).Fact("cache hits", Words.Percent(days.Total.HitRate)).Close();
                html.Open("p").Twin("colibri cost").Close();
            }),
            Part.Of("charts", [], html =>
            {
                Chart(html, "Cost by day and profile", "/charts/cost.json", "money");
                Chart(html, "Agents over time", "/charts/agents.json", "count");
            }),
            Part.Of("both", [Topics.Status], html => Days(html, CostOfDays.Of(both.Lines))),
            Part.Of("days", [Topics.Status], html => Table(html, "By day", days, line => line.Day)),
            Part.Of("profiles", [Topics.Status], html => Table(html, "By profile", profiles, line => line.Profile)),
            Part.Of("tasks", [Topics.Status], html => Table(html, "By task", tasks, null)),
            Part.Of("providers", [Topics.Status], html => Table(html, "By provider and model", providers, line => $"{line.Provider} {line.Model}")),
        ])
        { HasCharts = true };
    }

    private static Task<CostSummary> AskAsync(PageRequest request, string by) =>
        request.Daemon.AskAsync(new CommandRequest { Cmd = "cost", By = by, Limit = MostLines }, ProtocolJson.Wire.CostSummary, request.Cancellation);

    private static void Chart(HtmlWriter html, string title, string data, string unit) =>
        html.Open("figure").Element("figcaption", title).Open("div", ("class", "chart"), ("data-chart", data), ("data-unit", unit), ("role", "img"), ("aria-label", $"Chart: {title}")).Close()
            .Open("noscript").Element("p", "The chart is drawn by a script. The tables below have its numbers.").Close().Close();

    /// <summary>What the chart shows, to read: the latest days first, a column a profile.</summary>
    private static void Days(HtmlWriter html, CostOfDays cost)
    {
        if (cost.Days.Count == 0)
            return;
        html.Element("h2", "By day and profile");
        html.OpenTable("By day and profile").Head(["day", .. cost.Profiles.Select(profile => $"#{profile.Name}"), "#together"]).Open("tbody");
        for (var i = cost.Days.Count - 1; i >= Math.Max(0, cost.Days.Count - MostLines); i--)
        {
            html.Open("tr", ("data-row", "")).Element("th", cost.Days[i].ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), ("scope", "row"), ("class", "day"));
            foreach (var profile in cost.Profiles)
                html.Cell(profile.Microcents[i] == 0 ? "" : Words.Money(profile.Microcents[i]), "num");
            html.Cell(Words.Money(cost.Profiles.Sum(profile => profile.Microcents[i])), "num").Close();
        }
        html.Close().Close().Close();
    }

    private static void Table(HtmlWriter html, string title, CostSummary cost, Func<CostLine, string?>? name)
    {
        html.Element("h2", title);
        if (cost.Lines.Count == 0)
        {
            html.Empty("Nothing was spent yet.");
            return;
        }
        html.OpenTable(title, "cards").Head("of", "#cost", "#requests", "#input", "#output", "#cache read", "#cache hits", "#unpriced").Open("tbody");
        foreach (var line in cost.Lines)
        {
            html.Open("tr", ("data-row", "")).Open("td", ("class", "title"));
            if (name is not null)
                html.Text(name(line));
            else if (line.TaskNumber is { } number)
                html.TaskLink(number, line.Title, row: true);
            else
                html.Text(line.TaskId is null ? "without a task" : "a task that is deleted");
            html.Close().Cell(Words.Money(line.Usage.CostMicrocents), "num", "cost").Cell(Words.Number(line.Requests), "num", "requests").Cell(Words.Number(line.Usage.InputTokens), "num", "input");
            html.Cell(Words.Number(line.Usage.OutputTokens), "num", "output").Cell(Words.Number(line.Usage.CacheReadTokens), "num", "cache read").Cell(Words.Percent(line.HitRate), "num", "cache hits");
            html.Cell(Words.Number(line.Usage.UnpricedTokens), "num", "unpriced").Close();
        }
        html.Close().Close().Close();
        if (cost.More == true)
            html.Element("p", $"Only {Words.Plain(MostLines)} lines are here; the rest counts in the total.", ("class", "note"));
    }
}
