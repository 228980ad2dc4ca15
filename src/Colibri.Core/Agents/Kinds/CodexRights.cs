namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// What Codex' runs may do, as 0.171 holds it: by its sandbox, whose helper it keeps below CODEX_HOME. It makes none there while that lies in the temporary
/// directory, and then every command fails.
/// </summary>
internal static class CodexRights
{
    // A command that the sandbox stops is told nowhere else. Only what bears an outcome is logged: a line for each.
    private static readonly Dictionary<string, string> TellsOutcomes = new() { ["RUST_LOG"] = "error,codex_otel.log_only[{outcome}]=info" };

    public static KindRights All { get; } = new()
    {
        Read = new("reads; its sandbox lets no command write, and has no network", "--sandbox=read-only") { Environment = TellsOutcomes },
        Edit = new(
            "writes in its directory, except .git, and in $TMPDIR where that is set; its sandbox lets no command write elsewhere, and has no network",
            "--sandbox=workspace-write", "--config=sandbox_workspace_write.exclude_slash_tmp=true")
        {
            Environment = TellsOutcomes,
        },
        Full = new("does all that its user may", "--dangerously-bypass-approvals-and-sandbox"),
    };
}
