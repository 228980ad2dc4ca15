using Colibri.Protocol.Wire;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>The table of agents.</summary>
internal static class AgentRows
{
    public static void Agents(this HtmlWriter html, IReadOnlyList<Pane> panes, int most, DateTimeOffset now)
    {
        if (panes.Count == 0)
        {
            html.Empty("No agent runs. One is started when a task is ready for it: colibri add TITLE");
            return;
        }
        html.OpenTable("Agents", "cards").Head("agent", "state", "task", "doing", "#elapsed", "#turns", "#tools", "#tokens", "#cost").Open("tbody");
        foreach (var pane in panes.Take(most))
            Row(html, pane, now);
        html.Close().Close().Close();
        if (panes.Count > most)
            html.Element("p", $"{Words.Number(panes.Count - most)} more agents are not shown here.", ("class", "note"));
    }

    private static void Row(HtmlWriter html, Pane pane, DateTimeOffset now)
    {
        html.Open("tr", ("data-row", ""), ("data-attention", pane.NeedsAttention && pane.Lifecycle != Lifecycle.Stopped ? "" : null));
        html.Open("td", ("data-label", "agent")).Open("span").Open("a", ("href", $"/agents/{Uri.EscapeDataString(pane.Label ?? pane.Id)}"), ("data-go", "")).Text(pane.Label ?? pane.Id).Close().Text($" {pane.Agent}").Close().Close();
        html.Open("td", ("data-label", "state")).Badge(StateOf(pane));
        if (pane.Stalled)
            html.Text(" ").Badge("stalled");
        html.Close().Open("td", ("data-label", "task"));
        if (pane.TaskNumber is { } number)
            html.TaskLink(number);
        html.Close();
        html.Cell(Doing(pane), "clip", "doing");
        html.Open("td", ("class", "num"), ("data-label", "elapsed")).Elapsed(pane.StartedAt, pane.Lifecycle == Lifecycle.Stopped ? pane.LastEventAt ?? pane.StartedAt : null, now).Close();
        html.Cell(Told(pane, "turns", Words.Number(pane.Turns)), "num", "turns").Cell(Words.Number(pane.Tools), "num", "tools");
        html.Cell(Told(pane, "usage", Words.Number(pane.Usage.SentTokens + pane.Usage.OutputTokens)), "num", "tokens");
        html.Cell(Told(pane, "cost", Words.Money(pane.Usage.CostMicrocents)), "num", "cost").Close();
    }

    /// <summary>One word for process and work together.</summary>
    public static string StateOf(Pane pane) => pane.Lifecycle switch
    {
        Lifecycle.Running => Words.Of(pane.Activity),
        Lifecycle.Stopped when pane.Activity is Activity.Error => "error",
        Lifecycle.Stopped when pane.Activity is Activity.Done => "done",
        var other => Words.Of(other),
    };

    private static string Doing(Pane pane) => pane switch
    {
        { Question: { } question } => $"asks: {question.Title ?? question.Method}",
        { Error: { } error } => error,
        { Tool: { } tool } => pane.LastWords is { } said ? $"tool {tool}; said: {said}" : $"tool {tool}",
        { LastWords: { } words } => words,
        _ => pane.LastEvent ?? "",
    };

    // Where its kind does not tell, a zero would be a lie.
    private static string Told(Pane pane, string what, string value) => pane.Unknown?.Contains(what) == true ? "not told" : value;
}
