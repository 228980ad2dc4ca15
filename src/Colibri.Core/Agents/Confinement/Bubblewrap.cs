using Colibri.Posix.Jails;
using Colibri.Posix.Spawning;

namespace Colibri.Core.Agents.Confinement;

/// <summary>
/// An agent under bwrap(1): it sees its root and nothing else of the host, cannot gain rights, and has processes, IPC and host name of its
/// own. Standard streams and environment pass through.
/// </summary>
/// <param name="program">The bwrap program.</param>
/// <param name="root">What becomes <c>/</c>.</param>
/// <param name="hasNetwork">Whether it shares the host's network.</param>
/// <param name="user">The user that runs bwrap, without rights, and the agent; null is the daemon's user. Needs root.</param>
/// <param name="trampoline">The daemon's own program, which becomes that user.</param>
public sealed class Bubblewrap(string program, JailRoot root, bool hasNetwork, JailUser? user = null, string? trampoline = null) : ConfinementPlan
{
    /// <inheritdoc/>
    public override JailRoot Root => root;

    /// <inheritdoc/>
    public override uint? Uid => user?.Ids.Uid;

    /// <inheritdoc/>
    public override string Description => $"bwrap {root.Path}{(hasNetwork ? "" : ", no network")}{(user is null ? "" : $", user {user.Name}")}";

    /// <inheritdoc/>
    public override ConfinedStart Start(
        string agentId, string program, IReadOnlyList<string> arguments, string? cwd, EnvironmentBlock variables)
    {
        var (execute, words) = (BwrapProgram, Arguments(program, arguments, cwd));
        if (user is not null)
            (execute, words) = (trampoline!, new JailExecArguments { Ids = user.Ids, Program = execute, Arguments = words }.ToArguments());
        return new ConfinedStart(execute, words, Inside(variables, cwd, user), []);
    }

    private string BwrapProgram => program;

    private IReadOnlyList<string> Arguments(string inside, IReadOnlyList<string> arguments, string? cwd) =>
    [
        "--bind", root.Path, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
        "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", .. hasNetwork ? Array.Empty<string>() : ["--unshare-net"],
        "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--chdir", cwd ?? "/", "--", inside, .. arguments,
    ];
}
