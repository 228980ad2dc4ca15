using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Colibri.Core.Board.Storage;

/// <summary>A connection with its prepared statements. Used by one thread at a time.</summary>
internal sealed class BoardConnection : IDisposable
{
    private const int ReaderBusySeconds = 5;
    private readonly Dictionary<string, Statement> _statements = [];

    static BoardConnection()
    {
        Batteries_V2.Init();
        // A connection is used by one thread at a time, so SQLite need not lock it at every call, and its memory statistics are not read.
        // Both settings fail once SQLite is in use, as it may be in a test's process; SQLite is then only slower.
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    private BoardConnection(SqliteConnection inner) => Inner = inner;

    public SqliteConnection Inner { get; }

    /// <summary>False once SQLite has rolled a transaction back by itself, as it may when the disk fails.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Inner.Handle) == 0;

    public static BoardConnection OpenWriter(string path, int busySeconds)
    {
        var connection = Open(path, SqliteOpenMode.ReadWrite, busySeconds);
        try
        {
            // NORMAL syncs at checkpoints alone, which keeps the database intact. BoardSync makes the commits durable before they are answered.
            connection.Script("PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static BoardConnection OpenReader(string path) => Open(path, SqliteOpenMode.ReadOnly, ReaderBusySeconds);

    /// <summary>The prepared statement for this text, made at first use and kept.</summary>
    public Statement this[string sql]
    {
        get
        {
            if (_statements.TryGetValue(sql, out var statement))
                return statement;
            var command = Inner.CreateCommand();
#pragma warning disable CA2100 // Every text is a constant of ours or generated from the life cycle table; values are always bound.
            command.CommandText = sql;
#pragma warning restore CA2100
            return _statements[sql] = new Statement(command);
        }
    }

    /// <summary>Runs a text of several statements once, without keeping it.</summary>
    public void Script(string sql)
    {
        using var command = Inner.CreateCommand();
#pragma warning disable CA2100 // As above.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>Turns off the checkpoint that closing the last connection would make.</summary>
    public void LeaveLogAtClose() => raw.sqlite3_db_config(Inner.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);

    // The connection disposes the commands made from it.
    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        Inner.Dispose();
    }

    private static BoardConnection Open(string path, SqliteOpenMode mode, int busySeconds)
    {
        var inner = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
            ForeignKeys = true,
            DefaultTimeout = busySeconds,
        }.ToString());
        var connection = new BoardConnection(inner);
        try
        {
            inner.Open();
            connection.Script($"PRAGMA busy_timeout = {busySeconds * 1000};");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
