namespace Colibri.Core.Agents.Launch;

/// <summary>
/// What an agent harness tells its own children, and what must not reach an agent of ours: a daemon that was started from inside a harness would
/// hand its identity on, and Claude Code refuses to start inside another session. A harness' settings share its prefix and are the operator's,
/// so names are listed, and a prefix alone says nothing.
/// </summary>
internal static class HarnessVariables
{
    /// <summary>Each harness, the prefix of its variables, and those it sets for its children.</summary>
    private static readonly (string Prefix, string[] Names)[] Harnesses =
    [
        // Claude Code: that a session is around it, which one, and how to talk to it; of hooks and plug-ins, whose they are.
        ("CLAUDE_",
        [
            "CLAUDECODE", "CLAUDE_CODE", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_EXECPATH", "CLAUDE_CODE_IS_COWORK", "CLAUDE_CODE_MESSAGING_SOCKET",
            "CLAUDE_CODE_MESSAGING_TOKEN", "CLAUDE_CODE_REMOTE", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT", "CLAUDE_AGENT_SDK_VERSION", "CLAUDE_EFFORT", "CLAUDE_ENV_FILE",
            "CLAUDE_PID", "CLAUDE_PLUGIN_DATA", "CLAUDE_PLUGIN_ROOT", "CLAUDE_PROJECT_DIR", "CLAUDE_SESSION_ID",
        ]),
        // Codex: its thread, the sandbox its commands run in, and how it was installed.
        ("CODEX_",
        [
            "CODEX_CI", "CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "CODEX_MANAGED_BY_BUN", "CODEX_MANAGED_BY_NPM", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_SESSION_ID",
            "CODEX_THREAD_ID",
        ]),
        ("OPENCODE_",
        [
            "OPENCODE", "OPENCODE_CALLER", "OPENCODE_PID", "OPENCODE_PROCESS_ROLE", "OPENCODE_RUN_ID", "OPENCODE_SESSION_ID", "OPENCODE_TERMINAL",
        ]),
        ("PI_", ["PI_CODING_AGENT", "PI_SESSION_ID"]),
        // Its unattended retry waits for a provider without end.
        ("QWEN_CODE_", ["QWEN_CODE", "QWEN_CODE_UNATTENDED_RETRY"]),
        ("GEMINI_CLI_", ["GEMINI_CLI"]),
        ("CLINE_", ["CLINE_ACTIVE"]),
        ("COPILOT_", []),
        ("CURSOR_", ["CURSOR_AGENT", "CURSOR_TRACE_ID"]),
        ("GOOSE_", ["GOOSE_TERMINAL"]),
        // The names that several agree on.
        ("AI_AGENT_", ["AGENT", "AI_AGENT"]),
    ];

    /// <summary>How identities are named that a newer version may add: no setting of these harnesses ends so.</summary>
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
