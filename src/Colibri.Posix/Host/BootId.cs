using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Colibri.Posix.Interop;
using Colibri.Posix.Processes;

namespace Colibri.Posix.Host;

/// <summary>Names the current boot, so that a pid noted before a reboot is never taken for one of after it.</summary>
public static class BootId
{
    /// <summary>
    /// Linux: /proc/sys/kernel/random/boot_id. FreeBSD: kern.boot_id in hexadecimal (kern.boottime moves when the clock is
    /// set). A Linux executable on a FreeBSD host without that file in its linprocfs: "btime" and the second of boot out of
    /// /proc/stat; without any /proc: "unknown", where no process has a start time either and none is ever taken for
    /// running or signalled by its recorded identity.
    /// </summary>
    /// <exception cref="IOException">It cannot be read now, as a rule for want of descriptors; a later reading may succeed.</exception>
    public static string Current => field ??= HostPlatform.UsesLinuxAbi ? ReadLinux() : ReadFreeBsd();

    private static string ReadLinux()
    {
        Span<byte> buffer = stackalloc byte[128];
        var length = ProcFile.Read("/proc/sys/kernel/random/boot_id\0"u8, buffer);
        if (length > 0)
            return Encoding.ASCII.GetString(buffer[..length]).Trim();
        return ReadBootTime() ?? "unknown";
    }

    private static string? ReadBootTime()
    {
        try
        {
            return File.ReadLines("/proc/stat").FirstOrDefault(line => line.StartsWith("btime ", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static unsafe string ReadFreeBsd()
    {
        Span<byte> id = stackalloc byte[16];
        nuint length = 16;
        fixed (byte* name = "kern.boot_id\0"u8)
        fixed (byte* value = id)
        {
            if (FreeBsdLibc.sysctlbyname(name, value, &length, null, 0) == 0 && length == 16)
                return Convert.ToHexStringLower(id);
        }
        return string.Create(CultureInfo.InvariantCulture, $"boottime {FreeBsdProcesses.BootTimeMicroseconds()}");
    }
}
