namespace Colibri.Core.Spawning.Confinement;

/// <summary>
/// An agent under bwrap(1): the root it was given and nothing else of the host; no way to more rights; processes, IPC and host name
/// of its own. What it inherits passes through: standard streams, environment.
/// </summary>
/// <param name="program">The bwrap program.</param>
/// <param name="root">What becomes <c>/</c>.</param>
/// <param name="hasNetwork">Whether it shares the host's network.</param>
public sealed class Bubblewrap(string program, JailRoot root, bool hasNetwork)
{
    /// <summary>What becomes <c>/</c>.</summary>
    public JailRoot Root => root;

    /// <summary>What is executed.</summary>
    public string Program => program;

    /// <summary>For the log, the pane and the record.</summary>
    public string Description => $"bwrap {root.Path}{(hasNetwork ? "" : ", no network")}";

    /// <summary>The arguments that start a program inside.</summary>
    /// <param name="inside">Its path there.</param>
    /// <param name="arguments">Its own arguments.</param>
    /// <param name="cwd">Its working directory there; null is <c>/</c>.</param>
    public IReadOnlyList<string> Arguments(string inside, IReadOnlyList<string> arguments, string? cwd) =>
    [
        "--bind", root.Path, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
        "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", .. hasNetwork ? Array.Empty<string>() : ["--unshare-net"],
        "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--chdir", cwd ?? "/", "--", inside, .. arguments,
    ];

    /// <summary>The environment inside: what leads to places outside is left out.</summary>
    public static Dictionary<string, string> Environment(IReadOnlyDictionary<string, string> variables, string? cwd)
    {
        var inside = new Dictionary<string, string>(variables, StringComparer.Ordinal) { ["PWD"] = cwd ?? "/", ["HOME"] = cwd ?? "/", ["TMPDIR"] = "/tmp" };
        inside["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
        inside.Remove(Protocol.SocketPaths.EnvironmentVariable);
        return inside;
    }
}
