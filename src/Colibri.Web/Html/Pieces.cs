using Colibri.Protocol.Wire;

namespace Colibri.Web.Html;

/// <summary>Pieces that pages share.</summary>
internal static class Pieces
{
    /// <summary>A state as a word with a mark: its colour says nothing that the word does not.</summary>
    public static HtmlWriter Badge(this HtmlWriter html, string word) => html.Element("span", $"{Mark(word)} {word}", ("class", $"badge {Tone(word)}"));

    /// <summary>A time, which the page turns into an age.</summary>
    public static HtmlWriter When(this HtmlWriter html, DateTimeOffset at) =>
        html.Element("time", Words.Moment(at), ("datetime", Words.Time(at)), ("title", Words.Time(at)));

    /// <summary>How long something goes on, or went on.</summary>
    public static HtmlWriter Elapsed(this HtmlWriter html, DateTimeOffset from, DateTimeOffset? to, DateTimeOffset now) => to is { } end
        ? html.Element("span", Words.Elapsed(end - from), ("class", "num"))
        : html.Element("span", Words.Elapsed(now - from), ("class", "num"), ("data-since", Words.Time(from)));

    public static HtmlWriter TaskLink(this HtmlWriter html, long number, string? title = null, bool row = false) =>
        html.Open("a", ("href", $"/tasks/{Words.Plain(number)}"), ("data-go", row ? "" : null)).Element("span", $"#{Words.Plain(number)}", ("class", "num")).Text(title is null ? "" : $" {title}").Close();

    public static HtmlWriter AgentLink(this HtmlWriter html, string label) => html.Element("a", label, ("href", $"/agents/{Uri.EscapeDataString(label)}"));

    /// <summary>One fact of a list of facts.</summary>
    public static HtmlWriter Fact(this HtmlWriter html, string name, string? value, string? tone = null) =>
        value is null ? html : html.Open("div").Element("dt", name).Element("dd", value, ("class", tone)).Close();

    /// <summary>The header cells of a table.</summary>
    public static HtmlWriter Head(this HtmlWriter html, params ReadOnlySpan<string> names)
    {
        html.Open("thead").Open("tr");
        foreach (var name in names)
            html.Element("th", name.TrimStart('#'), ("scope", "col"), ("class", name.StartsWith('#') ? "num" : null));
        return html.Close().Close();
    }

    public static HtmlWriter Cell(this HtmlWriter html, string? text, string? css = null, string? label = null) => html.Element("td", text, ("class", css), ("data-label", label));

    public static HtmlWriter Empty(this HtmlWriter html, string words) => html.Element("p", words, ("class", "empty"));

    /// <summary>Where a table may be wider than the screen: it is scrolled alone, by keyboard too.</summary>
    public static HtmlWriter OpenTable(this HtmlWriter html, string label, string? css = null) =>
        html.Open("div", ("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", label)).Open("table", ("class", css));

    /// <summary>The command that does the same in a shell.</summary>
    public static HtmlWriter Twin(this HtmlWriter html, string command) =>
        html.Open("code", ("class", "twin"), ("title", "the same in a shell")).Text(command).Close();

    public static HtmlWriter UsageFacts(this HtmlWriter html, Usage usage)
    {
        html.Fact("cost", Words.Money(usage.CostMicrocents));
        html.Fact("input tokens", Words.Number(usage.InputTokens)).Fact("output tokens", Words.Number(usage.OutputTokens));
        html.Fact("cache read", Words.Number(usage.CacheReadTokens)).Fact("cache written", Words.Number(usage.CacheWriteTokens));
        return html.Fact("unpriced tokens", usage.UnpricedTokens > 0 ? Words.Number(usage.UnpricedTokens) : null, "warn");
    }

    private static string Mark(string word) => Tone(word) switch
    {
        "good" => "✓",
        "bad" => "✗",
        "warn" => "!",
        "live" => "▸",
        _ => "·",
    };

    private static string Tone(string word) => word switch
    {
        "done" or "landed" or "ok" or "ready" => "good",
        "failed" or "error" or "conflict" or "disk" or "workspace" or "no-key" or "auth-failed" or "low" or "dead-letters" or "stopped by error" => "bad",
        "blocked" or "question" or "held" or "stalled" or "review" or "open" or "provider" or "budget" or "paused" or "no agent" or "backing-off" or "resting" or "interrupted" or "waiting" => "warn",
        "working" or "started" or "claimed" or "running" or "starting" or "trying" => "live",
        _ => "dull",
    };
}
