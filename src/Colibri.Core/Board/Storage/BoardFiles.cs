using System.Globalization;
using System.Text;
using Colibri.Posix.Host;

namespace Colibri.Core.Board.Storage;

/// <summary>The files around a board: its directory, the database file, and the lock that keeps a second daemon out.</summary>
internal static class BoardFiles
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    // EWOULDBLOCK: the error of flock when another process has the lock.
    private const int LinuxWouldBlock = 11;
    private const int FreeBsdWouldBlock = 35;

    /// <summary>Takes the lock. It lasts until the returned stream is closed or the process ends in any way.</summary>
    /// <exception cref="BoardOpenException">The place is not writable, or another daemon has the lock.</exception>
    public static FileStream Claim(string path)
    {
        var lockPath = path + ".lock";
        FileStream? held = null;
        try
        {
            MakeDirectory(Path.GetDirectoryName(path)!);
            held = Take(lockPath);
            Create(path);
            return held;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            var remedy = error is IOException full && Errno.IsWantOfRoom(full) ? "free some space" : "check its directory's owner and mode";
            throw new BoardOpenException($"cannot write the board {path}: {OneLine(error.Message)} ({remedy}, or set COLIBRI_DB_PATH)", error);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    // BoardSync syncs the board's directory. The entry of that directory stands in its parent, which is synced here.
    private static void MakeDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        var above = Path.GetDirectoryName(path)!;
        MakeDirectory(above);
        ExactModes.CreateDirectory(path, DirectoryMode);
        DirectorySync.Flush(above);
    }

    private static FileStream Take(string lockPath)
    {
        FileStream held;
        try
        {
            held = Open(lockPath, FileShare.None);
        }
        catch (IOException error) when (error.HResult is LinuxWouldBlock or FreeBsdWouldBlock)
        {
            throw new BoardOpenException(
                $"the board {lockPath[..^".lock".Length]} is in use: another daemon holds {lockPath} (its pid is in that file)", error);
        }
        WritePid(held);
        return held;
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

    private static string OneLine(string message) => message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
}
