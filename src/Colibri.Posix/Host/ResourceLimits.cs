using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>The resource limits of this process, getrlimit(2).</summary>
public static unsafe class ResourceLimits
{
    /// <summary>
    /// Raises the limit of open files to <paramref name="wanted"/>, or as far as the hard limit allows; never lowers it. A
    /// native executable starts with what it inherits, by custom 1,024: only a runtime that is installed raises it by itself.
    /// Processes started afterwards inherit the new limit.
    /// </summary>
    /// <param name="wanted">Descriptors, at least 1.</param>
    /// <returns>The limits in force afterwards, <see cref="long.MaxValue"/> for none: a system that refuses shows in <c>Soft</c>.</returns>
    /// <exception cref="IOException">getrlimit(2) failed.</exception>
    public static (long Soft, long Hard) RaiseOpenFiles(long wanted)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 1);
        var limit = Read();
        if (limit.Soft < (ulong)wanted && limit.Soft < limit.Hard)
        {
            var raised = limit with { Soft = Math.Min(limit.Hard, (ulong)wanted) };
            if (Libc.setrlimit(AbiConstants.Current.RLIMIT_NOFILE, &raised) == 0)
                limit = Read();
        }
        return (ToLong(limit.Soft), ToLong(limit.Hard));
    }

    /// <summary>
    /// Keeps the memory of this process, and of those it starts, out of core files: RLIMIT_CORE becomes 0, soft and hard.
    /// </summary>
    /// <returns>False where the system refuses.</returns>
    public static bool ForbidCoreDumps()
    {
        var none = default(ResourceLimit);
        return Libc.setrlimit(AbiConstants.RLIMIT_CORE, &none) == 0;
    }

    private static ResourceLimit Read()
    {
        ResourceLimit limit;
        if (Libc.getrlimit(AbiConstants.Current.RLIMIT_NOFILE, &limit) != 0)
            throw new IOException($"cannot read the limit of open files: {Errno.Describe(Marshal.GetLastPInvokeError())}");
        return limit;
    }

    // RLIM_INFINITY: all bits on Linux, the highest long on FreeBSD.
    private static long ToLong(ulong limit) => (long)Math.Min(limit, long.MaxValue);
}
