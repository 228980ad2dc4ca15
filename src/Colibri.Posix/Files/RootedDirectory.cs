using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Files;

/// <summary>
/// An open directory below a root in which other users may have created anything. Each step of a path is opened from the one before, and
/// symbolic links are refused.
/// </summary>
internal sealed unsafe class RootedDirectory : IDisposable
{
    private int _descriptor;

    private RootedDirectory(int descriptor) => _descriptor = descriptor;

    /// <summary>It stays this object's to close.</summary>
    internal int Descriptor => _descriptor;

    /// <summary>Who owns it.</summary>
    public FileOwner Owner => FileOwner.Of(_descriptor);

    /// <exception cref="IOException">It cannot be opened; the message says why.</exception>
    public static RootedDirectory OpenRoot(string path)
    {
        fixed (byte* name = CString(path))
        {
            var descriptor = Libc.openat(AbiConstants.AT_FDCWD, name, DirectoryFlags, 0);
            return descriptor >= 0 ? new RootedDirectory(descriptor) : throw Failed($"cannot open {path}", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>The directory of that name in it; null where there is nothing of that name.</summary>
    /// <exception cref="IOException">It is a link or no directory, or cannot be opened.</exception>
    public RootedDirectory? Open(string name)
    {
        fixed (byte* path = CString(name))
        {
            var descriptor = Libc.openat(_descriptor, path, DirectoryFlags, 0);
            if (descriptor >= 0)
                return new RootedDirectory(descriptor);
        }
        var error = Marshal.GetLastPInvokeError();
        return error == AbiConstants.ENOENT ? null : throw Failed($"'{name}' is no directory that can be entered", error);
    }

    /// <summary>Makes a directory of mode 0700 in it and opens that.</summary>
    /// <exception cref="IOException">There is something of that name, or it cannot be made.</exception>
    public RootedDirectory Make(string name)
    {
        fixed (byte* path = CString(name))
        {
            if (Libc.mkdirat(_descriptor, path, 0x1C0) != 0)
                throw Failed($"cannot make '{name}'", Marshal.GetLastPInvokeError());
        }
        return Open(name) ?? throw new IOException($"'{name}' is gone as soon as it was made");
    }

    /// <summary>Writes a new file of mode 0600.</summary>
    /// <exception cref="IOException">There is something of that name, or it cannot be written.</exception>
    public void WriteNew(string name, ReadOnlySpan<byte> content)
    {
        var abi = AbiConstants.Current;
        int descriptor;
        fixed (byte* path = CString(name))
            descriptor = Libc.openat(_descriptor, path, AbiConstants.O_WRONLY | abi.O_CREAT | abi.O_EXCL | abi.O_NOFOLLOW | abi.O_CLOEXEC, 0x180);
        if (descriptor < 0)
            throw Failed($"cannot make '{name}'", Marshal.GetLastPInvokeError());
        try
        {
            fixed (byte* bytes = content)
            {
                for (var written = 0; written < content.Length;)
                {
                    var count = Libc.write(descriptor, bytes + written, (nuint)(content.Length - written));
                    if (count >= 0)
                        written += (int)count;
                    else if (Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINTR)
                        throw Failed($"cannot write '{name}'", error);
                }
            }
        }
        finally
        {
            _ = Libc.close(descriptor);
        }
    }

    /// <summary>Reads a regular file; null where there is none of that name.</summary>
    /// <exception cref="IOException">It is a link, no regular file, longer than the limit, or cannot be read.</exception>
    public byte[]? Read(string name, int maxBytes)
    {
        var abi = AbiConstants.Current;
        int descriptor;
        // O_NONBLOCK: opening a FIFO without a writer would block.
        fixed (byte* path = CString(name))
            descriptor = Libc.openat(_descriptor, path, AbiConstants.O_RDONLY | abi.O_NONBLOCK | abi.O_NOFOLLOW | abi.O_CLOEXEC, 0);
        if (descriptor < 0)
            return Marshal.GetLastPInvokeError() is var error && error == AbiConstants.ENOENT ? null : throw Failed($"cannot open '{name}'", error);
        try
        {
            if ((FileOwner.Of(descriptor).Mode & AbiConstants.S_IFMT) != AbiConstants.S_IFREG)
                throw new IOException($"'{name}' is no regular file");
            var (content, read) = (new byte[maxBytes + 1], 0);
            fixed (byte* bytes = content)
            {
                while (read < content.Length)
                {
                    var count = Libc.read(descriptor, bytes + read, (nuint)(content.Length - read));
                    if (count == 0)
                        break;
                    if (count > 0)
                        read += (int)count;
                    else if (Marshal.GetLastPInvokeError() is var failure and not AbiConstants.EINTR)
                        throw Failed($"cannot read '{name}'", failure);
                }
            }
            return read <= maxBytes ? content[..read] : throw new IOException($"'{name}' is larger than {maxBytes} bytes");
        }
        finally
        {
            _ = Libc.close(descriptor);
        }
    }

    /// <summary>Removes a file, or a directory that is empty; nothing where there is none.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void Remove(string name, bool isDirectory = false)
    {
        fixed (byte* path = CString(name))
        {
            if (Libc.unlinkat(_descriptor, path, isDirectory ? AbiConstants.Current.AT_REMOVEDIR : 0) != 0
                && Marshal.GetLastPInvokeError() is var error and not AbiConstants.ENOENT)
                throw Failed($"cannot remove '{name}'", error);
        }
    }

    public void Dispose()
    {
        if (_descriptor >= 0)
            _ = Libc.close(_descriptor);
        _descriptor = -1;
    }

    private static int DirectoryFlags =>
        AbiConstants.O_RDONLY | AbiConstants.Current.O_DIRECTORY | AbiConstants.Current.O_NOFOLLOW | AbiConstants.Current.O_CLOEXEC;

    private static byte[] CString(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static IOException Failed(string what, int error) => new($"{what}: {Errno.Describe(error)}");
}
