using System.Runtime.InteropServices;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>
/// A second descriptor of a file that other code of the process writes, to make its writes durable: a sync on any descriptor of a file
/// covers the writes of all. Not for a file with fcntl(2) locks: closing this descriptor would drop those of the process.
/// </summary>
public sealed class DataSync : IDisposable
{
    private const int BlockBytes = 64 * 1024;

    private readonly string _path;
    private readonly SafeFileHandle _handle;

    private DataSync(string path, SafeFileHandle handle) => (_path, _handle) = (path, handle);

    /// <summary>Opens a file that is there.</summary>
    /// <exception cref="IOException">It cannot be opened; the message says why.</exception>
    public static DataSync Open(string path) => new(path, OwnDescriptor.Open(path, AbiConstants.O_RDWR));

    /// <summary>Syncs what was written before the call, and the file's size if reading needs it: fdatasync(2), or fsync(2) on FreeBSD.</summary>
    /// <exception cref="IOException">The disk refuses. The kernel may then mark dirty pages clean, so a second call may succeed without writing.</exception>
    public void Flush()
    {
        while (SyncCall.Content((int)_handle.DangerousGetHandle()) != 0)
        {
            if (Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINTR)
                throw new IOException($"cannot sync {_path}: {Errno.Describe(error)}");
        }
    }

    /// <summary>
    /// Rewrites every byte as it reads now, so that all pages are dirty again for the next sync. The caller keeps all other writers out meanwhile.
    /// </summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void WriteAgain()
    {
        var block = new byte[BlockBytes];
        int read;
        for (var offset = 0L; (read = RandomAccess.Read(_handle, block, offset)) > 0; offset += read)
            RandomAccess.Write(_handle, block.AsSpan(0, read), offset);
    }

    public void Dispose() => _handle.Dispose();
}
