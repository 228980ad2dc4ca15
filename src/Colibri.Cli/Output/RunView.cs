using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>Attempts at tasks, a line each.</summary>
internal static class RunView
{
    private const int WidestName = 12;
    private const int BelowIndent = 2;

    /// <param name="screen">Where to.</param>
    /// <param name="list">The page.</param>
    /// <param name="task">The task that was asked for; null for all.</param>
    public static void List(Screen screen, RunList list, string? task)
    {
        if (list.Runs.Count == 0)
        {
            screen.Line(task is null ? "no runs; the first task makes one: colibri add 'What to do'" : $"no runs of task {Words.Plain(task)} yet: colibri get-task {Words.Plain(task)}");
            return;
        }
        var table = new Table([.. Heading(task)]);
        foreach (var run in list.Runs)
        {
            table.Add([.. Cells(screen, run, task)]);
            if (run.Error is { } error)
                table.Below(Columns.Cut(Words.Plain($"{error.Code}: {error.Message}"), screen.Width - BelowIndent));
            if (TaskView.Denied(run.Denied) is { } denied)
                table.Below(Columns.Cut(Words.Plain($"denied: {denied}"), screen.Width - BelowIndent));
        }
        table.Write(screen);
        if (list.Next is { } next)
            screen.Line($"there are more: colibri list-runs{(task is null ? "" : $" {Words.Plain(task)}")} --before {Words.Plain(next)}");
    }

    // Of one task the title is known, and what differs is the model.
    private static IEnumerable<TableColumn> Heading(string? task) =>
    [
        .. task is null ? [new TableColumn("TASK", RightAligned: true)] : Array.Empty<TableColumn>(),
        new("TRY", RightAligned: true), "VERDICT", "AGENT", new("AGE", RightAligned: true), new("TOOK", RightAligned: true), new("COST", RightAligned: true),
        new(task is null ? "TITLE" : "MODEL", Flexible: true),
    ];

    private static IEnumerable<TableCell> Cells(Screen screen, RunSummary run, string? task) =>
    [
        .. task is null ? [run.TaskNumber.ToString(CultureInfo.InvariantCulture)] : Array.Empty<TableCell>(),
        run.Attempt.ToString(CultureInfo.InvariantCulture),
        new(Columns.Cut(Words.Plain(run.EndedAt is null ? "running" : run.Verdict ?? "-"), WidestName), ToneOf(run)),
        Columns.Cut(Words.Plain(run.Profile ?? run.Label ?? run.Runtime ?? "-"), WidestName),
        Words.Age(screen.Now - run.StartedAt),
        Words.Age(run.DurationMs is { } took ? TimeSpan.FromMilliseconds(took) : screen.Now - run.StartedAt),
        run.Usage == new Usage() ? "-" : CostView.Cost(run.Usage),
        task is null ? run.Title : Route(run),
    ];

    private static string Route(RunSummary run) => (run.Provider, run.Model) switch
    {
        ({ } provider, { } model) => $"{provider}:{model}",
        var (provider, model) => provider ?? model ?? "-",
    };

    private static Tone ToneOf(RunSummary run) => run switch
    {
        { EndedAt: null } => Tone.Plain,
        { Verdict: "done" } => Tone.Good,
        _ => Tone.Bad,
    };
}
