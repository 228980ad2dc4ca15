using System.Runtime.InteropServices;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>
/// A second descriptor of a file that somebody else in the process writes, to make durable what was written. A sync on any descriptor of
/// a file takes along what was written through the others. Not for a file with fcntl(2) locks: closing this would drop those of the process.
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

    /// <summary>What was written before the call, and as much of the file's size as it takes to read it: fdatasync(2), or fsync(2) on FreeBSD.</summary>
    /// <exception cref="IOException">The disk refuses. The kernel may hold what it could not write for clean: calling again proves nothing.</exception>
    public void Flush()
    {
        while (SyncCall.Content((int)_handle.DangerousGetHandle()) != 0)
        {
            if (Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINTR)
                throw new IOException($"cannot sync {_path}: {Errno.Describe(error)}");
        }
    }

    /// <summary>
    /// Writes every byte once more as it reads now, so that the kernel has it to write again. Nobody else may write meanwhile.
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
