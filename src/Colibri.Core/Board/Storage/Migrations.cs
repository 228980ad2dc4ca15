using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// The schema as numbered, additive steps; <c>PRAGMA user_version</c> says how many a file has had. A released step is never edited; a
/// correction is a new step.
/// </summary>
internal static class Migrations
{
    /// <summary><c>PRAGMA application_id</c> of a board: "CLBR".</summary>
    public const long ApplicationId = 0x434C4252;

    public static IReadOnlyList<string> All { get; } =
    [
        Schema.Tasks, Schema.Registry, Schema.Ledger, Schema.Jails, Schema.Claims, Schema.Verdicts, Schema.Interruptions, Schema.SessionLosses,
        Schema.SessionTotals, Schema.Places, Schema.Reworks, Schema.Results, Schema.Conversations, Schema.Skills,
        Schema.GoingOn, Schema.Versions, Schema.UsageProfiles, OutboxSchema.Text, Schema.RunTotals, Schema.Traces,
        DependencySchema.Text, ScheduleSchema.Text,
    ];

    /// <exception cref="BoardOpenException">The file is no board, or was written by a newer version of the program.</exception>
    public static void Apply(BoardConnection connection, string path) => Apply(connection, path, All);

    /// <summary>The same with other steps, for tests.</summary>
    internal static void Apply(BoardConnection connection, string path, IReadOnlyList<string> steps)
    {
        var version = Check(connection, path, steps.Count);
        // Nothing is synced here, which spares a cold start most of its waiting for the disk. A step that a power cut undoes is repeated whole at
        // the next start, and the first verb's sync covers all of the log before it.
        if (connection["PRAGMA journal_mode = WAL"].First(row => row.GetString(0)) is not "wal")
            throw new BoardOpenException($"the board {path} cannot use a write-ahead log there: put it on a local file system");
        if (version < steps.Count)
            Migrate(connection, version, steps);
    }

    public static BoardOpenException Refusal(string path, SqliteException error) => new(
        error.SqliteErrorCode switch
        {
            raw.SQLITE_NOTADB => $"{path} is not a SQLite database: move it away, or set COLIBRI_DB_PATH to another file",
            raw.SQLITE_CORRUPT => $"the board {path} is damaged: restore it from a backup, or set COLIBRI_DB_PATH to another file",
            _ => DiskTrouble.Unavailable(path, error).Message,
        },
        error);

    private static int Check(BoardConnection connection, string path, int known)
    {
        var application = connection["PRAGMA application_id"].Number();
        var version = connection["PRAGMA user_version"].Number();
        var isEmpty = connection["SELECT count(*) FROM sqlite_schema"].Number() == 0;
        if (application != ApplicationId && !(isEmpty && application == 0 && version == 0))
            throw new BoardOpenException($"{path} is a SQLite database, but not a Colibri board: set COLIBRI_DB_PATH to another file");
        if (version > known)
            throw new BoardOpenException(string.Create(CultureInfo.InvariantCulture,
                $"the board {path} has version {version}, this program knows {known}: run the newer program, or set COLIBRI_DB_PATH to another file"));
        return (int)version;
    }

    // One transaction for all steps: each further one would cost a sync.
    private static void Migrate(BoardConnection connection, int version, IReadOnlyList<string> steps)
    {
        connection.Script("BEGIN IMMEDIATE");
        try
        {
            foreach (var step in steps.Skip(version))
                connection.Script(step);
            connection.Script(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {steps.Count}; PRAGMA application_id = {ApplicationId};"));
            connection.Script("COMMIT");
        }
        catch
        {
            if (connection.InTransaction)
                connection.Script("ROLLBACK");
            throw;
        }
    }
}
