namespace Colibri.Posix.Host;

/// <summary>What runs this process: its ABI and the tools around it.</summary>
public enum OperatingSystemKind
{
    /// <summary>A Linux kernel.</summary>
    Linux,

    /// <summary>FreeBSD, native executable.</summary>
    FreeBsd,

    /// <summary>A Linux executable under FreeBSD's linux64: Linux constants, FreeBSD tools, perhaps no /proc.</summary>
    LinuxOnFreeBsd,
}
