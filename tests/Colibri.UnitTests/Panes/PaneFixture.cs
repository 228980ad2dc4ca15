using System.Runtime.CompilerServices;
using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Panes;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Panes;

/// <summary>A clock that stands still until told otherwise.</summary>
internal sealed class StoppedClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How far the wall clock was set.</summary>
    public TimeSpan Step { get; set; }

    public override DateTimeOffset GetUtcNow() => Now + Step;

    public override long GetTimestamp() => Now.UtcTicks;
}

/// <summary>What a pane's news hold, a line each.</summary>
internal sealed class ListTranscript
{
    public List<string> Lines { get; } = [];

    public void Take(PaneNews news)
    {
        foreach (var entry in news.Entries)
        {
            Lines.Add(entry.Kind switch
            {
                SessionEntryKind.Assistant => "assistant: " + entry.Text,
                SessionEntryKind.ToolResult => $"{entry.Tool}{(entry.IsError is true ? "!" : "")}: {entry.Text}",
                SessionEntryKind.ToolCall => $"{entry.Tool}({entry.Text})",
                SessionEntryKind.Question => "question: " + entry.Text,
                SessionEntryKind.Note => "note: " + entry.Text,
                _ => "usage: " + entry.Usage!.Show(),
            });
        }
    }
}

internal static class PaneFixture
{
    public static readonly TimeSpan StallAfter = TimeSpan.FromHours(4);

    private static readonly ConditionalWeakTable<AgentPane, ListTranscript> Transcripts = [];

    public static AgentPane New(string dialect = "pi", StoppedClock? clock = null, ListTranscript? transcript = null)
    {
        var pane = new AgentPane(
            new PaneIdentity("id-1", dialect, AgentProfiles.For(dialect, null).Name) { TaskId = "task-1", SessionId = "session-1", Cwd = "/start" },
            AgentProfiles.For(dialect, null).Dialect,
            clock ?? new StoppedClock(),
            keepsWords: transcript is not null);
        if (transcript is not null)
            Transcripts.Add(pane, transcript);
        return pane;
    }

    public static AgentPane Fed(string dialect, params ReadOnlySpan<string> lines)
    {
        var pane = New(dialect);
        foreach (var line in lines) pane.Say(line);
        return pane;
    }

    /// <returns>Whether something changed that a subscriber would show.</returns>
    public static bool Say(this AgentPane pane, string line) => pane.Hear(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>Feeds the pane, and its transcript with the news.</summary>
    public static bool Hear(this AgentPane pane, ReadOnlySpan<byte> chunk)
    {
        var news = pane.Feed(chunk);
        if (Transcripts.TryGetValue(pane, out var transcript))
            transcript.Take(news);
        return news.Changed;
    }

    public static Pane Show(this AgentPane pane) => pane.ToWire(StallAfter, TimeSpan.Zero);

    public static string Show(this Usage usage) =>
        $"{usage.InputTokens}/{usage.OutputTokens}/{usage.CacheReadTokens}/{usage.CacheWriteTokens}/{usage.CostMicrocents}";
}
