using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What was deleted, or would be.</summary>
internal static class PruneView
{
    public static void Write(Screen screen, PruneReport report)
    {
        var deleted = report.DryRun ? "would delete" : "deleted";
        var isSome = false;
        Numbers("task", "tasks", report.Tasks);
        Line("session", "sessions", report.Sessions.Count, report.Sessions.Ids, $" of {Words.Bytes(report.SessionBytes)}");
        Numbers("task's directory", "tasks' directories", report.Directories);
        Numbers("worktree", "worktrees", report.Worktrees);
        if (!isSome)
            screen.Line("nothing is old enough");
        else if (report.FreedBytes > 0)
            screen.Line($"{(report.DryRun ? "would free" : "freed")} {Words.Bytes(report.FreedBytes)}");

        void Numbers(string one, string many, PrunedNumbers numbers) =>
            Line(one, many, numbers.Count, [.. numbers.Numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))], "");

        void Line(string one, string many, long count, IReadOnlyList<string> names, string note)
        {
            if (count == 0)
                return;
            isSome = true;
            var more = count > names.Count ? $" and {Words.Number(count - names.Count)} more" : "";
            screen.Prose([Words.Plain($"{deleted} {Words.Number(count)} {(count == 1 ? one : many)}{note}: {string.Join(", ", names)}{more}")], 0);
        }
    }
}
