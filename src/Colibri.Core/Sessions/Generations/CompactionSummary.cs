using System.Globalization;
using System.Text;
using System.Text.Json;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions.Generations;

/// <summary>
/// The text of a <c>compaction</c> entry: one line for each entry that it replaces, with its author and a short excerpt, then the files named
/// and the usage. The text depends on the entries alone; where there are more lines than room, the oldest are dropped. It is made by rule and
/// not by a model, so a compaction costs nothing and cannot fail; the original words stay in the generation before.
/// </summary>
internal static class CompactionSummary
{
    /// <summary>Least room that a summary needs, as a whole line of the log.</summary>
    public const int MinBytes = 1_024;

    private const int EnvelopeBytes = 400;
    private const int MaxFiles = 100;
    private const int TurnChars = 400;
    private const int OtherChars = 160;
    private const string Title = "Summary of entries ";
    private const string LeftOut = "Lines left out before this one: ";
    private const string Files = "Files named: ";

    /// <summary>The entry, not yet numbered.</summary>
    /// <param name="entries">What it stands for, an earlier compaction entry first.</param>
    /// <param name="lastSeq">The highest number that it stands for.</param>
    /// <param name="generation">The latest generation that holds what it stands for.</param>
    /// <param name="maxBytes">Bound of the whole line, at least <see cref="MinBytes"/>.</param>
    public static SessionEntry Of(IEnumerable<LoggedEntry> entries, long lastSeq, int generation, long maxBytes)
    {
        var (lines, files, usage, leftOut) = (new List<string>(), new List<string>(), new Usage(), 0L);
        foreach (var (entry, _) in entries)
        {
            usage += entry.Usage ?? new Usage();
            if (entry.Kind is SessionEntryKind.Compaction)
            {
                leftOut += TakeOver(entry.Text ?? "", lines, files);
                continue;
            }
            NamedFiles.AddTo(files, entry.Text ?? "", MaxFiles);
            if (LineOf(entry) is { } line)
                lines.Add(line);
        }
        var room = maxBytes - EnvelopeBytes;
        var head = Line($"{Title}1 to {lastSeq}; in full in generation {generation} and before.");
        var tail = usage == new Usage() ? null : Line(
            $"Usage: {usage.InputTokens} tokens in, {usage.OutputTokens} out, {usage.CacheReadTokens} read from cache, {usage.CacheWriteTokens} written to it, {usage.CostMicrocents} micro-cents.");
        room -= SizeOf(head) + SizeOf(LeftOut) + 20 + (tail is null ? 0 : SizeOf(tail));
        var named = FilesLine(files, room / 4);
        room -= named is null ? 0 : SizeOf(named);
        var first = lines.Count;
        while (first > 0 && room - SizeOf(lines[first - 1]) is >= 0 and var left)
            (first, room) = (first - 1, left);
        leftOut += first;

        var text = new StringBuilder(head);
        if (leftOut > 0)
            text.Append('\n').Append(Line($"{LeftOut}{leftOut}"));
        foreach (var line in lines[first..])
            text.Append('\n').Append(line);
        if (named is not null)
            text.Append('\n').Append(named);
        if (tail is not null)
            text.Append('\n').Append(tail);
        return new SessionEntry { Kind = SessionEntryKind.Compaction, Text = text.ToString(), Usage = usage == new Usage() ? null : usage };
    }

    private static string? LineOf(SessionEntry entry) => entry.Kind switch
    {
        SessionEntryKind.User => $"user: {Short(entry.Text, TurnChars)}",
        SessionEntryKind.Assistant => $"assistant: {Short(entry.Text, TurnChars)}",
        SessionEntryKind.ToolResult => Line(
            $"tool {Short(entry.Tool ?? "(unnamed)", OtherChars)} {(entry.IsError is true ? "failed" : "done")}, {Encoding.UTF8.GetByteCount(entry.Text ?? "")} bytes: {Short(entry.Text, OtherChars)}"),
        SessionEntryKind.ToolCall => $"call of {Short(entry.Tool ?? "(unnamed)", OtherChars)}: {Short(entry.Text, OtherChars)}",
        SessionEntryKind.Question => $"question: {Short(entry.Text, TurnChars)}",
        SessionEntryKind.Answer => $"answer: {Short(entry.Text, TurnChars)}",
        SessionEntryKind.Note => $"note: {Short(entry.Text, OtherChars)}",
        SessionEntryKind.Escalation => $"escalation: {Short(entry.Text, OtherChars)}",
        _ => null,
    };

    /// <summary>Copies the lines of an earlier summary; returns how many lines that summary had itself left out.</summary>
    private static long TakeOver(string text, List<string> lines, List<string> files)
    {
        var leftOut = 0L;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith(LeftOut, StringComparison.Ordinal))
                _ = long.TryParse(line.AsSpan(LeftOut.Length), NumberStyles.None, CultureInfo.InvariantCulture, out leftOut);
            else if (line.StartsWith(Files, StringComparison.Ordinal))
                files.AddRange(line[Files.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Except(files).Take(MaxFiles - files.Count));
            else if (!line.StartsWith(Title, StringComparison.Ordinal) && !line.StartsWith("Usage: ", StringComparison.Ordinal))
                lines.Add(line);
        }
        return leftOut;
    }

    private static string? FilesLine(List<string> files, long room)
    {
        // Names hold letters, digits and a few punctuation marks, none of which JSON escapes, so their length is their size.
        var fitting = files.Count;
        while (fitting > 0 && Files.Length + files.Take(fitting).Sum(file => file.Length + 1L) + 1 > room)
            fitting--;
        return fitting == 0 ? null : Files + string.Join(' ', files.Take(fitting));
    }

    /// <summary>The text as one line of at most so many characters: each run of white space and control characters becomes one blank.</summary>
    private static string Short(string? text, int maxChars)
    {
        var line = new StringBuilder(maxChars);
        foreach (var c in text ?? "")
        {
            var blank = char.IsWhiteSpace(c) || char.IsControl(c);
            if (blank && (line.Length == 0 || line[^1] == ' '))
                continue;
            if (line.Length >= maxChars)
            {
                if (char.IsHighSurrogate(line[^1]))
                    line.Length--;
                return line.Append('…').ToString();
            }
            line.Append(blank ? ' ' : c);
        }
        if (line.Length > 0 && line[^1] == ' ')
            line.Length--;
        return line.ToString();
    }

    /// <summary>Bytes of the line inside a JSON string, its newline included.</summary>
    private static long SizeOf(string line) => JsonEncodedText.Encode(line, ProtocolJson.Wire.Options.Encoder).EncodedUtf8Bytes.Length + 2;

    private static string Line(FormattableString line) => FormattableString.Invariant(line);
}
