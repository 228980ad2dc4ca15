using System.Text;
using Colibri.Posix.Host;

namespace Colibri.Posix.Processes;

/// <summary>The name of the program that a process executes, as the kernel keeps it: at most 15 bytes on Linux, 19 on FreeBSD.</summary>
public static class ProcessName
{
    /// <summary>The name, invalid UTF-8 and control characters as U+FFFD; null where the process is gone or hidden.</summary>
    public static string? Of(ProcessIdentity process)
    {
        Span<byte> buffer = stackalloc byte[64];
        try
        {
            var length = HostPlatform.UsesLinuxAbi ? LinuxProcesses.ReadName(process.Pid, buffer) : FreeBsdProcesses.ReadName(process.Pid, buffer);
            // The number may be another process's by now.
            return length > 0 && process.IsRunning ? Clean(buffer[..length]) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    internal static string? Clean(ReadOnlySpan<byte> name)
    {
        var text = Encoding.UTF8.GetString(name);
        return text.Length == 0 ? null : string.Create(text.Length, text, static (clean, from) =>
        {
            for (var i = 0; i < from.Length; i++) clean[i] = char.IsControl(from[i]) ? '\uFFFD' : from[i];
        });
    }
}
