using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Colibri.Core.Board.Storage;

/// <summary>One prepared statement of one connection, bound anew for each use.</summary>
internal sealed class Statement(SqliteCommand command) : IDisposable
{
    private readonly List<SqliteParameter> _parameters = [];
    private sqlite3_stmt? _prepared;
    private int[] _places = [];

    public Statement Bind(params ReadOnlySpan<(string Name, object? Value)> values)
    {
        foreach (var (name, value) in values)
            Parameter(name).Value = value ?? DBNull.Value;
        return this;
    }

    /// <summary>Runs a statement that gives no rows.</summary>
    /// <returns>How many rows it inserted, updated or deleted; any number for one that does none of these.</returns>
    /// <exception cref="SqliteException">It failed, or another program held the lock for as long as the connection waits.</exception>
    public int Execute()
    {
        // Steps the statement directly. A command would allocate a reader for each execution, and every write comes through here.
        var database = command.Connection!.Handle!;
        var statement = _prepared ??= Prepare(database);
        for (var i = 0; i < _parameters.Count; i++)
            BindTo(statement, i);
        var result = raw.sqlite3_step(statement);
        var changed = raw.sqlite3_changes(database);
        try
        {
            if (result != raw.SQLITE_DONE)
                SqliteException.ThrowExceptionForRC(result, database);
            return changed;
        }
        finally
        {
            _ = raw.sqlite3_reset(statement);
        }
    }

    public long Number() => (long)command.ExecuteScalar()!;

    public T? First<T>(Func<SqliteDataReader, T> read)
        where T : class
    {
        using var reader = command.ExecuteReader();
        return reader.Read() ? read(reader) : null;
    }

    public List<T> All<T>(Func<SqliteDataReader, T> read)
    {
        var rows = new List<T>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The rows before the first that is not wanted; no row after that one is read.</summary>
    public List<T> TakeWhile<T>(Func<SqliteDataReader, T> read, Predicate<T> isWanted)
    {
        var rows = new List<T>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var row = read(reader);
            if (!isWanted(row))
                break;
            rows.Add(row);
        }
        return rows;
    }

    public void Dispose() => _prepared?.Dispose();

    private sqlite3_stmt Prepare(sqlite3 database)
    {
        SqliteException.ThrowExceptionForRC(
            raw.sqlite3_prepare_v3(database, command.CommandText, raw.SQLITE_PREPARE_PERSISTENT, out var statement), database);
        return statement;
    }

    private void BindTo(sqlite3_stmt statement, int parameter)
    {
        if (_places.Length < _parameters.Count)
            _places = Places(statement);
        // Several statements share a list of values; a statement skips a value whose name it does not have.
        if (_places[parameter] is not (> 0 and var place))
            return;
        var result = _parameters[parameter].Value switch
        {
            string text => raw.sqlite3_bind_text(statement, place, text),
            int number => raw.sqlite3_bind_int(statement, place, number),
            long number => raw.sqlite3_bind_int64(statement, place, number),
            DBNull => raw.sqlite3_bind_null(statement, place),
            var other => throw new InvalidOperationException($"a column takes no {other?.GetType()}"),
        };
        SqliteException.ThrowExceptionForRC(result, command.Connection!.Handle);
    }

    private int[] Places(sqlite3_stmt statement)
    {
        var places = new int[_parameters.Count];
        var found = 0;
        for (var i = 0; i < places.Length; i++)
        {
            places[i] = raw.sqlite3_bind_parameter_index(statement, _parameters[i].ParameterName);
            if (places[i] > 0)
                found++;
        }
        return found == raw.sqlite3_bind_parameter_count(statement)
            ? places
            : throw new InvalidOperationException($"a value is missing for: {command.CommandText}");
    }

    private SqliteParameter Parameter(string name)
    {
        foreach (var known in _parameters)
        {
            if (known.ParameterName == name)
                return known;
        }
        var parameter = new SqliteParameter { ParameterName = name };
        _parameters.Add(parameter);
        command.Parameters.Add(parameter);
        return parameter;
    }
}
