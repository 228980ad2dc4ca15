using System.Globalization;
using Colibri.Posix.Jails;

namespace Colibri.Core.Agents.Confinement;

/// <summary>
/// The command lines of FreeBSD's jail tools, the program first. They hold no secret. jail(8) passes on exit codes 0 and 1 only, so verdicts
/// rest on the events first.
/// </summary>
/// <param name="host">The paths of the tools.</param>
/// <param name="privilege">The prefix that makes a command run as root.</param>
public sealed class JailCommands(JailHost host, IReadOnlyList<string> privilege)
{
    /// <summary>
    /// The script that sh(1) runs inside: <c>$1</c> is the directory with the staged files, the rest is the command to execute. Root opens the
    /// files, but only the agent's user evaluates their content; otherwise a prisoner could plant shell code that root would run. OLDPWD is unset
    /// because <c>cd</c> sets it.
    /// </summary>
    public const string Enter = """
        exec 3<"$1/environment" 4<"$1/directory" && shift && eval "$(/bin/cat <&4)" && unset OLDPWD && eval "$(/bin/cat <&3)" && exec "$@" 3<&- 4<&-
        """;

    /// <summary>
    /// The same for another user: <c>$2</c> to <c>$4</c> are uid, gid and groups, <c>$5</c> is <see cref="Continue"/>. chroot(8) inside changes the
    /// user, and not <c>jexec -U</c>, which would do so before the staged files are open.
    /// </summary>
    public const string EnterAs = """
        exec 3<"$1/environment" 4<"$1/directory" && user=$2 group=$3 groups=$4 go=$5 && shift 5 && exec /usr/sbin/chroot -u "$user" -g "$group" -G "$groups" / /bin/sh -c "$go" sh "$@"
        """;

    /// <summary>The rest of the script, which runs as that user.</summary>
    public const string Continue = """
        eval "$(/bin/cat <&4)" && unset OLDPWD && eval "$(/bin/cat <&3)" && exec "$@" 3<&- 4<&-
        """;

    /// <summary>Starts a program in an existing jail.</summary>
    public IReadOnlyList<string> Start(string jail, IReadOnlyList<string> inside) => [.. privilege, host.Jexec, jail, .. inside];

    /// <summary>Starts a program in a new jail that ends with its last process. Without allow.mlock (jail(8)) no .NET program comes up in it.</summary>
    public IReadOnlyList<string> StartNew(string jail, string root, JailNetwork network, IReadOnlyList<string> inside)
    {
        string[] addresses = network.Text is "inherit" or "disable"
            ? [$"ip4={network.Text}", $"ip6={network.Text}"]
            : [$"ip4.addr={network.Text}", "ip6=disable"];
        return [.. privilege, host.Jail, "-q", "-c", $"name={jail}", $"path={root}", .. addresses, "allow.mlock", $"command={inside[0]}", .. inside.Skip(1)];
    }

    /// <summary>
    /// The command that is run inside. Its environment holds the marker alone, by which the process is found before it has read its environment.
    /// </summary>
    public static IReadOnlyList<string> Inside(string stage, string marker, UserIds? ids, string program, IReadOnlyList<string> arguments)
    {
        string[] shell = ["/usr/bin/env", "-i", marker, "/bin/sh", "-c"];
        return ids is null
            ? [.. shell, Enter, "sh", stage, program, .. arguments]
            : [.. shell, EnterAs, "sh", stage, Number(ids.Uid), Number(ids.Gid), string.Join(',', ids.Groups), Continue, program, .. arguments];
    }

    /// <summary>Signals processes of a jail from within it, so that no process outside is hit even if a pid was reused.</summary>
    public IReadOnlyList<string> Signal(string jail, string signal, IEnumerable<int> pids) =>
        [.. privilege, host.Jexec, jail, "/bin/kill", $"-{signal}", .. pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Kills all processes of a jail, from within it.</summary>
    public IReadOnlyList<string> KillAll(string jail) => [.. privilege, host.Jexec, jail, "/bin/kill", "-KILL", "-1"];

    /// <summary>
    /// Prints the pid, the environment and the arguments of each process in a jail. The host's own ps(1), since the jail's may be the agent's work. Only
    /// root reads the environment of another user's process.
    /// </summary>
    public IReadOnlyList<string> Environments(string jail) => [.. privilege, host.Ps, "-J", jail, "-wwe", "-o", "pid=,command="];

    /// <summary>Removes a jail. jail(8) asks its processes to end by SIGTERM, and waits 10 s for that.</summary>
    public IReadOnlyList<string> Remove(string jail) => [.. privilege, host.Jail, "-q", "-R", jail];

    /// <summary>Prints the root of a jail; needs no privilege.</summary>
    public IReadOnlyList<string> RootOf(string jail) => [host.Jls, "-j", jail, "path"];

    /// <summary>
    /// Asks whether a tool may be run as root; null if the daemon is root. mdo is asked for <c>true</c>, sudo (-l) for the tool itself. Asked before
    /// the claim, because a start that the system would refuse must not cost an attempt.
    /// </summary>
    public IReadOnlyList<string>? MayRun(string tool) =>
        privilege.Count == 0 ? null : privilege[0] == host.Sudo ? [.. privilege, "-l", tool] : [.. privilege, host.True];

    private static string Number(uint id) => id.ToString(CultureInfo.InvariantCulture);
}
