using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Storage;

/// <summary>One prepared statement of one connection, bound anew for each use.</summary>
internal sealed class Statement(SqliteCommand command)
{
    private readonly List<SqliteParameter> _parameters = [];

    public Statement Bind(params ReadOnlySpan<(string Name, object? Value)> values)
    {
        foreach (var (name, value) in values)
            Parameter(name).Value = value ?? DBNull.Value;
        return this;
    }

    public int Execute() => command.ExecuteNonQuery();

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
