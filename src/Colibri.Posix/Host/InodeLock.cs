using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>
/// Keeps every other process out of a file by the file itself: the lock stays while the file's name is removed, moved or given to another file.
/// One byte far beyond any content is locked, so it meets no lock that SQLite takes (bytes 0x40000000 to 0x400001FF).
/// </summary>
/// <remarks>
/// <para>
/// On a Linux kernel the lock belongs to this descriptor (F_OFD_SETLK, fcntl(2)), and ends when it is closed. FreeBSD has no such lock. There it
/// belongs to the process (F_SETLK), and ends when the process closes any descriptor of the file, as SQLite does with its last connection;
/// <see cref="Renew"/> takes it again. flock(2) would not do: on FreeBSD it is kept in the same list as the locks of fcntl(2)
/// (sys/kern/kern_lockf.c), where it would keep SQLite out of its own file.
/// </para>
/// <para>Closing the descriptor drops the process's fcntl locks on the file, SQLite's too: dispose of this after the last connection.</para>
/// </remarks>
public sealed class InodeLock : IDisposable
{
    private const long LockedByte = 1L << 62;

    private readonly SafeFileHandle _handle;

    private InodeLock(SafeFileHandle handle) => (_handle, Identity) = (handle, FileIdentity.Of(handle));

    /// <summary>The file.</summary>
    public FileIdentity Identity { get; }

    /// <summary>Its descriptor, for what names an open file.</summary>
    public int Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>Locks a file that is there; null where another process has it.</summary>
    /// <exception cref="IOException">It cannot be opened for writing.</exception>
    public static InodeLock? TryTake(string path)
    {
        var handle = OwnDescriptor.Open(path, AbiConstants.O_RDWR);
        try
        {
            if (TryLock((int)handle.DangerousGetHandle()))
                return new InodeLock(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        handle.Dispose();
        return null;
    }

    /// <summary>Takes it again where it belongs to the process; false where another process has it now.</summary>
    public bool Renew() => HostPlatform.Kind == OperatingSystemKind.Linux || TryLock(Descriptor);

    public void Dispose() => _handle.Dispose();

    // A file system without locks is no reason not to start: the lock file is there as well.
    private static unsafe bool TryLock(int descriptor)
    {
        var abi = AbiConstants.Current;
        Span<byte> request = stackalloc byte[AbiConstants.SizeOfFlock];
        request.Clear();
        BinaryPrimitives.WriteInt16LittleEndian(request[abi.OffsetOfLType..], (short)abi.F_WRLCK);
        // l_whence stays 0, SEEK_SET; l_pid has to be 0 for F_OFD_SETLK.
        BinaryPrimitives.WriteInt64LittleEndian(request[abi.OffsetOfLStart..], LockedByte);
        BinaryPrimitives.WriteInt64LittleEndian(request[abi.OffsetOfLLen..], 1);
        int errno;
        fixed (byte* flock = request)
        {
            errno = HostPlatform.Kind == OperatingSystemKind.Linux ? Set(descriptor, AbiConstants.F_OFD_SETLK, flock) : AbiConstants.EINVAL;
            if (errno == AbiConstants.EINVAL)
                errno = Set(descriptor, abi.F_SETLK, flock);
        }
        return errno != abi.EAGAIN && errno != AbiConstants.EACCES;
    }

    private static unsafe int Set(int descriptor, int command, void* flock)
    {
        int errno;
        do
            errno = Libc.fcntl(descriptor, command, flock) == -1 ? Marshal.GetLastPInvokeError() : 0;
        while (errno == AbiConstants.EINTR);
        return errno;
    }
}
