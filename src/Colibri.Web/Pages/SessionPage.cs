using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>What was said in a task's session, a hundred entries at a time, the latest last. The newest page is followed as it is written.</summary>
internal static class SessionPage
{
    private const int PageSize = 100;

    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var number = request.Values[0];
        var session = await SessionReader.ReadAsync(request.Daemon, number, request.Said("to") is { } said && long.TryParse(said, out var to) ? to : null, PageSize, request.Cancellation).ConfigureAwait(false);
        var address = $"/tasks/{Uri.EscapeDataString(number)}/session";
        return new Page($"Session of #{number}", "/tasks",
        [
            Part.Of("session", [], html =>
            {
                html.Open("p").Element("a", $"Task #{number}", ("href", $"/tasks/{Uri.EscapeDataString(number)}")).Text($" · {(session.Last == 1 ? "1 entry" : $"{Words.Number(session.Last)} entries")} ").Twin($"colibri logs {number} -f").Close();
                if (session.First > 1)
                {
                    html.Open("p").Element("a", $"Earlier entries ({Words.Number(session.First - 1)})", ("href", $"{address}?to={Words.Plain(session.First - 1)}"), ("rel", "prev"));
                    html.Text(" ").Element("a", "The first ones", ("href", $"{address}?to={Words.Plain(PageSize)}")).Close();
                }
                if (session.End == 0)
                    html.Empty("Nothing was said yet.");
                var isLatest = session.End == session.Last;
                html.Open("ol", ("class", "session"), ("id", "entries"), ("aria-label", "Entries"), ("data-follow", isLatest ? $"{address}/follow?from={Words.Plain(session.Last + 1)}" : null));
                foreach (var entry in session.Entries)
                    Entry(html, entry);
                html.Close();
                var gone = session.End == 0 ? 0 : session.End - session.First + 1 - session.Entries.Count;
                if (gone > 0)
                    html.Element("p", $"Not on the disk any more: {Words.Number(gone)} of these.", ("class", "note"));
                if (!isLatest)
                {
                    html.Open("p").Element("a", "Later entries", ("href", $"{address}?to={Words.Plain(Math.Min(session.End + PageSize, session.Last))}"), ("rel", "next"));
                    html.Text(" ").Element("a", "Latest entries", ("href", address)).Close();
                }
                if (session.Unreadable is { } broken)
                    html.Element("p", $"{Words.Number(broken)} lines of its newest file are no entries.", ("class", "note"));
            }),
        ]);
    }

    /// <summary>One entry.</summary>
    public static void Entry(HtmlWriter html, SessionEntry entry)
    {
        html.Open("li", ("class", $"entry {entry.Kind.ToString().ToLowerInvariant()}"), ("id", $"e{Words.Plain(entry.Seq)}"));
        html.Open("p", ("class", "item-head")).Element("span", Words.Plain(entry.Seq), ("class", "num quiet")).Text(" ").Element("strong", Words.Kind(entry.Kind));
        if (entry.Tool is { } tool)
            html.Text(" ").Element("code", tool);
        if (entry.IsError == true)
            html.Text(" ").Badge("failed");
        html.Text(" ").When(entry.Ts).Close();
        if (entry.Text is { Length: > 0 } text)
        {
            var shown = SessionReader.Cut(entry).Text;
            html.Element("pre", shown, ("class", entry.Kind is SessionEntryKind.ToolCall or SessionEntryKind.ToolResult ? "log" : "words"), ("tabindex", text.Length > 200 ? "0" : null));
            if (text.Length >= SessionReader.LongestText - 1)
                html.Element("p", "The text is longer: colibri logs shows all of it.", ("class", "note"));
        }
        if (entry.Usage is { } usage)
            html.Element("p", $"{Words.Number(usage.SentTokens)} tokens sent, {Words.Number(usage.OutputTokens)} answered, {Words.Money(usage.CostMicrocents)}", ("class", "note"));
        html.Close();
    }
}
