using Colibri.Core.Agents.Kinds;

namespace Colibri.Core.Agents.Launch;

/// <summary>
/// The variables that an agent harness sets for its own children. They must not reach our agents: a daemon that was started from inside a
/// harness would pass on that harness' identity, and Claude Code refuses to start inside another session. The operator's settings of a harness
/// share its prefix, so each name is listed, and a prefix alone decides nothing.
/// </summary>
internal static class HarnessVariables
{
    /// <summary>The kinds that Colibri starts, and harnesses that a daemon may have been started from.</summary>
    private static readonly ChildVariables[] Harnesses =
    [
        .. AgentProfiles.All.Select(profile => profile.ChildVariables).OfType<ChildVariables>(),
        // The names that several agree on.
        new("AI_AGENT_", ["AGENT", "AI_AGENT"]),
    ];

    /// <summary>The endings of identity variables that a newer version may add; no setting of these harnesses ends so.</summary>
    private static readonly string[] Identities = ["_SESSION_ID", "_THREAD_ID", "_CHILD_SESSION", "_ENTRYPOINT", "_EXECPATH", "_PID", "_SSE_PORT"];

    private static readonly HashSet<string> Listed = Harnesses.SelectMany(harness => harness.Names).ToHashSet(StringComparer.Ordinal);

    /// <summary>Every name that is listed.</summary>
    public static IReadOnlyCollection<string> Names => Listed;

    /// <summary>Whether a harness sets this for its children.</summary>
    public static bool Contains(string name) =>
        Listed.Contains(name)
        || (Array.Exists(Harnesses, harness => name.StartsWith(harness.Prefix, StringComparison.Ordinal))
            && Array.Exists(Identities, identity => name.EndsWith(identity, StringComparison.Ordinal)));
}
