using System.Globalization;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>How many tasks of a group may be claimed or started at once. The claim's own statement counts them; here is what it is given, and why it refused.</summary>
internal static class GroupVerbs
{
    /// <summary>The most tasks that a reason names.</summary>
    private const int MostNamed = 8;

    private const string GroupOf = "SELECT task_group FROM tasks WHERE id = $id AND task_group IS NOT NULL";

    private const string Running = $"SELECT g.seq FROM tasks g WHERE g.task_group = $group AND {EdgeSql.RunningInGroup} ORDER BY g.seq";

    /// <summary>The limit of the task's group; null where there is none.</summary>
    public static int? LimitOf(WriteScope scope, string? taskId) => taskId is not null && scope.GroupLimits is { Count: > 0 } limits
        && scope.First(GroupOf, row => row.GetString(0), ("$id", taskId)) is { } group && limits.TryGetValue(group, out var limit) ? limit : null;

    /// <summary>Why no further task of the task's group can be claimed now; null where one can.</summary>
    public static string? WhyFull(WriteScope scope, BoardTask task)
    {
        if (task.Group is not { } group || !scope.GroupLimits.TryGetValue(group, out var limit))
            return null;
        var running = scope.All(Running, row => row.GetInt64(0), ("$group", group));
        return running.Count < limit ? null : Words(group, limit, running);
    }

    /// <summary>A full group in a line for a person.</summary>
    public static string Words(string group, int limit, IReadOnlyList<long> running)
    {
        var named = string.Join(", ", running.Take(MostNamed).Select(number => number.ToString(CultureInfo.InvariantCulture)));
        var rest = running.Count > MostNamed ? $" and {running.Count - MostNamed} more" : "";
        return string.Create(CultureInfo.InvariantCulture, $"group {group} has its limit of {limit} running: {named}{rest}");
    }
}
