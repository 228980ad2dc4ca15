using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Board.Storage;
using Colibri.Core.Panes;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Panes;

/// <summary>A clock that stands still until told otherwise.</summary>
internal sealed class StoppedClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>Writes down what it is told, a line each.</summary>
internal sealed class ListTranscript : ITranscript
{
    public List<string> Lines { get; } = [];

    public void Assistant(string text) => Lines.Add("assistant: " + text);

    public void ToolResult(string? tool, bool isError, string text) => Lines.Add($"{tool}{(isError ? "!" : "")}: {text}");

    public void Usage(Usage usage) => Lines.Add(
        $"usage: {usage.InputTokens}/{usage.OutputTokens}/{usage.CacheReadTokens}/{usage.CacheWriteTokens}/{usage.CostMicrocents}");
}

internal static class PaneFixture
{
    public static readonly TimeSpan StallAfter = TimeSpan.FromHours(4);

    public static AgentPane New(
        string dialect = "pi", StoppedClock? clock = null, ITranscript? transcript = null, Action<AgentPane>? changed = null) => new(
        new PaneIdentity("id-1", dialect, AgentProfiles.For(dialect, null).Name) { TaskId = "task-1", SessionId = "session-1", Cwd = "/start" },
        AgentProfiles.For(dialect, null).Dialect,
        clock ?? new StoppedClock(),
        transcript,
        changed);

    public static AgentPane Fed(string dialect, params ReadOnlySpan<string> lines)
    {
        var pane = New(dialect);
        foreach (var line in lines) pane.Say(line);
        return pane;
    }

    public static void Say(this AgentPane pane, string line) => pane.Feed(Encoding.UTF8.GetBytes(line + "\n"));

    public static Pane Show(this AgentPane pane) => pane.ToWire(new StoppedClock().Now, StallAfter);

    public static string Show(this Usage usage) =>
        $"{usage.InputTokens}/{usage.OutputTokens}/{usage.CacheReadTokens}/{usage.CacheWriteTokens}/{usage.CostMicrocents}";
}
