using Colibri.Core.Events;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Cost;

/// <summary>The cost mode in force. Reading it is free; a change is published.</summary>
public sealed class CostControl(CostMode initial, EventHub events)
{
    private volatile CostState _state = StateOf(initial);

    public CostState State => _state;

    public CostLimits Limits => CostLimits.Of(_state.Mode);

    /// <summary>Takes effect on the next append of every session.</summary>
    public CostState Set(CostMode mode)
    {
        var state = StateOf(mode);
        _state = state;
        events.Publish(state);
        return state;
    }

    private static CostState StateOf(CostMode mode)
    {
        var limits = CostLimits.Of(mode);
        return new CostState
        {
            Mode = mode,
            SessionMaxBytes = limits.SessionMaxBytes,
            MaxUncompactedTurns = limits.MaxUncompactedTurns,
            ToolResultMaxBytes = limits.ToolResultMaxBytes,
        };
    }
}
