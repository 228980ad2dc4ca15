using System.Text;
using Colibri.Posix.Host;

namespace Colibri.Posix.Jails;

/// <summary>The jails of this host, asked of the kernel. Native FreeBSD only.</summary>
public static class HostJails
{
    /// <summary>Where the root of a jail is, as the host sees it; null where there is no jail of that name.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    /// <exception cref="PlatformNotSupportedException">Not a native FreeBSD process.</exception>
    public static string? RootOf(string name)
    {
        RequireFreeBsd();
        var parameters = JailParameters.ForRoot(name, out var path);
        return JailCalls.Get(parameters) < 0 ? null : Encoding.UTF8.GetString(path.AsSpan(0, Math.Max(0, path.AsSpan().IndexOf((byte)0))));
    }

    /// <summary>Kills every process of a jail and removes it; false where there is no jail of that name. Needs root.</summary>
    /// <exception cref="IOException">It was refused.</exception>
    /// <exception cref="PlatformNotSupportedException">Not a native FreeBSD process.</exception>
    public static bool Remove(string name)
    {
        RequireFreeBsd();
        return JailCalls.Get(JailParameters.ForName(name)) is >= 0 and var jid && JailCalls.Remove(jid);
    }

    internal static void RequireFreeBsd()
    {
        if (HostPlatform.Kind != OperatingSystemKind.FreeBsd)
            throw new PlatformNotSupportedException("jails are entered natively on FreeBSD only");
    }
}
