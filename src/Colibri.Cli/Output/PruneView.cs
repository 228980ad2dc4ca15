using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What was deleted, or would be.</summary>
internal static class PruneView
{
    // More numbers or ids are in the answer of --json.
    private const int MaxParts = 12;
    private const int MaxIds = 3;

    public static void Write(Screen screen, PruneReport report)
    {
        var deleted = report.DryRun ? "would delete" : "deleted";
        var isSome = false;
        Numbers("task", "tasks", report.Tasks);
        Line("session", "sessions", report.Sessions.Count, report.Sessions.Ids.Take(MaxIds), Math.Min(report.Sessions.Ids.Count, MaxIds), $" of {Words.Bytes(report.SessionBytes)}");
        Numbers("directory of a task that is gone", "directories of tasks that are gone", report.Directories);
        Numbers("worktree of a task", "worktrees of tasks", report.Worktrees);
        if (report.Problem is { } problem)
            screen.Prose([Words.Plain($"not all that is due could be deleted: {problem}")], 0);
        if (isSome && report.FreedBytes > 0)
            screen.Line($"{(report.DryRun ? "would free" : "freed")} {Words.Bytes(report.FreedBytes)}");
        else if (!isSome && report.Problem is null)
            screen.Line("nothing is old enough");

        void Numbers(string one, string many, PrunedNumbers numbers)
        {
            var parts = Ranges(numbers.Numbers);
            Line(one, many, numbers.Count, parts.Select(part => part.Text), parts.Sum(part => part.Count), "");
        }

        void Line(string one, string many, long count, IEnumerable<string> names, long named, string note)
        {
            if (count == 0)
                return;
            isSome = true;
            var more = count > named ? $" and {Words.Number(count - named)} more" : "";
            screen.Prose([Words.Plain($"{deleted} {Words.Number(count)} {(count == 1 ? one : many)}{note}: {string.Join(", ", names)}{more}")], 0);
        }
    }

    // 3-17: numbers that follow each other.
    private static List<(string Text, long Count)> Ranges(IReadOnlyList<long> numbers)
    {
        var ranges = new List<(string Text, long Count)>();
        for (var i = 0; i < numbers.Count && ranges.Count < MaxParts;)
        {
            var end = i;
            while (end + 1 < numbers.Count && numbers[end + 1] == numbers[end] + 1)
                end++;
            ranges.Add((end == i ? Text(numbers[i]) : $"{Text(numbers[i])}-{Text(numbers[end])}", end - i + 1));
            i = end + 1;
        }
        return ranges;

        static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
