using System.Runtime.InteropServices;

namespace Colibri.Posix;

/// <summary>Tells the operating systems apart that Colibri runs on.</summary>
public static class HostPlatform
{
    /// <summary>The system this process runs on.</summary>
    public static OperatingSystemKind Kind { get; } = Classify(OperatingSystem.IsFreeBSD(), RuntimeInformation.OSDescription);

    /// <summary>Whether libc and system calls are Linux's: true also under FreeBSD's linux64.</summary>
    public static bool UsesLinuxAbi => Kind != OperatingSystemKind.FreeBsd;

    // Under linux64 IsFreeBSD() is false and uname's version names FreeBSD ("Linux 5.15.0 FreeBSD 15.1-RELEASE-p1").
    internal static OperatingSystemKind Classify(bool isFreeBsd, string description)
    {
        if (isFreeBsd)
            return OperatingSystemKind.FreeBsd;
        return description.Contains("Linux", StringComparison.Ordinal) && description.Contains("FreeBSD", StringComparison.Ordinal)
            ? OperatingSystemKind.LinuxOnFreeBsd
            : OperatingSystemKind.Linux;
    }
}
