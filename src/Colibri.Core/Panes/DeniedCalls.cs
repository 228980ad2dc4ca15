using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>
/// Which tool calls of one agent were refused, each counted once however often the agent tells of it. A list of refusals at a run's end does not
/// say when each was, so the calls that failed are remembered.
/// </summary>
internal sealed class DeniedCalls
{
    /// <summary>Tools told apart; calls of further ones are counted together.</summary>
    public const int MaxTools = 32;

    /// <summary>The longest reason kept, in characters.</summary>
    public const int MaxReasonChars = 300;

    private const int MaxCalls = 1_024;
    private const string Others = "other tools";

    private readonly HashSet<ulong> _denied = [];
    private readonly Dictionary<ulong, long> _failed = [];
    private bool _hasForgotten;

    /// <summary>Remembers a call that failed.</summary>
    /// <param name="call">Its id; 0 for none.</param>
    /// <param name="moves">See <see cref="RunSigns.Moves"/>.</param>
    public void Failed(ulong call, long moves)
    {
        if (call == 0) return;
        if (_failed.Count == MaxCalls)
        {
            _failed.Clear();
            _hasForgotten = true;
        }
        _failed[call] = moves;
    }

    /// <returns>False if the refusal of that very call is counted already, or too many are remembered to tell.</returns>
    public bool IsNew(ulong call) => call == 0 || (_denied.Count < MaxCalls && _denied.Add(call));

    public bool Has(ulong call) => call != 0 && _denied.Contains(call);

    /// <summary>The moves by the time that a call failed; of one that has not ended, those by now.</summary>
    public long MovesAt(ulong call, long now) => _failed.GetValueOrDefault(call, _hasForgotten ? 0 : now);

    /// <summary>The list with one more.</summary>
    public static IReadOnlyList<DeniedTool> With(IReadOnlyList<DeniedTool>? list, string tool, string? reason, long count = 1)
    {
        DeniedTool[] all = [.. list ?? []];
        var index = Array.FindIndex(all, known => known.Tool == tool);
        if (index < 0 && all.Length >= MaxTools - 1)
        {
            (tool, reason) = (Others, null);
            index = Array.FindIndex(all, known => known.Tool == tool);
        }
        if (index < 0) return [.. all, new DeniedTool(tool, reason, count)];
        all[index] = all[index] with { Reason = reason ?? all[index].Reason, Count = all[index].Count + count };
        return all;
    }

    /// <summary>What a list holds beyond an earlier state of it; null for nothing.</summary>
    public static IReadOnlyList<DeniedTool>? Since(IReadOnlyList<DeniedTool>? list, IReadOnlyList<DeniedTool>? before)
    {
        if (ReferenceEquals(list, before) || list is null) return null;
        if (before is null) return list;
        var added = list
            .Select(tool => tool with { Count = tool.Count - (before.FirstOrDefault(earlier => earlier.Tool == tool.Tool)?.Count ?? 0) })
            .Where(tool => tool.Count > 0)
            .ToList();
        return added.Count > 0 ? added : null;
    }
}
