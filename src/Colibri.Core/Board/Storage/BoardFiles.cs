using System.Globalization;
using System.Text;
using Colibri.Posix.Host;

namespace Colibri.Core.Board.Storage;

/// <summary>Finds and makes the files around a board: its directory, the database file, and the lock that keeps a second daemon out.</summary>
internal static class BoardFiles
{
    private const int MaxLinks = 40;
    private const int LockAttempts = 20;

    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    // EWOULDBLOCK: the error of flock when another process has the lock. EROFS is the same on both systems.
    private const int LinuxWouldBlock = 11;
    private const int FreeBsdWouldBlock = 35;
    private const int ReadOnlyFileSystem = 30;

    /// <summary>
    /// The file itself where the path is a symbolic link. SQLite follows the link and keeps its log beside the file, so everything else that belongs
    /// to the board has to lie there too.
    /// </summary>
    /// <exception cref="BoardOpenException">The link leads nowhere.</exception>
    public static string Resolve(string path)
    {
        var resolved = Path.GetFullPath(path);
        for (var links = 0; FileLook.AtName(resolved).IsLink; links++)
        {
            var target = new FileInfo(resolved).LinkTarget;
            if (links == MaxLinks || target is null)
                throw new BoardOpenException($"cannot write the board {path}: it is a symbolic link that leads round in a circle (remove it, or set COLIBRI_DB_PATH)");
            resolved = Path.GetFullPath(target, Path.GetDirectoryName(resolved)!);
            if (FileLook.AtName(resolved).IsMissing)
                throw new BoardOpenException($"cannot write the board {path}: it is a symbolic link to {resolved}, which is not there (put the file back, remove the link, or set COLIBRI_DB_PATH)");
        }
        return resolved;
    }

    /// <summary>Takes the board. It is held until the result is disposed or the process ends in any way.</summary>
    /// <exception cref="BoardOpenException">The place is not writable, or another daemon has the board.</exception>
    public static BoardHold Claim(string path)
    {
        FileStream? held = null;
        try
        {
            if (FileLook.At(path).IsDirectory)
                throw new BoardOpenException($"cannot write the board {path}: it is a directory (set COLIBRI_DB_PATH to a file, such as {Path.Combine(path, "colibri.sqlite")})");
            MakeDirectory(Path.GetDirectoryName(path)!);
            held = TakeLock(path);
            Create(path);
            return new BoardHold(path, held, TakeFile(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            throw new BoardOpenException($"cannot write the board {path}: {OneLine(error.Message)} ({RemedyOf(error)}, or set COLIBRI_DB_PATH)", error);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    /// <summary>Takes the lock file, making it where it is missing.</summary>
    /// <exception cref="BoardOpenException">Another daemon holds it.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public static FileStream TakeLock(string path)
    {
        var lockPath = path + ".lock";
        for (var attempt = 1; ; attempt++)
        {
            FileStream held;
            try
            {
                held = Open(lockPath, FileShare.None);
            }
            catch (IOException error) when (error.HResult is LinuxWouldBlock or FreeBsdWouldBlock)
            {
                throw new BoardOpenException($"the board {path} is in use: another daemon holds {lockPath} (its pid is in that file)", error);
            }
            // The name may have been removed, and given to another file, between the opening and the lock.
            if (FileIdentity.Of(lockPath) == FileIdentity.Of(held.SafeFileHandle) || attempt == LockAttempts)
            {
                WritePid(held);
                return held;
            }
            held.Dispose();
        }
    }

    // BoardSync syncs the board's directory. The entry of that directory stands in its parent, which is synced here.
    private static void MakeDirectory(string path)
    {
        var look = FileLook.At(path);
        if (look.IsDirectory)
            return;
        if (look.Identity is not null)
            throw new IOException($"{path} is {look.Kind} and no directory");
        var above = Path.GetDirectoryName(path)!;
        MakeDirectory(above);
        ExactModes.CreateDirectory(path, DirectoryMode);
        DirectorySync.Flush(above);
    }

    private static InodeLock? TakeFile(string path)
    {
        try
        {
            return InodeLock.TryTake(path)
                ?? throw new BoardOpenException($"the board {path} is in use: another daemon has it, although its lock file was removed or replaced (find that daemon: fuser {path})");
        }
        catch (IOException) when (!FileLook.IsWritable(path, out _))
        {
            // SQLite says why in its own words.
            return null;
        }
    }

    // Overwrites in place, which needs no room on a full disk. The pid is for people who look up the holder; the lock works without it.
    private static void WritePid(FileStream held)
    {
        var pid = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        try
        {
            // Bypasses the stream's buffer, which would repeat a failed write when it is closed.
            RandomAccess.Write(held.SafeFileHandle, pid, 0);
            RandomAccess.SetLength(held.SafeFileHandle, pid.Length);
        }
        catch (IOException error) when (Errno.IsWantOfRoom(error))
        {
            RandomAccess.SetLength(held.SafeFileHandle, 0);
        }
    }

    // SQLite gives its -wal and -shm files the mode of the database file, so only this file's mode is set.
    // An existing file is not opened: closing any descriptor of it would drop the locks that SQLite holds on it.
    private static void Create(string path)
    {
        if (!File.Exists(path))
            Open(path, FileShare.ReadWrite).Dispose();
    }

    private static FileStream Open(string path, FileShare share) => ExactModes.OpenFile(
        path, new FileStreamOptions { Mode = System.IO.FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share }, FileMode);

    private static string RemedyOf(Exception error) => error switch
    {
        IOException full when Errno.IsWantOfRoom(full) => "free some space",
        { HResult: ReadOnlyFileSystem } => "mount its file system for writing",
        IOException file when file.Message.EndsWith("and no directory", StringComparison.Ordinal) => "move it away",
        _ => "check its directory's owner and mode",
    };

    private static string OneLine(string message) => message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
}
