using Colibri.Core.Board;

namespace Colibri.Core.Scheduling;

/// <summary>
/// The room that groups have for one look: their limits, less what is under way and what the look itself starts. The claim decides; this keeps the look from
/// trying what it would refuse, and costs a long queue of a full group one look-up a task.
/// </summary>
/// <param name="limits">By group; one without an entry has no limit.</param>
/// <param name="loads">What is under way.</param>
internal sealed class GroupRoom(IReadOnlyDictionary<string, int> limits, IReadOnlyDictionary<string, GroupLoad> loads)
{
    private readonly Dictionary<string, int> _left = new(StringComparer.Ordinal);

    /// <summary>Whether one more task of the group may start.</summary>
    public bool Has(string? group) => group is null || limits.Count == 0 || Left(group) > 0;

    /// <summary>A task of the group starts.</summary>
    public void Take(string? group)
    {
        if (group is not null && limits.ContainsKey(group))
            _left[group] = Left(group) - 1;
    }

    private int Left(string group)
    {
        if (_left.TryGetValue(group, out var left))
            return left;
        left = limits.TryGetValue(group, out var limit) ? limit - (loads.TryGetValue(group, out var load) ? load.Running.Count : 0) : int.MaxValue;
        _left.Add(group, left);
        return left;
    }
}
