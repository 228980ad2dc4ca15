using Colibri.Core.Events;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Cost;

/// <summary>The cost mode in force. Reading it takes no lock; a change is published.</summary>
public sealed class CostControl(CostMode initial, EventHub events)
{
    // Held over a change and its event, so that the last event that a subscriber sees is the mode in force. Publishing never waits.
    private readonly Lock _changing = new();
    private CostState _state = StateOf(initial);

    public CostState State => Volatile.Read(ref _state);

    public CostLimits Limits => CostLimits.Of(State.Mode);

    /// <summary>Takes effect on the next append of every session.</summary>
    public CostState Set(CostMode mode)
    {
        lock (_changing)
            return Change(StateOf(mode));
    }

    /// <summary>
    /// Raises the mode because a session could not be kept within <paramref name="from"/>. The mode does not come down by itself: it is one
    /// setting for the whole host, and lowering it is the operator's decision.
    /// </summary>
    /// <param name="from">The mode whose limits were too narrow.</param>
    /// <param name="to">The mode whose limits are wide enough, or the highest.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="at">The current time.</param>
    /// <returns>The new state; null where another mode is in force by now.</returns>
    public CostState? Escalate(CostMode from, CostMode to, string sessionId, DateTimeOffset at)
    {
        lock (_changing)
        {
            // Two sessions may ask for the same step at once; the first one makes it for both.
            var before = State;
            if (before.Mode != from)
                return null;
            return Change(StateOf(to) with
            {
                EscalatedFrom = before.EscalatedFrom ?? from,
                EscalatedAt = at,
                EscalatedBy = sessionId,
            });
        }
    }

    private CostState Change(CostState state)
    {
        Volatile.Write(ref _state, state);
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
