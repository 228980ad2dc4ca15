using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Descriptors 0, 1 and 2, which a program may be started without.</summary>
public static unsafe class StandardDescriptors
{
    private static readonly byte[] Null = "/dev/null\0"u8.ToArray();
    private static readonly byte[] Root = "/\0"u8.ToArray();

    /// <summary>
    /// Opens /dev/null on those that are closed. Else the next file or socket that is opened gets the number, and what is meant for
    /// standard output or error is written into it. Call it first in Main. What the runtime itself has opened there by then (it keeps
    /// /dev/urandom, for reading only) stays: nothing can be written into it.
    /// </summary>
    /// <returns>How many were closed.</returns>
    public static int OpenMissing()
    {
        var opened = 0;
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            // The lowest free number is the one that is given, and those below are taken by now.
            if (Libc.fcntl(descriptor, AbiConstants.F_GETFD, 0) < 0 && TakeLowest())
                opened++;
        }
        return opened;
    }

    // Without a /dev there is always the root: it can be neither read nor written as a stream, and holds the number as well.
    private static bool TakeLowest()
    {
        fixed (byte* path = Null)
        {
            if (Libc.open(path, AbiConstants.O_RDWR) >= 0)
                return true;
        }
        fixed (byte* path = Root)
            return Libc.open(path, AbiConstants.O_RDONLY) >= 0;
    }
}
