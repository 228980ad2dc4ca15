using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Cgroups;

/// <summary>
/// The cgroup v2 of this process, if the process may make others below it. A controller is enabled there only when it is asked for, because then no
/// process can be in it (the "no internal processes" rule), and this process is: it has to move (<see cref="MemoryController"/>).
/// </summary>
public sealed class OwnCgroup
{
    private readonly MemoryController _memory;
    private readonly MemoryController _processes;

    internal OwnCgroup(string path)
    {
        var above = AboveOf(path) is { } unit && IsMarked(unit) ? unit : null;
        (Path, _memory, _processes) = (path, new MemoryController(path, above), new MemoryController(path, above, controller: "pids"));
    }

    /// <summary>Its directory.</summary>
    public string Path { get; }

    /// <summary>Finds it, and tries to make a cgroup in it.</summary>
    /// <param name="reason">Why it cannot be used, in a few words.</param>
    public static OwnCgroup? Find(out string reason)
    {
        if (HostPlatform.Kind != OperatingSystemKind.Linux)
        {
            reason = "this system has none";
            return null;
        }
        try
        {
            // sd_booted(3)
            return Find(
                File.ReadAllText("/proc/self/cgroup"), File.ReadAllText("/proc/self/mountinfo"), Directory.Exists("/run/systemd/system"), out reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = e.Message;
            return null;
        }
    }

    /// <summary>Lets the cgroups below it have limits of memory.</summary>
    /// <returns>Why that cannot be had; null where it holds.</returns>
    public string? EnableMemory() => _memory.Enable();

    /// <summary>Why the cgroups below it cannot have limits of memory, as far as that can be told without a change; null where they can.</summary>
    public string? WhyNoMemory() => _memory.WhyNot();

    /// <summary>Lets the cgroups below it have limits of processes.</summary>
    /// <returns>Why that cannot be had; null where it holds.</returns>
    public string? EnableProcesses() => _processes.Enable();

    /// <summary>Why the cgroups below it cannot have limits of processes, as far as that can be told without a change; null where they can.</summary>
    public string? WhyNoProcesses() => _processes.WhyNot();

    /// <summary>Makes one below it.</summary>
    /// <exception cref="IOException">The system refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not permitted.</exception>
    public Cgroup Create(string name)
    {
        var path = $"{Path}/{name}";
        Directory.CreateDirectory(path);
        return new Cgroup(path);
    }

    /// <summary>One that an earlier process has made below it; null where there is none.</summary>
    public Cgroup? Open(string name) => Directory.Exists($"{Path}/{name}") ? new Cgroup($"{Path}/{name}") : null;

    /// <summary>The names of those below it that begin with <paramref name="prefix"/>.</summary>
    public IReadOnlyList<string> Names(string prefix)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(Path, prefix + "*").Select(path => System.IO.Path.GetFileName(path))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    internal static OwnCgroup? Find(string procCgroup, string mountInfo, bool underSystemd, out string reason)
    {
        if (CgroupMounts.PathOf(procCgroup) is not { } path)
        {
            reason = "no cgroup v2";
            return null;
        }
        if (CgroupMounts.Directories(path, mountInfo).FirstOrDefault(Directory.Exists) is not { } directory)
        {
            reason = $"the cgroup {path} is not mounted here";
            return null;
        }
        // A cgroup that systemd has not delegated belongs to systemd, even if we may write there (systemd's CGROUP_DELEGATION).
        if (underSystemd && !IsDelegated(directory))
        {
            reason = $"{directory} is systemd's (Delegate=yes in a unit gives it away)";
            return null;
        }
        var own = new OwnCgroup(directory);
        reason = own.Try() ?? "";
        return reason.Length == 0 ? own : null;
    }

    private unsafe string? Try()
    {
        Cgroup? tried = null;
        try
        {
            tried = Create($"colibri-try-{Environment.ProcessId}");
            if (!File.Exists($"{tried.Path}/cgroup.kill"))
                return "the kernel has no cgroup.kill (Linux 5.14 has)";
            if (!CgroupFile.Read($"{tried.Path}/cgroup.type").AsSpan().SequenceEqual("domain\n"u8))
                return $"{Path} is threaded";
            // To move a process takes the right to write where both cgroups meet.
            fixed (byte* procs = Spawning.PosixSpawn.CString($"{Path}/cgroup.procs"))
                return Libc.access(procs, AbiConstants.W_OK) == 0 ? null : $"{Path}/cgroup.procs: {Errno.Describe(Marshal.GetLastPInvokeError())}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
        finally
        {
            tried?.TryRemove();
        }
    }

    // The mark is on the unit's cgroup; with DelegateSubgroup= that is the one above ours.
    private static bool IsDelegated(string directory) =>
        IsMarked(directory) || (AboveOf(directory) is { } above && IsMarked(above));

    private static string? AboveOf(string directory) => System.IO.Path.GetDirectoryName(directory);

    // systemd 251 sets the one that everybody may read, those before it only root's.
    private static bool IsMarked(string directory) =>
        HasAttribute(directory, "user.delegate") || HasAttribute(directory, "trusted.delegate");

    private static unsafe bool HasAttribute(string path, string name)
    {
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? AbiConstants.SYS_getxattr_arm64 : AbiConstants.SYS_getxattr_x64;
        var value = stackalloc byte[8];
        fixed (byte* file = Spawning.PosixSpawn.CString(path))
        fixed (byte* attribute = Spawning.PosixSpawn.CString(name))
            return Libc.syscall(number, (nint)file, (nint)attribute, (nint)value, 8, 0) == 1 && value[0] == (byte)'1';
    }
}
