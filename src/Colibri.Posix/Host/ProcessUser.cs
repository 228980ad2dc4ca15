using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>The user this process acts as.</summary>
public static class ProcessUser
{
    /// <summary>geteuid(2); 0 is root.</summary>
    public static uint EffectiveUid => Libc.geteuid();

    /// <summary>getegid(2).</summary>
    public static uint EffectiveGid => Libc.getegid();
}
