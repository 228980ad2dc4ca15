using System.Globalization;
using Colibri.Posix.Jails;

namespace Colibri.Core.Agents.Confinement;

/// <summary>The command lines of FreeBSD's jail tools, the program first. Nothing secret is among them.</summary>
/// <param name="host">Where the tools are.</param>
/// <param name="privilege">What makes a command root's.</param>
public sealed class JailCommands(JailHost host, IReadOnlyList<string> privilege)
{
    /// <summary>
    /// Run inside by sh(1): <c>$1</c> is where environment and directory are left, the rest is what to execute. Root opens the files; what
    /// is in them is taken in by whoever the agent is to be, so that nothing that was slipped in there is ever run by root for
    /// another user. OLDPWD is the cd's doing.
    /// </summary>
    public const string Enter = """
        exec 3<"$1/environment" 4<"$1/directory" && shift && eval "$(/bin/cat <&4)" && unset OLDPWD && eval "$(/bin/cat <&3)" && exec "$@" 3<&- 4<&-
        """;

    /// <summary>The same for another user: <c>$2</c> to <c>$4</c> are uid, gid and groups, <c>$5</c> is <see cref="Continue"/>.</summary>
    public const string EnterAs = """
        exec 3<"$1/environment" 4<"$1/directory" && user=$2 group=$3 groups=$4 go=$5 && shift 5 && exec /usr/sbin/chroot -u "$user" -g "$group" -G "$groups" / /bin/sh -c "$go" sh "$@"
        """;

    /// <summary>What is left to do as that user.</summary>
    public const string Continue = """
        eval "$(/bin/cat <&4)" && unset OLDPWD && eval "$(/bin/cat <&3)" && exec "$@" 3<&- 4<&-
        """;

    /// <summary>Starts a program in a jail that is there.</summary>
    public IReadOnlyList<string> Start(string jail, IReadOnlyList<string> inside) => [.. privilege, host.Jexec, jail, .. inside];

    /// <summary>Starts a program in a jail that is made for it and gone with its last process.</summary>
    public IReadOnlyList<string> StartNew(string jail, string root, JailNetwork network, IReadOnlyList<string> inside)
    {
        string[] addresses = network.Text is "inherit" or "disable"
            ? [$"ip4={network.Text}", $"ip6={network.Text}"]
            : [$"ip4.addr={network.Text}", "ip6=disable"];
        return [.. privilege, host.Jail, "-q", "-c", $"name={jail}", $"path={root}", .. addresses, $"command={inside[0]}", .. inside.Skip(1)];
    }

    /// <summary>What is run inside: an empty environment but for the marker, by which the process is found before it has read its own.</summary>
    public static IReadOnlyList<string> Inside(string stage, string marker, UserIds? ids, string program, IReadOnlyList<string> arguments)
    {
        string[] shell = ["/usr/bin/env", "-i", marker, "/bin/sh", "-c"];
        return ids is null
            ? [.. shell, Enter, "sh", stage, program, .. arguments]
            : [.. shell, EnterAs, "sh", stage, Number(ids.Uid), Number(ids.Gid), string.Join(',', ids.Groups), Continue, program, .. arguments];
    }

    /// <summary>Signals processes of a jail from within it: whatever else may have such a number by now, it is not outside.</summary>
    public IReadOnlyList<string> Signal(string jail, string signal, IEnumerable<int> pids) =>
        [.. privilege, host.Jexec, jail, "/bin/kill", $"-{signal}", .. pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Kills all that is in a jail, and the jail.</summary>
    public IReadOnlyList<string> Remove(string jail) => [.. privilege, host.Jail, "-q", "-R", jail];

    /// <summary>Prints the root of a jail; needs no privilege.</summary>
    public IReadOnlyList<string> RootOf(string jail) => [host.Jls, "-j", jail, "path"];

    /// <summary>Asks whether a tool may be run as root; null where the daemon is.</summary>
    public IReadOnlyList<string>? MayRun(string tool) =>
        privilege.Count == 0 ? null : privilege[0] == host.Sudo ? [.. privilege, "-l", tool] : [.. privilege, host.True];

    private static string Number(uint id) => id.ToString(CultureInfo.InvariantCulture);
}
