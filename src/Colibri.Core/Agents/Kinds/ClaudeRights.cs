namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// What Claude Code's runs may do, as 2.1.332 holds it. A call that it would ask about is refused, because nobody is there to answer: the run goes on,
/// and says so (<c>permission_denied</c>). The settings of its user and of the repository may allow more.
/// </summary>
internal static class ClaudeRights
{
    // Asking wins over what those settings allow, and each write is then refused by name. A rule that denies would be silent.
    private const string AskToWrite = """{"permissions":{"ask":["Edit","Write","NotebookEdit"]}}""";

    // Its own sandbox for commands, of bwrap and socat, writes in the working directory alone. Without the two it warns on standard error, and commands
    // need a permission as before. It must not ask to leave the sandbox: allowed commands of the user's would then run outside.
    private const string Sandboxed = """{"sandbox":{"enabled":true,"autoAllowBashIfSandboxed":true,"allowUnsandboxedCommands":false}}""";

    public static KindRights All { get; } = new()
    {
        Read = new(
            "reads; a write, and a command that may change something, is refused unless Claude's own settings of its user or of the repository allow it",
            "--permission-mode=default", $"--settings={AskToWrite}"),
        Edit = new(
            "writes in its directory alone; its commands run in Claude's sandbox, without network, where bwrap and socat are installed, and are else refused but for simple ones; Claude's own settings of its user or of the repository may allow more",
            "--permission-mode=acceptEdits", $"--settings={Sandboxed}"),
        Full = new("does all that its user may", "--dangerously-skip-permissions")
        {
            RootNeeds = new(
                "IS_SANDBOX", "1",
                "Claude Code refuses full access as root: use another user, or access = \"edit\", or set IS_SANDBOX=1 in its environment where it is confined"),
        },
    };
}
