using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Files;

/// <summary>
/// Removes whole trees that lie in one directory, whatever other programs have put into them. A tree is first renamed into <see cref="Trash"/>, so that
/// nobody meets a half of it under its name, and a kill leaves nothing behind that the next call does not find. Symbolic links are removed, never
/// followed. Every name is reached from an open directory, and a subdirectory is renamed into the trash before it is emptied: so neither the depth of a
/// tree nor the length of its paths matters, and a file system that is mounted in it, which cannot be renamed, is left alone.
/// </summary>
/// <param name="root">The directory, absolute.</param>
/// <param name="mayBeLink">Whether the directory's own path may be a symbolic link.</param>
public sealed unsafe class TreeRemover(string root, bool mayBeLink = false)
{
    /// <summary>The subdirectory of what is being removed.</summary>
    public const string Trash = ".pruned";

    private const int Chunk = 1_024;
    private const uint OwnerAll = 0x1C0;

    /// <summary>Puts what has that name into the trash; a link itself and not what it names.</summary>
    /// <returns>Whether there was something.</returns>
    /// <exception cref="IOException">It cannot be renamed.</exception>
    public bool TakeOut(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('/') || name is "." or ".." or Trash)
            throw new ArgumentException($"no name of a tree: {name}", nameof(name));
        using var top = Open();
        using var trash = top.Open(Trash) ?? top.Make(Trash);
        var errno = Move(top.Descriptor, [.. Encoding.UTF8.GetBytes(name), 0], trash.Descriptor);
        return errno switch
        {
            0 => true,
            AbiConstants.ENOENT => false,
            _ => throw new IOException($"cannot remove {root}/{name}: {Errno.Describe(errno)}"),
        };
    }

    /// <summary>Removes what is in the trash. What is left at a cancellation is removed by the next call.</summary>
    /// <returns>Why something could not be removed; null where all is gone.</returns>
    /// <exception cref="IOException">The directory or its trash cannot be opened.</exception>
    public string? EmptyTrash(CancellationToken stopping)
    {
        if (!Directory.Exists(root))
            return null;
        using var top = Open();
        using var trash = top.Open(Trash);
        if (trash is null)
            return null;
        var (stuck, problem) = (new HashSet<string>(StringComparer.Ordinal), (string?)null);
        while (stuck.Count < Chunk && !stopping.IsCancellationRequested)
        {
            var names = DirectoryNames.Read(trash.Descriptor, Chunk, stuck);
            if (names.Count == 0)
                break;
            foreach (var name in names)
            {
                if (Remove(trash.Descriptor, name, stopping) is not { } why)
                    continue;
                stuck.Add(DirectoryNames.Key(name));
                problem ??= why;
            }
        }
        return problem;
    }

    private RootedDirectory Open() => RootedDirectory.OpenRoot(
        mayBeLink && FileLook.AtName(root).IsLink ? new DirectoryInfo(root).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? root : root);

    // Null where it is gone; else why not. Its subdirectories are in the trash then, beside it.
    private string? Remove(int trash, byte[] name, CancellationToken stopping)
    {
        if (Unlink(trash, name, isDirectory: false) == 0)
            return null;
        var directory = OpenDirectory(trash, name);
        if (directory < 0)
            return Told(name, Marshal.GetLastPInvokeError());
        var (stuck, last) = (new HashSet<string>(StringComparer.Ordinal), 0);
        try
        {
            while (stuck.Count < Chunk && !stopping.IsCancellationRequested)
            {
                var names = DirectoryNames.Read(directory, Chunk, stuck);
                if (names.Count == 0)
                    break;
                foreach (var entry in names)
                {
                    if (Clear(trash, name, directory, entry) is not (> 0 and var errno))
                        continue;
                    stuck.Add(DirectoryNames.Key(entry));
                    last = errno;
                }
            }
        }
        finally
        {
            _ = Libc.close(directory);
        }
        if (stopping.IsCancellationRequested)
            return null;
        var removed = Unlink(trash, name, isDirectory: true);
        return removed == 0 ? null : Told(name, last > 0 ? last : removed);
    }

    private static int Clear(int trash, byte[] parent, int directory, byte[] entry)
    {
        var errno = Unlink(directory, entry, isDirectory: false);
        // A directory that may not be written: the tree is its owner's, who is this user or whom root stands for.
        if (errno == AbiConstants.EACCES && MakeWritable(trash, parent))
            errno = Unlink(directory, entry, isDirectory: false);
        if (errno is 0 or AbiConstants.ENOENT)
            return 0;
        errno = Move(directory, entry, trash);
        // A directory that goes to another parent is written to, for its "..".
        if (errno == AbiConstants.EACCES && MakeWritable(directory, entry))
            errno = Move(directory, entry, trash);
        return errno is AbiConstants.ENOENT ? 0 : errno;
    }

    private static int OpenDirectory(int parent, byte[] name)
    {
        var abi = AbiConstants.Current;
        var flags = AbiConstants.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW | abi.O_CLOEXEC;
        fixed (byte* path = name)
        {
            var opened = Libc.openat(parent, path, flags, 0);
            if (opened < 0 && Marshal.GetLastPInvokeError() == AbiConstants.EACCES && MakeWritable(parent, name))
                opened = Libc.openat(parent, path, flags, 0);
            return opened;
        }
    }

    private static bool MakeWritable(int parent, byte[] name)
    {
        fixed (byte* path = name)
            return Libc.fchmodat(parent, path, OwnerAll, AbiConstants.Current.AT_SYMLINK_NOFOLLOW) == 0;
    }

    // The trash gives each a name that nothing has there.
    private static int Move(int from, byte[] name, int trash)
    {
        fixed (byte* source = name)
        fixed (byte* target = Encoding.ASCII.GetBytes($"{Guid.NewGuid():N}\0"))
            return Libc.renameat(from, source, trash, target) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private static int Unlink(int directory, byte[] name, bool isDirectory)
    {
        fixed (byte* path = name)
            return Libc.unlinkat(directory, path, isDirectory ? AbiConstants.Current.AT_REMOVEDIR : 0) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private string Told(byte[] name, int errno) => $"{root}/{Trash}/{DirectoryNames.Key(name)} cannot be removed: {Errno.Describe(errno)}";
}
