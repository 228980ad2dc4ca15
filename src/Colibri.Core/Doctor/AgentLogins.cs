namespace Colibri.Core.Doctor;

/// <summary>Where kinds of agents keep a login of their own, which may stand in for a key.</summary>
internal static class AgentLogins
{
    /// <summary>By kind: the variable that names the directory, what that is by default below HOME, the file in it, and how one logs in.</summary>
    private static readonly (string Kind, string Variable, string Default, string File, string Command)[] Known =
    [
        ("claude", "CLAUDE_CONFIG_DIR", ".claude", ".credentials.json", "claude /login"),
        ("codex", "CODEX_HOME", ".codex", "auth.json", "codex login"),
        ("opencode", "XDG_DATA_HOME", ".local/share", "opencode/auth.json", "opencode auth login"),
        ("pi", "PI_CODING_AGENT_DIR", ".pi/agent", "auth.json", "pi (then type /login)"),
    ];

    /// <summary>The login of a kind; null where nobody knows of one.</summary>
    /// <param name="kind">The kind's name.</param>
    /// <param name="variable">A variable that the agent would find; null where it would find none.</param>
    public static AgentLogin? Of(string kind, Func<string, string?> variable)
    {
        foreach (var known in Known)
        {
            if (known.Kind != kind)
                continue;
            var directory = variable(known.Variable) is { Length: > 0 } stated ? stated : variable("HOME") is { Length: > 0 } home ? Path.Combine(home, known.Default) : null;
            return new AgentLogin(directory is null ? null : Path.Combine(directory, known.File), known.Command);
        }
        return null;
    }
}

/// <summary>A login of an agent's own.</summary>
/// <param name="File">The file that holds it once it was made; null where the agent has no home directory.</param>
/// <param name="Command">What makes it.</param>
internal sealed record AgentLogin(string? File, string Command);
