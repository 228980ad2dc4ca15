using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Who owns a file, as stat(2) says; symbolic links are followed.</summary>
/// <param name="Uid">Owner's user id.</param>
/// <param name="Gid">Owner's group id.</param>
/// <param name="Mode">st_mode: type and permission bits.</param>
public readonly record struct FileOwner(uint Uid, uint Gid, uint Mode)
{
    /// <summary>Reads the owner of <paramref name="path"/>.</summary>
    /// <exception cref="IOException">stat(2) failed; the message says why.</exception>
    public static FileOwner Of(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return TryOf(path, out var owner, out var errno) ? owner : throw new IOException($"cannot stat {path}: {Errno.Describe(errno)}");
    }

    /// <summary>Reads the owner of <paramref name="path"/>; false, and errno, where stat(2) fails.</summary>
    internal static bool TryOf(string path, out FileOwner owner, out int errno)
    {
        Span<byte> stat = stackalloc byte[AbiConstants.Current.SizeOfStat];
        var isThere = TryStat(path, stat, out errno);
        owner = isThere ? Read(stat) : default;
        return isThere;
    }

    /// <summary>stat(2); false, and errno, where it fails.</summary>
    /// <param name="path">Links are followed.</param>
    /// <param name="stat">Takes the struct; as long as that is.</param>
    /// <param name="errno">0 where it succeeds.</param>
    internal static unsafe bool TryStat(string path, Span<byte> stat, out int errno)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        fixed (byte* buffer = stat)
            errno = Libc.stat(name, buffer) == 0 ? 0 : Marshal.GetLastPInvokeError();
        return errno == 0;
    }

    /// <summary>Reads the owner of an open file, which its path may no longer name.</summary>
    internal static unsafe FileOwner Of(int descriptor)
    {
        var buffer = stackalloc byte[AbiConstants.Current.SizeOfStat];
        if (Libc.fstat(descriptor, buffer) != 0)
            throw new IOException($"cannot stat an open file: {Errno.Describe(Marshal.GetLastPInvokeError())}");
        return Read(new ReadOnlySpan<byte>(buffer, AbiConstants.Current.SizeOfStat));
    }

    internal static FileOwner Read(ReadOnlySpan<byte> stat)
    {
        var abi = AbiConstants.Current;
        var mode = abi.SizeOfModeT == 2
            ? BinaryPrimitives.ReadUInt16LittleEndian(stat[abi.OffsetOfStMode..])
            : BinaryPrimitives.ReadUInt32LittleEndian(stat[abi.OffsetOfStMode..]);
        return new FileOwner(
            BinaryPrimitives.ReadUInt32LittleEndian(stat[abi.OffsetOfStUid..]),
            BinaryPrimitives.ReadUInt32LittleEndian(stat[abi.OffsetOfStGid..]),
            mode);
    }
}
