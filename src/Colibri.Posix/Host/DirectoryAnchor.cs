using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>Holds a directory open, so that its inode is not given to another file while it is to be told from others.</summary>
public sealed class DirectoryAnchor : IDisposable
{
    private readonly SafeFileHandle _handle;

    private DirectoryAnchor(SafeFileHandle handle) => (_handle, Identity) = (handle, FileIdentity.Of(handle));

    /// <summary>The directory.</summary>
    public FileIdentity Identity { get; }

    /// <summary>Null where it cannot be opened. Links are followed.</summary>
    public static DirectoryAnchor? TryOpen(string path)
    {
        try
        {
            return new DirectoryAnchor(OwnDescriptor.Open(path, AbiConstants.O_RDONLY | AbiConstants.Current.O_DIRECTORY));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _handle.Dispose();
}
