using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Cgroups;

/// <summary>Reads and writes the small files of cgroupfs (cgroups(7), the kernel's admin-guide/cgroup-v2.rst).</summary>
internal static unsafe class CgroupFile
{
    private const int ChunkBytes = 4096;

    /// <summary>One write(2); 0, or the error number.</summary>
    public static int Write(string path, ReadOnlySpan<byte> text)
    {
        int fd;
        fixed (byte* name = PosixSpawn.CString(path))
            fd = Open(name, AbiConstants.O_WRONLY);
        if (fd < 0)
            return -fd;
        try
        {
            fixed (byte* start = text)
            {
                while (Libc.write(fd, start, (nuint)text.Length) < 0)
                {
                    if (Marshal.GetLastPInvokeError() is var error && error != AbiConstants.EINTR)
                        return error;
                }
            }
            return 0;
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    /// <summary>The whole file; empty if it does not exist, or is not readable for us.</summary>
    /// <exception cref="IOException">It cannot be read now, because descriptors or memory are short.</exception>
    public static byte[] Read(string path)
    {
        int fd;
        fixed (byte* name = PosixSpawn.CString(path))
            fd = Open(name, AbiConstants.O_RDONLY);
        if (fd < 0)
            return Absent(path, -fd);
        try
        {
            var text = new ArrayBufferWriter<byte>(ChunkBytes);
            while (true)
            {
                nint got;
                fixed (byte* start = text.GetSpan(ChunkBytes))
                    got = Libc.read(fd, start, ChunkBytes);
                if (got == 0)
                    return text.WrittenSpan.ToArray();
                if (got > 0)
                    text.Advance((int)got);
                else if (Marshal.GetLastPInvokeError() is var error && error != AbiConstants.EINTR)
                    return Absent(path, error);
            }
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    /// <summary>The pids of a list, a line or a blank between them. Those of processes that our pid namespace cannot see are 0, and left out.</summary>
    public static List<int> Pids(ReadOnlySpan<byte> list)
    {
        var pids = new List<int>();
        for (; Utf8Parser.TryParse(list, out int pid, out var used); list = list[used..].TrimStart("\n "u8))
        {
            if (pid > 0)
                pids.Add(pid);
        }
        return pids;
    }

    /// <summary>Whether cgroup.events says that a process lives in the cgroup or below it.</summary>
    public static bool IsPopulated(ReadOnlySpan<byte> events)
    {
        foreach (var line in events.Split((byte)'\n'))
        {
            if (events[line].SequenceEqual("populated 1"u8))
                return true;
        }
        return false;
    }

    /// <summary>The number of a file that holds one; null for a word such as "max", and for an empty file.</summary>
    public static long? Number(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out long number, out var used) && used > 0 ? number : null;

    /// <summary>The number that stands behind a name, in a file with a name and a number on each line; null where the name is missing.</summary>
    public static long? Value(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (line.StartsWith(name) && line.Length > name.Length && line[name.Length] == (byte)' ')
                return Number(line[(name.Length + 1)..]);
        }
        return null;
    }

    /// <summary>Whether a list of controllers, with a blank between them, names one.</summary>
    public static bool Lists(ReadOnlySpan<byte> list, ReadOnlySpan<byte> controller)
    {
        foreach (var range in list.TrimEnd((byte)'\n').Split((byte)' '))
        {
            if (list[range].SequenceEqual(controller))
                return true;
        }
        return false;
    }

    private static int Open(byte* name, int flags)
    {
        while (true)
        {
            var fd = Libc.open(name, flags | AbiConstants.Current.O_CLOEXEC);
            if (fd >= 0)
                return fd;
            if (Marshal.GetLastPInvokeError() is var error && error != AbiConstants.EINTR)
                return -error;
        }
    }

    // Lasting errors count as empty: removed meanwhile (ENODEV), threaded (EOPNOTSUPP), not ours. A shortage passes, so it throws, because
    // it must not make a cgroup look empty.
    private static byte[] Absent(string path, int error) =>
        Errno.IsShortage(error) ? throw new IOException($"cannot read {path}: {Errno.Describe(error)}") : [];
}
