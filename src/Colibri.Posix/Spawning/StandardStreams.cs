using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>
/// The descriptors for a child's 0, 1 and 2, and for its 3 where it gets a control descriptor, held open as duplicates above those while it is started.
/// </summary>
internal sealed class StandardStreams : IDisposable
{
    private readonly SafeHandle?[] _held;
    private readonly int[] _duplicates;
    private readonly int[] _descriptors;

    public StandardStreams(SafeHandle input, SafeHandle output, SafeHandle error, SafeHandle? control = null)
    {
        Count = control is null ? 3 : 4;
        (_held, _duplicates, _descriptors) = (new SafeHandle?[Count], new int[Count], new int[Count]);
        Array.Fill(_duplicates, -1);
        try
        {
            Hold(0, input);
            Hold(1, output);
            Hold(2, error);
            if (control is not null)
                Hold(3, control);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How many there are: 0 to one less.</summary>
    public int Count { get; }

    public int this[int target] => _descriptors[target];

    public void Dispose()
    {
        for (var i = 0; i < Count; i++)
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
        if (_descriptors[target] >= Count)
            return;

        // An earlier dup2 may overwrite a source at a target's number, and a dup2 onto itself keeps close-on-exec.
        _duplicates[target] = Libc.fcntl(_descriptors[target], AbiConstants.Current.F_DUPFD_CLOEXEC, Count);
        if (_duplicates[target] < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            throw new SpawnException($"cannot pass descriptor {_descriptors[target]} to a process: {Errno.Describe(errno)}", errno);
        }
        _descriptors[target] = _duplicates[target];
    }
}
