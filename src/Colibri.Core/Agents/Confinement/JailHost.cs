using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Jails;

namespace Colibri.Core.Agents.Confinement;

/// <summary>What the plan of a confinement depends on, as a value: every kind of host can be planned for on any.</summary>
public sealed record JailHost
{
    /// <summary>The system.</summary>
    public OperatingSystemKind Kind { get; init; } = HostPlatform.Kind;

    /// <summary>Whether the daemon is root.</summary>
    public bool IsRoot { get; init; } = ProcessUser.EffectiveUid == 0;

    /// <summary>The daemon's own program, which is the exec trampoline too.</summary>
    public string Daemon { get; init; } = Environment.ProcessPath ?? "/usr/local/bin/colibri-daemon";

    // Absolute, as FreeBSD has them: what is done as root must not be found by a PATH.
    public string Mdo { get; init; } = "/usr/bin/mdo";
    public string Sudo { get; init; } = "/usr/local/bin/sudo";
    public string Jexec { get; init; } = "/usr/sbin/jexec";
    public string Jail { get; init; } = "/usr/sbin/jail";
    public string Jls { get; init; } = "/usr/sbin/jls";
    public string True { get; init; } = "/usr/bin/true";

    /// <summary>Asks the kernel for a jail's root by name; null where it cannot be asked, and jls(8) is.</summary>
    public Func<string, string?>? RootOf { get; init; } = HostPlatform.Kind == OperatingSystemKind.FreeBsd ? HostJails.RootOf : null;

    /// <summary>Has the kernel remove a jail by name; null where it cannot be asked, and jail(8) is.</summary>
    public Func<string, bool>? Remove { get; init; } =
        HostPlatform.Kind == OperatingSystemKind.FreeBsd && ProcessUser.EffectiveUid == 0 ? HostJails.Remove : null;

    /// <summary>Whether the daemon's own system calls are those of jails: native, and root.</summary>
    public bool HasOwnCalls => Kind == OperatingSystemKind.FreeBsd && IsRoot;

    /// <summary>What a command is prefixed with to be root's: nothing where the daemon is root; null where it cannot be had.</summary>
    public IReadOnlyList<string>? Privilege(JailPrivilegeMode mode) => (IsRoot, mode) switch
    {
        (true, _) => [],
        (_, JailPrivilegeMode.Mdo) => [Mdo, "-u", "root"],
        (_, JailPrivilegeMode.Sudo) => [Sudo, "-n"],
        _ => null,
    };
}
