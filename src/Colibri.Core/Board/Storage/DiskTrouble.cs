using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Colibri.Core.Board.Storage;

/// <summary>Tells errors of the disk from errors of a statement.</summary>
internal static class DiskTrouble
{
    public static bool Is(SqliteException error) => Name(error.SqliteErrorCode) is not null;

    /// <summary>Whether another verb, which needs less, may succeed where this one failed.</summary>
    public static bool IsWantOfRoom(SqliteException error) => error.SqliteErrorCode is raw.SQLITE_FULL or raw.SQLITE_NOMEM;

    public static BoardUnavailableException Unavailable(string path, SqliteException error) =>
        new($"the board {path} cannot be used now: {Name(error.SqliteErrorCode) ?? error.Message}", error);

    /// <summary>The error of an operation that was committed and could not be synced: unlike after any other refusal, it may be on the board.</summary>
    public static BoardUnavailableException Unsynced(string path, Exception error) =>
        new($"the board {path} cannot be used now: its disk did not keep what was written ({error.Message}); check the disk, see what is on the board, and try again", error);

    private static string? Name(int code) => code switch
    {
        raw.SQLITE_FULL => "its disk is full; free some space and try again",
        raw.SQLITE_IOERR => "its disk reports an I/O error; check the disk and try again",
        raw.SQLITE_READONLY => "it is read-only; check its owner, its mode and its mount, then try again",
        raw.SQLITE_CANTOPEN => "it cannot be opened; check its directory's owner and mode, then try again",
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "another program holds it locked; end that program and try again",
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => "it is damaged; stop the daemon, and restore the file from a backup",
        raw.SQLITE_NOMEM => "there is not enough memory; free some and try again",
        _ => null,
    };
}
