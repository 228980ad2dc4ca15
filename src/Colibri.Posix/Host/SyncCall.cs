using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>
/// The system call behind every sync of a file's content, SQLite's among them: fdatasync(2) on a Linux kernel, fsync(2) on FreeBSD's.
/// </summary>
/// <remarks>
/// At fdatasync, FreeBSD's UFS writes blocks that were overwritten. It leaves the size and the block pointers of a file that grew to the syncer,
/// half a minute later: <c>ffs_syncvnode</c> with DATA_ONLY and <c>ffs_fdatasync</c> (sys/ufs/ffs/ffs_vnops.c, 15.1) look for the inode's
/// change in another word of flags than the one in which it is recorded. fsync writes the inode, and the directory's entry as well.
/// </remarks>
internal static class SyncCall
{
    /// <summary>Whether it is fsync(2).</summary>
    public static bool IsFsync { get; } = TakesFsync(HostPlatform.Kind);

    /// <summary>As the C function: 0, or -1 with the reason in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
    public static int Content(int descriptor)
    {
        if (IsFsync)
            return Libc.fsync(descriptor);
        // By number: the linker redirects the name fdatasync to Linked, which would call itself.
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? AbiConstants.SYS_fdatasync_arm64 : AbiConstants.SYS_fdatasync_x64;
        return (int)Libc.syscall(number, descriptor, 0, 0, 0, 0);
    }

    internal static bool TakesFsync(OperatingSystemKind kind) => kind != OperatingSystemKind.Linux;

    /// <summary>
    /// Replaces fdatasync(2) in an executable that SQLite is linked into (<c>--wrap=fdatasync</c>). SQLite calls it by name, for files and
    /// directories, and has no hook for it. SQLite's frames are its callers, so it must not throw.
    /// </summary>
    [UnmanagedCallersOnly(EntryPoint = "__wrap_fdatasync")]
    internal static int Linked(int descriptor)
    {
        var result = Content(descriptor);
        // Set errno last, because SQLite reads it.
        if (result != 0)
            Marshal.SetLastSystemError(Marshal.GetLastPInvokeError());
        return result;
    }
}
