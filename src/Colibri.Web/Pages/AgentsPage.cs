using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>The agents, and one of them.</summary>
internal static class AgentsPage
{
    private const int MostAgents = 200;

    public static Task<Page> BuildAsync(PageRequest request)
    {
        var panes = request.Glass.Panes();
        var filter = request.Said("q");
        if (filter is not null)
            panes = [.. panes.Where(pane => Matches(pane, filter))];
        return Task.FromResult(new Page("Agents", "/agents",
        [
            Part.Of("filter", [], html => html.Open("form", ("class", "filters"), ("method", "get"), ("action", "/agents"), ("role", "search"), ("aria-label", "Filter agents"))
                .Open("span", ("class", "field")).Element("label", "Label, program, state, tool or task", ("for", "q")).Open("input", ("id", "q"), ("name", "q"), ("value", filter), ("data-filter", ""), ("autocomplete", "off")).Close()
                .Element("button", "Filter", ("type", "submit")).Element("a", "Clear", ("href", "/agents")).Close()),
            Part.Of("agents", [Topics.Panes], html =>
            {
                var living = panes.Where(pane => pane.Lifecycle != Lifecycle.Stopped).ToList();
                html.Element("h2", $"Living ({Words.Number(living.Count)})");
                html.Agents(living, MostAgents, request.Now);
            }),
            Part.Of("stopped", [Topics.Status], html =>
            {
                var stopped = panes.Where(pane => pane.Lifecycle == Lifecycle.Stopped).ToList();
                if (stopped.Count == 0)
                    return;
                html.Element("h2", $"Stopped lately ({Words.Number(stopped.Count)})");
                html.Agents(stopped, MostAgents, request.Now);
            }),
        ]));
    }

    /// <exception cref="RefusedException">There is no such agent.</exception>
    public static Task<Page> BuildOneAsync(PageRequest request)
    {
        var name = request.Values[0];
        var pane = request.Glass.Pane(name) ?? throw new RefusedException(new WireError("not-found", $"no agent {name} lives, nor is it among the 256 that stopped last"));
        return Task.FromResult(new Page($"Agent {pane.Label ?? pane.Id}", "/agents",
        [
            Part.Of("pane", [Topics.Agent(pane.Label ?? pane.Id)], html => Facts(html, pane, request)),
        ]));
    }

    private static void Facts(HtmlWriter html, Pane pane, PageRequest request)
    {
        html.Open("p").Badge(AgentRows.StateOf(pane)).Text($" {pane.Agent} ");
        if (pane.Stalled)
            html.Badge("stalled");
        if (pane.TaskNumber is { } number)
            html.Text(" on ").TaskLink(number);
        html.Close();
        if (pane.Question is { } question)
            html.Question(request.Options, question, pane.Id, pane.Label);
        if (pane.Error is { } error)
            html.Element("p", error, ("class", "words bad"));
        if (pane.LastWords is { } said)
            html.Element("p", said, ("class", "words"));
        html.Open("div", ("class", "actions"));
        html.StopAgent(request.Options, pane);
        html.Close();
        html.Open("dl", ("class", "facts"));
        html.Fact("kind", pane.Runtime).Fact("process", pane.Pid is { } pid ? Words.Plain(pid) : null).Fact("process state", Words.Of(pane.Lifecycle)).Fact("end", pane.Exit is { } exit ? Words.End(exit) : null);
        html.Fact("tool", pane.Tool).Fact("last event", pane.LastEvent).Fact("directory", pane.Cwd).Fact("started", Words.Moment(pane.StartedAt)).Fact("last heard", pane.LastEventAt is { } at ? Words.Moment(at) : null);
        html.Fact("turns", Words.Number(pane.Turns)).Fact("tool calls", Words.Number(pane.Tools)).Fact("events", Words.Number(pane.Events));
        html.Fact("malformed lines", pane.MalformedLines > 0 ? Words.Number(pane.MalformedLines) : null, "warn").Fact("session", pane.SessionId).Fact("own session", pane.HarnessSessionId);
        html.Fact("not told by its kind", pane.Unknown is { Count: > 0 } unknown ? string.Join(", ", unknown) : null);
        html.UsageFacts(pane.Usage).Close();
    }

    private static bool Matches(Pane pane, string filter) =>
        ((string?[])[pane.Label, pane.Agent, AgentRows.StateOf(pane), pane.Tool, pane.TaskNumber is { } number ? $"#{Words.Plain(number)}" : null])
            .Any(text => text?.Contains(filter, StringComparison.OrdinalIgnoreCase) == true);
}
