using Colibri.Core.Agents.Kinds;
using Colibri.Core.Settings;

namespace Colibri.Core.Doctor;

/// <summary>What a kind of agent makes of an access.</summary>
/// <param name="Words">What such a run may do, in one line without a subject.</param>
/// <param name="IsHeld">Whether the kind keeps a run from what its access does not allow.</param>
/// <param name="WhyNot">Why the kind would not start so, and what to do; null where it would.</param>
internal sealed record ProfileRights(string Words, bool IsHeld, string? WhyNot)
{
    private const string ClaudeNeeds = "IS_SANDBOX";

    /// <summary>The one place that asks a kind for its rights.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="access">The access.</param>
    /// <param name="uid">The user it would run as.</param>
    /// <param name="variable">The value of a variable that it would find.</param>
    public static ProfileRights Of(AgentProfile kind, Access access, uint uid, Func<string, string?> variable) => new(
        access == Access.Full ? "does all that its user may" : $"is asked to {(access == Access.Read ? "read alone" : "write in its own place alone")}, as far as {kind.Name} can be held",
        IsHeld: access == Access.Full || kind.Name is "claude" or "codex",
        kind.Name == "claude" && access == Access.Full && uid == 0 && variable(ClaudeNeeds) != "1"
            ? $"Claude Code refuses full access as root: use another user, or access = \"edit\", or set {ClaudeNeeds}=1 in its environment where it is confined"
            : null);
}
