using System.Globalization;
using Colibri.Core.Logging;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// What keeps a board this daemon's own, and tells whether its files are still the ones that were opened. A file is known by device and inode.
/// </summary>
/// <remarks>
/// There are two locks: the lock file, which names its holder, and a lock on the database file itself, which stays when names are removed
/// (<see cref="InodeLock"/>). The log and its index have no lock of ours; SQLite holds them open, so their inodes are not given to other files.
/// </remarks>
internal sealed class BoardHold(string path, FileStream lockFile, InodeLock? database) : IDisposable
{
    private readonly Lock _gate = new();
    private FileStream _lock = lockFile;
    private bool _isDisposed;
    private Companions? _companions;

    /// <summary>The database file.</summary>
    public string Path => path;

    /// <summary>The database file that is held; null where it could not be opened for writing.</summary>
    public FileIdentity? Database => database?.Identity;

    /// <summary>
    /// Why nothing that is written now would be found again: the name leads to another file than the one that is open, or to none. Null while all
    /// is well. Costs one stat(2).
    /// </summary>
    public string? Loss()
    {
        if (database is null)
            return null;
        var look = FileLook.At(path);
        // What cannot be looked at is not known to be gone: SQLite has it open.
        if (look.Identity == database.Identity || (look.Identity is null && !look.IsMissing))
            return null;
        var moved = Whereabouts();
        var back = moved is null ? "put it back" : $"put it back: mv {moved} {path}";
        return look.Identity is null
            ? $"the board {path} was {(moved is null ? "removed" : $"moved to {moved}")} while it is open: what is written would be lost; {back}, or restart the daemon, which then begins an empty board"
            : $"{look.Kind} was put in the place of the board {path}: what is written would be lost; {back}, or restart the daemon, which then takes what is there";
    }

    /// <summary>Whether the log or its index is not the file any more that SQLite writes to, and the database itself is.</summary>
    public bool IsLogLost => Volatile.Read(ref _companions) is { } known
        && (FileIdentity.Of(LogPath) != known.Log || (known.Index is { } index && FileIdentity.Of(IndexPath) != index));

    /// <summary>Notes which files SQLite has made beside the database. Does nothing once they are known.</summary>
    public void NoteLog()
    {
        if (Volatile.Read(ref _companions) is null && FileIdentity.Of(LogPath) is { } log)
            Volatile.Write(ref _companions, new Companions(log, FileIdentity.Of(IndexPath)));
    }

    /// <summary>To be called before the last connection is closed: SQLite then makes other files.</summary>
    public void ForgetLog() => Volatile.Write(ref _companions, null);

    /// <summary>Looks at every file, and makes the lock file anew where that is safe.</summary>
    public IReadOnlyList<StatusFile> Look(ILogger logger)
    {
        if (Loss() is { } loss)
        {
            // The lock file, if there is one, belongs to whoever has the board that is there now.
            return [new StatusFile("board", path, FileLook.At(path).Identity is null ? StatusFile.Gone : StatusFile.Replaced, loss)];
        }
        var found = new List<StatusFile>();
        if (!FileLook.IsWritable(path, out var problem))
            found.Add(new StatusFile("board", path, StatusFile.ReadOnly, $"the board {path} is open, and cannot be opened for writing again: {problem}; check its owner, its mode and its mount, or the next start fails"));
        else if (database?.Renew() == false)
            found.Add(new StatusFile("board", path, StatusFile.Taken, $"another daemon has taken the board {path}: end that one (find it: fuser {path}), then restart this one"));
        if (IsLogLost && !FileLook.At(LogPath).IsDirectory && !FileLook.At(IndexPath).IsDirectory)
            found.Add(new StatusFile("board-log", LogPath, FileIdentity.Of(LogPath) is null ? StatusFile.Gone : StatusFile.Replaced, $"{LogPath} or its index was removed or replaced while it is open; it is made anew"));
        // The log is forgotten once it was copied into the database, and cannot be made anew here.
        foreach (var place in (string[])[LogPath, IndexPath])
        {
            if (FileLook.At(place).IsDirectory)
                found.Add(new StatusFile("board-log", place, StatusFile.Replaced, $"a directory is where the board's log or its index belongs: move {place} away"));
        }
        if (LookAtLock(logger) is { } lockTrouble)
            found.Add(lockTrouble);
        return found;
    }

    /// <summary>Closes the lock file and, after the last connection, the database file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _lock.Dispose();
            database?.Dispose();
        }
    }

    private string LogPath => path + "-wal";

    private string IndexPath => path + "-shm";

    private StatusFile? LookAtLock(ILogger logger)
    {
        var lockPath = path + ".lock";
        lock (_gate)
        {
            if (_isDisposed)
                return null;
            var look = FileLook.At(lockPath);
            if (look.Identity == FileIdentity.Of(_lock.SafeFileHandle))
                return null;
            var state = look.Identity is null ? StatusFile.Gone : StatusFile.Replaced;
            try
            {
                // The lock on the database file keeps others out meanwhile.
                var again = BoardFiles.TakeLock(path);
                _lock.Dispose();
                _lock = again;
                logger.BoardLockMadeAnew(lockPath);
                return null;
            }
            catch (BoardOpenException)
            {
                return new StatusFile("board-lock", lockPath, StatusFile.Taken, $"another program holds {lockPath}: end it (its pid is in that file), or remove the file");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new StatusFile(
                    "board-lock", lockPath, state, $"{lockPath} cannot be made anew: {e.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ')}; move away what is there");
            }
        }
    }

    /// <summary>Where a file that is open was moved to; null where it was removed, or where the system does not tell.</summary>
    private string? Whereabouts()
    {
        const string Removed = " (deleted)";
        try
        {
            var link = new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{database!.Descriptor}")).LinkTarget;
            return link is null || link.EndsWith(Removed, StringComparison.Ordinal) || FileIdentity.Of(link) != database.Identity ? null : link;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Companions(FileIdentity Log, FileIdentity? Index);
}
