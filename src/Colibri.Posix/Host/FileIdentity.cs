using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>
/// Which file something is, whatever its name: device and inode. A number is given again once nobody holds the file, so what is compared later
/// is held open meanwhile.
/// </summary>
/// <param name="Device">st_dev.</param>
/// <param name="Inode">st_ino.</param>
public readonly record struct FileIdentity(ulong Device, ulong Inode)
{
    /// <summary>The file that a path names, links followed; null where stat(2) fails.</summary>
    public static FileIdentity? Of(string path) => FileLook.At(path).Identity;

    /// <summary>The file of an open descriptor, which no path need name any more.</summary>
    /// <exception cref="IOException">fstat(2) failed; the message says why.</exception>
    public static unsafe FileIdentity Of(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        Span<byte> stat = stackalloc byte[AbiConstants.Current.SizeOfStat];
        int errno;
        fixed (byte* buffer = stat)
            errno = Libc.fstat((int)handle.DangerousGetHandle(), buffer) == 0 ? 0 : Marshal.GetLastPInvokeError();
        return errno == 0 ? Read(stat) : throw new IOException($"cannot stat an open file: {Errno.Describe(errno)}");
    }

    internal static FileIdentity Read(ReadOnlySpan<byte> stat) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(stat[AbiConstants.OffsetOfStDev..]),
        BinaryPrimitives.ReadUInt64LittleEndian(stat[AbiConstants.OffsetOfStIno..]));
}

/// <summary>What is at a path now.</summary>
/// <param name="Identity">The file; null where there is none, or it cannot be looked at.</param>
/// <param name="Owner">Its owner and mode.</param>
/// <param name="Errno">Why there is none; 0 where there is one.</param>
public readonly record struct FileLook(FileIdentity? Identity, FileOwner Owner, int Errno)
{
    // <sys/stat.h>: S_IFMT and its values, the same on both systems.
    private const uint TypeMask = 0xF000;
    private const uint Socket = 0xC000;
    private const uint Link = 0xA000;
    private const uint Regular = 0x8000;
    private const uint DirectoryType = 0x4000;

    /// <summary>Whether nothing has that name: ENOENT, or ENOTDIR on the way to it.</summary>
    public bool IsMissing => Errno is AbiConstants.ENOENT or AbiConstants.ENOTDIR;

    public bool IsSocket => (Owner.Mode & TypeMask) == Socket;

    public bool IsLink => (Owner.Mode & TypeMask) == Link;

    public bool IsRegular => (Owner.Mode & TypeMask) == Regular;

    public bool IsDirectory => (Owner.Mode & TypeMask) == DirectoryType;

    /// <summary>In a word for a person: "a file", "a directory", "a symbolic link", "a socket" or "no ordinary file".</summary>
    public string Kind => IsRegular ? "a file" : IsDirectory ? "a directory" : IsLink ? "a symbolic link" : IsSocket ? "a socket" : "no ordinary file";

    /// <summary>Why nothing could be looked at, in words.</summary>
    public string Problem => Host.Errno.Describe(Errno);

    /// <summary>Never throws. Links are followed.</summary>
    public static FileLook At(string path) => Look(path, followsLinks: true);

    /// <summary>Never throws. A symbolic link is looked at itself.</summary>
    public static FileLook AtName(string path) => Look(path, followsLinks: false);

    /// <summary>Whether this user may write to it, and its mount lets anybody write: access(2) with the real user id.</summary>
    public static unsafe bool IsWritable(string path, out string problem)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var isWritable = Libc.access(name, AbiConstants.W_OK) == 0;
            problem = isWritable ? "" : Host.Errno.Describe(Marshal.GetLastPInvokeError());
            return isWritable;
        }
    }

    private static unsafe FileLook Look(string path, bool followsLinks)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Span<byte> stat = stackalloc byte[AbiConstants.Current.SizeOfStat];
        int errno;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        fixed (byte* buffer = stat)
            errno = (followsLinks ? Libc.stat(name, buffer) : Libc.lstat(name, buffer)) == 0 ? 0 : Marshal.GetLastPInvokeError();
        return errno == 0 ? new FileLook(FileIdentity.Read(stat), FileOwner.Read(stat), 0) : new FileLook(null, default, errno);
    }
}
