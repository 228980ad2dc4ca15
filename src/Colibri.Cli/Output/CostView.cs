using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What agents used and what it cost.</summary>
internal static class CostView
{
    public static void Write(Screen screen, CostSummary summary)
    {
        if (summary.Lines.Count == 0)
        {
            screen.Line("nothing used yet");
            return;
        }
        var table = new Table([.. Heading(summary.By), .. Numbers]);
        foreach (var line in summary.Lines)
        {
            table.Add([.. Ids(summary.By, line), .. Cells(line)]);
        }
        table.Add([.. Enumerable.Repeat((TableCell)"", Heading(summary.By).Length - 1).Prepend("total"), .. Cells(summary.Total)]);
        table.Write(screen);
        if (summary.Total.Usage.UnpricedTokens > 0)
        {
            screen.Line();
            screen.Line("+? has tokens without a price: the agent states no cost, and the table");
            screen.Line("that COLIBRI_PRICES_FILE names has none for them.");
        }
        if (summary.More is true)
            screen.Line("there are more: colibri cost --limit NUMBER");
    }

    /// <summary>The budgets in one or two lines; null where none is set.</summary>
    public static IEnumerable<string> Budget(BudgetState budget)
    {
        if (budget.TaskMicrocents is { } task)
            yield return $"{Money(task)} a task";
        if (budget.DayMicrocents is not { } day)
            yield break;
        yield return $"{Words.Dollars(budget.SpentMicrocents)} of {Money(day)} spent on {budget.Day} (UTC)";
        if (budget.UnpricedTokens > 0)
            yield return $"{Words.Count(budget.UnpricedTokens, "token")} of the day without a price are not in it";
        if (budget.LiftedAt is { } at)
            yield return $"lifted for the day at {Words.Time(at)}";
        if (budget is { Held: true, LiftsAt: { } until })
            yield return $"starts held until {Words.Minute(until)}; or: colibri budget lift";
    }

    public static void WriteBudget(Screen screen, BudgetState budget)
    {
        var any = false;
        foreach (var line in Budget(budget))
        {
            screen.Line(budget.Held && line.StartsWith("starts held", StringComparison.Ordinal) ? screen.Paint(line, Tone.Attention) : line);
            any = true;
        }
        if (!any)
            screen.Line("no budgets: COLIBRI_BUDGET_TASK_USD and COLIBRI_BUDGET_DAY_USD set them");
    }

    /// <summary>What is known of a cost: never a guess for what is not.</summary>
    public static string Cost(Usage usage) => usage switch
    {
        { UnpricedTokens: 0 } => Words.Dollars(usage.CostMicrocents),
        { CostMicrocents: 0 } => "unknown",
        _ => $"{Words.Dollars(usage.CostMicrocents)} +?",
    };

    private static TableColumn[] Heading(CostGrouping by) => by switch
    {
        CostGrouping.Task => ["TASK", new TableColumn("TITLE", Flexible: true)],
        CostGrouping.Session => [new TableColumn("SESSION", Flexible: true)],
        CostGrouping.Provider => ["PROVIDER", new TableColumn("MODEL", Flexible: true)],
        CostGrouping.Profile => [new TableColumn("PROFILE", Flexible: true)],
        CostGrouping.DayProfile => ["DAY", new TableColumn("PROFILE", Flexible: true)],
        _ => ["DAY"],
    };

    private static readonly TableColumn[] Numbers =
    [
        new("COST", RightAligned: true), new("SENT", RightAligned: true), new("CACHED", RightAligned: true), new("OUT", RightAligned: true),
        new("REQ", RightAligned: true),
    ];

    private static TableCell[] Ids(CostGrouping by, CostLine line) => by switch
    {
        CostGrouping.Task => [line.TaskNumber?.ToString(CultureInfo.InvariantCulture) ?? line.TaskId ?? "-", line.Title ?? (line.TaskId is null ? "(no task)" : "")],
        CostGrouping.Session => [line.SessionId ?? ""],
        CostGrouping.Provider => [line.Provider ?? "", line.Model ?? ""],
        CostGrouping.Profile => [line.Profile ?? ""],
        CostGrouping.DayProfile => [line.Day ?? "", line.Profile ?? ""],
        _ => [line.Day ?? ""],
    };

    private static TableCell[] Cells(CostLine line) =>
    [
        Cost(line.Usage), Words.Short(line.Usage.SentTokens), (line.HitRate * 100).ToString("0", CultureInfo.InvariantCulture) + "%",
        Words.Short(line.Usage.OutputTokens), Words.Short(line.Requests),
    ];

    private static string Money(long microcents) => "$" + (microcents / 100_000_000m).ToString("0.00######", CultureInfo.InvariantCulture);
}
