using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>The three descriptors for a child's 0, 1 and 2, held open as duplicates above 2 while it is started.</summary>
internal sealed class StandardStreams : IDisposable
{
    private readonly SafeHandle?[] _held = new SafeHandle?[3];
    private readonly int[] _duplicates = [-1, -1, -1];
    private readonly int[] _descriptors = new int[3];

    public StandardStreams(SafeHandle input, SafeHandle output, SafeHandle error)
    {
        try
        {
            Hold(0, input);
            Hold(1, output);
            Hold(2, error);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int this[int target] => _descriptors[target];

    public void Dispose()
    {
        for (var i = 0; i < 3; i++)
        {
            if (_duplicates[i] >= 0)
                _ = Libc.close(_duplicates[i]);
            _held[i]?.DangerousRelease();
            _duplicates[i] = -1;
            _held[i] = null;
        }
    }

    private void Hold(int target, SafeHandle handle)
    {
        var added = false;
        handle.DangerousAddRef(ref added);
        _held[target] = handle;
        _descriptors[target] = (int)handle.DangerousGetHandle();
        if (_descriptors[target] > 2)
            return;

        // An earlier dup2 may overwrite a source at 0, 1 or 2, and a dup2 onto itself keeps close-on-exec.
        _duplicates[target] = Libc.fcntl(_descriptors[target], AbiConstants.Current.F_DUPFD_CLOEXEC, 3);
        if (_duplicates[target] < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            throw new SpawnException($"cannot pass descriptor {_descriptors[target]} to a process: {Errno.Describe(errno)}", errno);
        }
        _descriptors[target] = _duplicates[target];
    }
}
