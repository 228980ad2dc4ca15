using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>The glasspane for a person.</summary>
internal static class PaneView
{
    private const int LabelWidth = 12;

    public static void Write(Screen screen, Snapshot snapshot)
    {
        if (snapshot.Panes.Count == 0)
        {
            screen.Line($"no panes on {Words.Plain(snapshot.Host)}; start an agent: colibri spawn-agent BINARY --task-id TASK_ID");
            return;
        }
        // Two ids and the figures do not fit one line of 80 columns, and an id cut short is no use: they stand below, as "agent on task".
        var table = new Table(
            new TableColumn("AGENT", Flexible: true), "LIFECYCLE", "ACTIVITY", "TOOL", new TableColumn("TURNS", RightAligned: true),
            new TableColumn("TOKENS", RightAligned: true), new TableColumn("COST", RightAligned: true));
        foreach (var pane in snapshot.Panes)
        {
            table.Add(pane.Agent, Words.Of(pane.Lifecycle), new TableCell(Activity(pane), ToneOf(pane)), pane.Tool ?? "-",
                Known(pane, "turns", Words.Short(pane.Turns)), Known(pane, "usage", Words.Short(Tokens(pane.Usage))), Known(pane, "cost", CostView.Cost(pane.Usage)));
            var name = pane.Label ?? pane.Id;
            var on = pane.TaskNumber is { } number ? $"task {number}" : pane.TaskId;
            table.Below(on is null ? name : $"{name} on {on}");
            if (pane.Question is { } question)
                table.Below(Question(name, question));
            if (TaskView.Denied(pane.Denied) is { } denied)
                table.Below($"denied: {denied}");
            else if (pane.Unknown?.Contains("refusals") == true)
                table.Below("denied: ?");
            if (pane.SessionEntriesDropped is { } lost)
                table.Below($"{Words.Number(lost)} entries of its session are lost");
            if (Trouble(pane) is { Length: > 0 } trouble)
                table.Below(trouble);
        }
        table.Write(screen);
    }

    /// <summary>One pane whole.</summary>
    public static void Block(Screen screen, Pane pane)
    {
        void Field(string label, string? value, Tone tone = Tone.Plain)
        {
            if (!string.IsNullOrEmpty(value))
                screen.Field(label, Words.Plain(value), LabelWidth, tone);
        }

        Field("agent", $"{pane.Label ?? pane.Id} ({pane.Agent}{(pane.Pid is { } pid ? $", pid {pid}" : "")})", Tone.Strong);
        Field("state", Standing(pane), ToneOf(pane));
        if (pane.Question is { } question)
            Field("asks", Question(pane.Label ?? pane.Id, question)["asks: ".Length..], Tone.Attention);
        Field("error", pane.Error, Tone.Bad);
        Field("denied", TaskView.Denied(pane.Denied) ?? (pane.Unknown?.Contains("refusals") == true ? "?" : null), Tone.Attention);
        Field("says", pane.LastWords);
        Field("turns", $"{Known(pane, "turns", Words.Number(pane.Turns))}, {Words.Count(pane.Tools, "tool call")}, {Words.Count(pane.Events, "event")}");
        Field("usage", Known(pane, "usage", TaskView.Tokens(pane.Usage)));
        Field("cost", Known(pane, "cost", CostView.Cost(pane.Usage)));
        Field("directory", pane.Cwd);
        Field("session", pane.SessionId);
        Field("last event", pane.LastEvent is { } last ? $"{last}{(pane.LastEventAt is { } at ? $", {Words.Time(at)}" : "")}" : null);
        Field("started", Words.Time(pane.StartedAt));
        if (pane.SessionEntriesDropped is { } lost)
            Field("", $"{Words.Number(lost)} entries of its session are lost", Tone.Attention);
    }

    /// <summary>A pane's state in a few words, the likeliest news first.</summary>
    public static string Standing(Pane pane)
    {
        var state = pane switch
        {
            { Exit: { } exit } => $"stopped, {AgentView.Ended(exit)}",
            { Lifecycle: Lifecycle.Running } => Activity(pane),
            _ => Words.Of(pane.Lifecycle),
        };
        return state + (pane.Tool is { } tool ? $" {tool}" : "") + (pane.Plan is { } plan ? $" step {Words.Number(plan.Done)}/{Words.Number(plan.Total)}" : "");
    }

    public static Tone ToneOf(Pane pane) => pane.Activity is Protocol.Wire.Activity.Error ? Tone.Bad
        : pane.NeedsAttention ? Tone.Attention
        : Tone.Plain;

    public static string Activity(Pane pane) => pane.Stalled ? "stalled" : Words.Of(pane.Activity);

    /// <summary>The figure, or a question mark: a zero of what its kind does not tell says nothing.</summary>
    public static string Known(Pane pane, string field, string figure) => pane.Unknown?.Contains(field) == true ? "?" : figure;

    public static long Tokens(Usage usage) =>
        usage.InputTokens + usage.OutputTokens + usage.CacheReadTokens + usage.CacheWriteTokens;

    /// <summary>What is asked, and how to answer it.</summary>
    private static string Question(string agentId, AgentQuestion question)
    {
        var words = string.Join(": ", new[] { question.Title, question.Message }.Where(part => !string.IsNullOrEmpty(part)));
        var options = question.Options is { } listed ? $" [{string.Join(" | ", listed)}]" : "";
        return $"asks: {words}{options} ({QuestionView.Answer(agentId, question)})";
    }

    private static string Trouble(Pane pane)
    {
        var end = pane.Exit is { Code: not 0 } exit ? AgentView.Ended(exit) : "";
        return (end, pane.Error) switch
        {
            (_, null or "") => end,
            ("", var error) => error,
            var (_, error) => $"{end}: {error}",
        };
    }
}
