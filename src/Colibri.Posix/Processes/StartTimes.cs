using Colibri.Posix.Host;

namespace Colibri.Posix.Processes;

/// <summary>Compares start times of processes, as far as the system tells them: the only place that may.</summary>
/// <remarks>
/// linprocfs computes a start time as the difference of two times that it rounds by themselves. When the host's clock is set, the difference of a
/// living process moves by one tick up or down (seen on FreeBSD 15.1). Linux' field 22 of /proc/PID/stat and FreeBSD's own number do not move.
/// </remarks>
public static class StartTimes
{
    /// <summary>Ticks by which two readings of one process may differ under linprocfs: twice what was seen.</summary>
    private const long LinprocfsTicks = 2;

    /// <summary>Whether both may be the start time of one process.</summary>
    public static bool AreSame(long left, long right) => AreSame(left, right, HostPlatform.Kind);

    /// <summary>Whether the first process was certainly started before the second.</summary>
    public static bool IsBefore(long first, long second) => IsBefore(first, second, HostPlatform.Kind);

    internal static bool AreSame(long left, long right, OperatingSystemKind kind) => Math.Abs(left - right) <= Tolerance(kind);

    internal static bool IsBefore(long first, long second, OperatingSystemKind kind) => second - first > Tolerance(kind);

    private static long Tolerance(OperatingSystemKind kind) => kind == OperatingSystemKind.LinuxOnFreeBsd ? LinprocfsTicks : 0;
}
