using Colibri.Core.Panes.Dialects;

namespace Colibri.Core.Cost;

/// <summary>
/// What the agents' own sessions have used in all, as their latest reports say. An agent that takes up a session reports its totals again, and
/// only what is above these is new. Keeps the latest <see cref="MaxSessions"/>; safe from any thread.
/// </summary>
public sealed class SessionTotals
{
    /// <summary>The most sessions remembered; of a forgotten one all counts as new.</summary>
    public const int MaxSessions = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Age, IReadOnlyList<SessionModelTotal> Models)> _sessions = new(StringComparer.Ordinal);
    private long _age;

    /// <summary>The totals of a session by model; none for an unknown one.</summary>
    public IReadOnlyList<SessionModelTotal> Of(string session)
    {
        lock (_gate) return _sessions.TryGetValue(session, out var known) ? known.Models : [];
    }

    /// <summary>Replaces what is known of a session.</summary>
    public void Set(SessionUsage session)
    {
        ArgumentNullException.ThrowIfNull(session);
        lock (_gate)
        {
            _sessions[session.Session] = (++_age, session.Models);
            if (_sessions.Count > MaxSessions)
                _sessions.Remove(_sessions.MinBy(known => known.Value.Age).Key);
        }
    }
}

/// <summary>What one session has used in all.</summary>
/// <param name="Session">The agent's kind and its own id of the session.</param>
/// <param name="Models">One total for each model.</param>
public sealed record SessionUsage(string Session, IReadOnlyList<SessionModelTotal> Models);

/// <summary>What a session has used of one model.</summary>
public readonly record struct SessionModelTotal(string Model, UsageReport Total);
