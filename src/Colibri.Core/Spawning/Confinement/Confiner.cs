using Colibri.Core.Configuration;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Spawning.Confinement;

/// <summary>Decides how an agent is confined as it was asked for, or refuses: nothing that was to be confined ever runs without.</summary>
public sealed class Confiner(DaemonConfiguration configuration, ProgramPath programs, bool isLinux)
{
    private const string NoNetwork = "disable";

    /// <summary>How; null where no confinement was asked for.</summary>
    /// <exception cref="SpawnRefusedException">It cannot be given, and why.</exception>
    public Bubblewrap? Plan(JailRequest? jail)
    {
        if (jail is null)
            return null;
        if (!isLinux)
            throw Refused("this version confines agents on Linux only");
        if (jail.Name is not null)
            throw Refused("Linux has no jails to enter by name; give jail.path");
        if (jail.User is not null)
            throw Refused("under bwrap an agent stays the daemon's user; leave jail.user out");
        if (jail.Path is not { Length: > 0 } path)
            throw new SpawnRefusedException(SpawnRefusal.JailPathWrong, "jail.path is missing: the directory that becomes its /");
        if (jail.Ip4 is not (null or "inherit" or NoNetwork))
            throw Refused($"jail.ip4 '{jail.Ip4}' cannot be given by bwrap; it can be inherit or {NoNetwork}");
        if (programs.Find("bwrap") is not { } bwrap)
            throw Refused("bwrap is not installed (apt install bubblewrap)");
        return new Bubblewrap(bwrap, JailRoot.Accept(path, configuration.JailRootBase), hasNetwork: jail.Ip4 != NoNetwork);
    }

    private static SpawnRefusedException Refused(string reason) => new(SpawnRefusal.NotConfinable, $"{reason}; nothing was started");
}
