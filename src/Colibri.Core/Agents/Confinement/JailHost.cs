using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Jails;

namespace Colibri.Core.Agents.Confinement;

/// <summary>The properties of a host on which a confinement depends, as a value, so that a plan for any host can be made on any.</summary>
public sealed record JailHost
{
    /// <summary>The system.</summary>
    public OperatingSystemKind Kind { get; init; } = HostPlatform.Kind;

    /// <summary>Whether the daemon is root.</summary>
    public bool IsRoot { get; init; } = ProcessUser.EffectiveUid == 0;

    /// <summary>The daemon's own program, which is the exec trampoline too.</summary>
    public string Daemon { get; init; } = Environment.ProcessPath ?? "/usr/local/bin/colibri-daemon";

    // Absolute paths, as on FreeBSD: a command that runs as root must not be found by PATH.
    public string Mdo { get; init; } = "/usr/bin/mdo";
    public string Sudo { get; init; } = "/usr/local/bin/sudo";
    public string Jexec { get; init; } = "/usr/sbin/jexec";
    public string Jail { get; init; } = "/usr/sbin/jail";
    public string Jls { get; init; } = "/usr/sbin/jls";
    public string Ps { get; init; } = "/bin/ps";
    public string True { get; init; } = "/usr/bin/true";

    /// <summary>Asks the kernel for a jail's root by name; null where only jls(8) can be asked.</summary>
    public Func<string, string?>? RootOf { get; init; } = HostPlatform.Kind == OperatingSystemKind.FreeBsd ? HostJails.RootOf : null;

    /// <summary>Has the kernel remove a jail by name; null where only jail(8) can do so.</summary>
    public Func<string, bool>? Remove { get; init; } =
        HostPlatform.Kind == OperatingSystemKind.FreeBsd && ProcessUser.EffectiveUid == 0 ? HostJails.Remove : null;

    /// <summary>Whether the daemon itself can make the jail system calls: it is native and root.</summary>
    public bool HasOwnCalls => Kind == OperatingSystemKind.FreeBsd && IsRoot;

    /// <summary>The prefix that makes a command run as root: empty if the daemon is root; null where there is no way.</summary>
    public IReadOnlyList<string>? Privilege(JailPrivilegeMode mode) => (IsRoot, mode) switch
    {
        (true, _) => [],
        (_, JailPrivilegeMode.Mdo) => [Mdo, "-u", "root"],
        (_, JailPrivilegeMode.Sudo) => [Sudo, "-n"],
        _ => null,
    };
}
