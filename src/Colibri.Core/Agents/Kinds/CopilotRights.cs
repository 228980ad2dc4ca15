namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// What the Copilot CLI's runs may do, as 1.0.102 holds it: a call that it would ask about is refused, and the run goes on and says so
/// (<c>error.code</c> <c>denied</c>).
/// </summary>
internal static class CopilotRights
{
    public static KindRights All { get; } = new()
    {
        // What it is started with is all that it takes: there is no flag that asks for less.
        Read = new("reads; a write, and a command that may change something, is refused"),
        // By itself it lets all runs write in the temporary directory, which they share.
        Edit = new(
            "writes in its directory alone, also by a command that does no more; another write, and another command that may change something, is refused",
            "--allow-tool=write", "--disallow-temp-dir"),
        Full = new("does all that its user may", "--allow-all-tools", "--allow-all-paths"),
    };
}
