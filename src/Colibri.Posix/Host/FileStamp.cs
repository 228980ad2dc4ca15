using System.Buffers.Binary;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>
/// Tells one state of a file from the next; links are followed. It changes with the contents, the mode, the owner, and the file that the path
/// names. Mtime and length alone would miss a chmod(1), and a rename that puts a file of the same length and mtime in its place.
/// </summary>
/// <param name="Device">st_dev.</param>
/// <param name="Inode">st_ino.</param>
/// <param name="Length">st_size, in bytes.</param>
/// <param name="Modified">st_mtim, in ns since 1970.</param>
/// <param name="Changed">st_ctim, in ns since 1970; no call sets it, unlike st_mtim.</param>
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
