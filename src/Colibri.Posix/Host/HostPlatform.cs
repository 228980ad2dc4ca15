using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Tells the operating systems apart that Colibri runs on.</summary>
public static class HostPlatform
{
    /// <summary>The system this process runs on.</summary>
    public static OperatingSystemKind Kind { get; } =
        OperatingSystem.IsFreeBSD() ? OperatingSystemKind.FreeBsd : OfLinuxAbi(LinuxKernelVersion());

    /// <summary>Whether libc and system calls are Linux's: true also under FreeBSD's linux64.</summary>
    public static bool UsesLinuxAbi => Kind != OperatingSystemKind.FreeBsd;

    /// <param name="kernelVersion">
    /// uname(2)'s version: FreeBSD's own under linux64 ("FreeBSD 15.1-RELEASE-p1 …"), the build's number and date on Linux ("#1 SMP …").
    /// .NET's description of the system cannot be used: it is os-release's, which under linux64 is FreeBSD's or an installed Linux userland's.
    /// </param>
    internal static OperatingSystemKind OfLinuxAbi(string kernelVersion) =>
        kernelVersion.StartsWith("FreeBSD", StringComparison.Ordinal) ? OperatingSystemKind.LinuxOnFreeBsd : OperatingSystemKind.Linux;

    internal static unsafe string LinuxKernelVersion()
    {
        var names = stackalloc byte[AbiConstants.SizeOfUtsname];
        // Through syscall(): FreeBSD's uname() is an inline function of its header.
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? AbiConstants.SYS_uname_arm64 : AbiConstants.SYS_uname_x64;
        if (Libc.syscall(number, (nint)names, 0, 0, 0, 0) != 0)
            return "";
        var version = new ReadOnlySpan<byte>(names, AbiConstants.SizeOfUtsname)[AbiConstants.OffsetOfUtsVersion..];
        return Encoding.UTF8.GetString(version[..version.IndexOf((byte)0)]);
    }
}

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
