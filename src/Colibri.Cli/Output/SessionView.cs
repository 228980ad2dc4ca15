using System.Globalization;
using System.Text.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>Session logs and prompts for a person.</summary>
internal static class SessionView
{
    private const int Indent = 4;
    private const int ResultLines = 20;

    public static void List(Screen screen, SessionList list)
    {
        if (list.Sessions.Count == 0)
        {
            screen.Line("no sessions; every run of a task makes one: colibri create-task --title 'What to do'");
            return;
        }
        // The id last: it may be 128 characters long and is never cut.
        var table = new Table("UPDATED", new TableColumn("GEN", RightAligned: true), new TableColumn("SIZE", RightAligned: true), "ID");
        foreach (var session in list.Sessions)
        {
            table.Add(Words.Time(session.UpdatedAt), session.Generation.ToString(CultureInfo.InvariantCulture), Words.Bytes(session.Bytes) + (session.OverBudget ? ", over budget" : ""), session.Id);
        }
        table.Write(screen);
    }

    public static void Transcript(Screen screen, SessionEntries session, bool full)
    {
        screen.Line($"session {Words.Plain(session.SessionId)}, generation {session.Generation}, {Entries(session.Entries.Count)}");
        if (session.UnreadableLines is { } lines)
            screen.Line(screen.Paint($"{Words.Count(lines, "line")} of its files cannot be read and are left out", Tone.Attention));
        foreach (var entry in session.Entries)
        {
            screen.Line();
            Write(screen, entry, full);
        }
    }

    public static void Appended(Screen screen, AppendReceipt receipt)
    {
        screen.Line($"entry {receipt.Seq} of session {Words.Plain(receipt.SessionId)}: generation {receipt.Generation}, "
            + $"{Words.Bytes(receipt.Bytes)}, {Words.Count(receipt.Turns, "turn")}");
        if (receipt.Compacted is { } compacted)
            Compacted(screen, compacted);
        if (receipt.Escalated is { } escalated)
            screen.Line(screen.Paint($"cost mode escalated from {Words.Of(escalated.From)} to {Words.Of(escalated.To)}", Tone.Attention));
        if (receipt.OverBudget is true)
            screen.Line(screen.Paint("the session is over budget", Tone.Attention));
    }

    public static void Compacted(Screen screen, Compaction compaction) => screen.Line(compaction.Seq is null
        ? "nothing to compact"
        : $"compacted {Entries(compaction.Entries)} into one: generation {compaction.Generation}, "
            + $"{Words.Bytes(compaction.BytesBefore)} before, {Words.Bytes(compaction.BytesAfter)} after");

    public static void Prompt(Screen screen, JsonElement prompt)
    {
        if (prompt.TryGetProperty("messages", out var messages) && messages.ValueKind is JsonValueKind.Array)
        {
            foreach (var message in messages.EnumerateArray())
            {
                screen.Line(screen.Paint(Words.Plain(TextOf(message, "role") ?? TextOf(message, "kind") ?? "message"), Tone.Strong));
                screen.Prose(Text.Lines(TextOf(message, "content") ?? TextOf(message, "text") ?? DataView.Short(message)), Indent);
                screen.Line();
            }
        }
        DataView.Write(screen, prompt, except: "messages");
    }

    /// <summary>One entry.</summary>
    public static void Write(Screen screen, SessionEntry entry, bool full)
    {
        var tool = entry.Tool is { } name ? $" {Words.Plain(name)}" : "";
        var failed = entry.IsError is true ? screen.Paint(" failed", Tone.Bad) : "";
        var head = screen.Paint($"{Words.Of(entry.Kind)}{tool}", ToneOf(entry.Kind));
        screen.Line($"#{entry.Seq} {head}{failed}  {Words.Time(entry.Ts)}");
        if (entry.Usage is { } usage)
            screen.Prose([$"{TaskView.Tokens(usage)}, {CostView.Cost(usage)}"], Indent);
        if (entry.Text is not { Length: > 0 } text)
            return;
        var lines = Text.Lines(text);
        if (entry.Kind is not (SessionEntryKind.ToolResult or SessionEntryKind.ToolCall) || full)
        {
            screen.Prose(lines, Indent);
            return;
        }
        // Counted as printed: one line of a tool's output can fill many screens.
        var printed = lines.SelectMany(line => Columns.Wrap(line, screen.Width - Indent)).ToList();
        var cut = printed.Count > ResultLines + 1;
        screen.Prose(cut ? printed.Take(ResultLines) : printed, Indent);
        if (cut)
            screen.Prose([$"{Columns.Ellipsis} {Words.Number(printed.Count - ResultLines)} more lines, --full shows all"], Indent);
    }

    private static Tone ToneOf(SessionEntryKind kind) => kind switch
    {
        SessionEntryKind.User or SessionEntryKind.Assistant or SessionEntryKind.Answer => Tone.Strong,
        SessionEntryKind.Question => Tone.Attention,
        SessionEntryKind.Escalation => Tone.Attention,
        _ => Tone.Plain,
    };

    private static string Entries(int count) => count == 1 ? "1 entry" : $"{Words.Number(count)} entries";

    private static string? TextOf(JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;
}
