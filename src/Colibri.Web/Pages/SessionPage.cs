using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>What was said in a task's session, a hundred entries at a time, the latest last. The newest page is followed as it is written.</summary>
internal static class SessionPage
{
    private const int PageSize = 100;

    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var number = request.Values[0];
        var session = await request.Daemon.AskAsync(new CommandRequest { Cmd = "get-session", SessionId = number, All = true }, ProtocolJson.Wire.SessionEntries, request.Cancellation).ConfigureAwait(false);
        var entries = session.Entries;
        var last = request.Said("to") is { } said && long.TryParse(said, out var to) ? to : long.MaxValue;
        var end = entries.Count;
        while (end > 0 && entries[end - 1].Seq > last)
            end--;
        var start = Math.Max(0, end - PageSize);
        var address = $"/tasks/{Uri.EscapeDataString(number)}/session";
        return new Page($"Session of #{number}", "/tasks",
        [
            Part.Of("session", [], html =>
            {
                html.Open("p").Element("a", $"Task #{number}", ("href", $"/tasks/{Uri.EscapeDataString(number)}")).Text($" · {(entries.Count == 1 ? "1 entry" : $"{Words.Number(entries.Count)} entries")} ").Twin($"colibri logs {number} -f").Close();
                if (start > 0)
                    html.Open("p").Element("a", $"Earlier entries ({Words.Number(start)})", ("href", $"{address}?to={Words.Plain(entries[start - 1].Seq)}"), ("rel", "prev")).Close();
                if (end == 0)
                    html.Empty("Nothing was said yet.");
                var isLatest = end == entries.Count;
                html.Open("ol", ("class", "session"), ("id", "entries"), ("aria-label", "Entries"), ("data-follow", isLatest ? $"{address}/follow?from={Words.Plain(end == 0 ? 1 : entries[end - 1].Seq + 1)}" : null));
                for (var i = start; i < end; i++)
                    Entry(html, entries[i]);
                html.Close();
                if (!isLatest)
                    html.Open("p").Element("a", "Latest entries", ("href", address)).Close();
                if (session.UnreadableLines is { } broken)
                    html.Element("p", $"{Words.Number(broken)} lines of the files are no entries.", ("class", "note"));
            }),
        ]);
    }

    /// <summary>One entry.</summary>
    public static void Entry(HtmlWriter html, SessionEntry entry)
    {
        html.Open("li", ("class", $"entry {entry.Kind.ToString().ToLowerInvariant()}"), ("id", $"e{Words.Plain(entry.Seq)}"));
        html.Open("p", ("class", "item-head")).Element("span", Words.Plain(entry.Seq), ("class", "num quiet")).Text(" ").Element("strong", Words.Of(entry.Kind));
        if (entry.Tool is { } tool)
            html.Text(" ").Element("code", tool);
        if (entry.IsError == true)
            html.Text(" ").Badge("failed");
        html.Text(" ").When(entry.Ts).Close();
        if (entry.Text is { Length: > 0 } text)
            html.Element("pre", text, ("class", entry.Kind is SessionEntryKind.ToolCall or SessionEntryKind.ToolResult ? "log" : "words"), ("tabindex", text.Length > 200 ? "0" : null));
        if (entry.Usage is { } usage)
            html.Element("p", $"{Words.Number(usage.SentTokens)} tokens sent, {Words.Number(usage.OutputTokens)} answered, {Words.Money(usage.CostMicrocents)}", ("class", "note"));
        html.Close();
    }
}
