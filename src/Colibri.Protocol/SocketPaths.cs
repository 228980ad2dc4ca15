namespace Colibri.Protocol;

/// <summary>The path of the daemon's socket, by the same rule for the daemon and its clients.</summary>
public static class SocketPaths
{
    public const string EnvironmentVariable = "COLIBRI_DAEMON_SOCKET";

    /// <summary>The service's socket, made by its rc.d script or unit.</summary>
    public const string Service = "/var/run/colibri/colibri.sock";

    /// <summary>
    /// <c>COLIBRI_DAEMON_SOCKET</c> where set; the service's directory where it is there and usable; else
    /// <c>$XDG_RUNTIME_DIR/colibri/colibri.sock</c>, else <c>$HOME/.colibri/run/colibri.sock</c>.
    /// </summary>
    /// <param name="environment">Looks a variable up; null or empty means unset.</param>
    /// <param name="serviceDirectoryUsable">Whether this user may use the service's directory.</param>
    public static string Resolve(Func<string, string?> environment, Func<bool> serviceDirectoryUsable)
    {
        if (environment(EnvironmentVariable) is { Length: > 0 } stated)
            return stated;
        if (serviceDirectoryUsable())
            return Service;
        if (environment("XDG_RUNTIME_DIR") is { Length: > 0 } runtime)
            return Path.Combine(runtime, "colibri", "colibri.sock");
        return environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".colibri", "run", "colibri.sock") : Service;
    }

    /// <summary>
    /// The same for a client. A daemon of one's own comes before the service: who started one means that one, also as a member of the service's group.
    /// Root's daemon is the service wherever that is installed.
    /// </summary>
    /// <param name="environment">As for <see cref="Resolve"/>.</param>
    /// <param name="isRoot">Whether the client is root.</param>
    /// <param name="isSocket">Whether a socket's file is there.</param>
    /// <param name="isDirectory">Whether a directory is there.</param>
    public static string ResolveForClient(Func<string, string?> environment, bool isRoot, Predicate<string> isSocket, Predicate<string> isDirectory)
    {
        ArgumentNullException.ThrowIfNull(isSocket);
        ArgumentNullException.ThrowIfNull(isDirectory);
        return Resolve(environment, () =>
        {
            var isOwnThere = isSocket(Resolve(environment, static () => false));
            return isRoot && isSocket(Service) || (!isOwnThere && isDirectory(Path.GetDirectoryName(Service)!));
        });
    }
}
