using System.Buffers.Binary;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>The room of a file system, as statfs(2) says.</summary>
/// <param name="TotalBytes">Its size.</param>
/// <param name="FreeBytes">What a user other than root may still write; 0 where only the reserve of root is left.</param>
public readonly record struct FileSystemSpace(long TotalBytes, long FreeBytes)
{
    /// <summary>Of the file system that a file or directory lies on; null where statfs(2) fails. Links are followed.</summary>
    public static unsafe FileSystemSpace? Of(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        // Longer than either struct, which a system may have extended.
        var buffer = stackalloc byte[4096];
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
            return Libc.statfs(name, buffer) == 0 ? Read(new ReadOnlySpan<byte>(buffer, 4096), AbiConstants.Current) : null;
    }

    internal static FileSystemSpace Read(ReadOnlySpan<byte> statfs, AbiConstants abi)
    {
        var block = Number(statfs, abi.OffsetOfFFrsize) is > 0 and var unit ? unit : Number(statfs, abi.OffsetOfFBsize);
        // FreeBSD's f_bavail is below 0 once root has written into its reserve.
        return new FileSystemSpace(Bytes(Number(statfs, abi.OffsetOfFBlocks), block), Bytes(Number(statfs, abi.OffsetOfFBavail), block));
    }

    private static long Number(ReadOnlySpan<byte> statfs, int offset) => BinaryPrimitives.ReadInt64LittleEndian(statfs[offset..]);

    private static long Bytes(long blocks, long block) => blocks <= 0 || block <= 0 ? 0 : blocks > long.MaxValue / block ? long.MaxValue : blocks * block;
}
