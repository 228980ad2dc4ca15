using System.Globalization;
using System.Text;
using Colibri.Protocol.Wire;

namespace Colibri.Mcp.Output;

/// <summary>A session as a transcript. The words in it are an agent's and its tools'.</summary>
internal static class SessionText
{
    /// <param name="session">The session.</param>
    /// <param name="tail">At most so many entries, the latest.</param>
    public static string Of(SessionEntries session, int tail)
    {
        var left = Math.Max(0, session.Entries.Count - tail);
        var text = new StringBuilder();
        if (left > 0)
            text.Append(CultureInfo.InvariantCulture, $"[{left} earlier entries left out]\n");
        foreach (var entry in session.Entries.Skip(left))
        {
            text.Append(CultureInfo.InvariantCulture, $"#{entry.Seq} {entry.Ts.UtcDateTime:yyyy-MM-dd HH:mm:ss} {KindOf(entry)}\n");
            if (entry.Text is { Length: > 0 } words)
                text.Append(words).Append('\n');
        }
        return Bounds.Cut(text.ToString(), keepEnd: true);
    }

    private static string KindOf(SessionEntry entry) => entry.Kind switch
    {
        SessionEntryKind.ToolCall => $"tool call {entry.Tool}",
        SessionEntryKind.ToolResult when entry.IsError == true => $"tool result {entry.Tool} (failed)",
        SessionEntryKind.ToolResult => $"tool result {entry.Tool}",
        var kind => kind.ToString().ToLowerInvariant(),
    };
}
