using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Descriptors 0, 1 and 2, which a program may be started without.</summary>
public static unsafe class StandardDescriptors
{
    private static readonly byte[] Null = "/dev/null\0"u8.ToArray();
    private static readonly byte[] Root = "/\0"u8.ToArray();

    /// <summary>
    /// Opens /dev/null on those that are closed. Otherwise the next file or socket that is opened would get the number, and text for standard
    /// output or error would be written into it. Call it first in Main. A file that the runtime itself has opened there by then (/dev/urandom, for
    /// reading only) stays, because it cannot be written.
    /// </summary>
    /// <returns>How many were closed.</returns>
    public static int OpenMissing()
    {
        var opened = 0;
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            // open(2) returns the lowest free number, and all lower ones are in use by now.
            if (Libc.fcntl(descriptor, AbiConstants.F_GETFD, 0) < 0 && TakeLowest())
                opened++;
        }
        return opened;
    }

    // Without /dev, the root directory occupies the number: it always exists, and can be neither read nor written as a stream.
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
