using System.Buffers.Binary;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>
/// What tells one state of a file from the next, links followed. Contents, mode, owner, and which file the path means all move it: what only
/// mtime and length tell apart misses a chmod(1), and a file that a rename put in the place of its equal.
/// </summary>
/// <param name="Device">st_dev.</param>
/// <param name="Inode">st_ino.</param>
/// <param name="Length">st_size, in bytes.</param>
/// <param name="Modified">st_mtim, in ns since 1970.</param>
/// <param name="Changed">st_ctim, in ns since 1970: nobody can set it back.</param>
/// <param name="Owner">Owner and mode.</param>
public readonly record struct FileStamp(ulong Device, ulong Inode, long Length, long Modified, long Changed, FileOwner Owner)
{
    /// <summary>The file as it is now; the default value where stat(2) fails.</summary>
    public static FileStamp Of(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var abi = AbiConstants.Current;
        Span<byte> stat = stackalloc byte[abi.SizeOfStat];
        if (!FileOwner.TryStat(path, stat, out _))
            return default;
        return new FileStamp(
            BinaryPrimitives.ReadUInt64LittleEndian(stat[AbiConstants.OffsetOfStDev..]),
            BinaryPrimitives.ReadUInt64LittleEndian(stat[AbiConstants.OffsetOfStIno..]),
            BinaryPrimitives.ReadInt64LittleEndian(stat[abi.OffsetOfStSize..]),
            Nanoseconds(stat[abi.OffsetOfStMtim..]),
            Nanoseconds(stat[abi.OffsetOfStCtim..]),
            FileOwner.Read(stat));
    }

    // struct timespec: seconds and nanoseconds, 8 bytes each. Until the year 2262 the sum fits.
    private static long Nanoseconds(ReadOnlySpan<byte> timespec) =>
        unchecked((BinaryPrimitives.ReadInt64LittleEndian(timespec) * 1_000_000_000) + BinaryPrimitives.ReadInt64LittleEndian(timespec[8..]));
}
