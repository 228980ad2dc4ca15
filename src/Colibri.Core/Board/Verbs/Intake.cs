using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>A task in the intake: it is durable and has its id, and is not on the board yet.</summary>
internal sealed record Intake(string Id, NewTask Task, long CreatedAt)
{
    public const string Columns = $"{TaskFields.Columns}, id, created_at, seq";

    /// <summary>Its place in the intake.</summary>
    public long Sequence { get; init; }

    public static Intake Read(SqliteDataReader row)
    {
        var task = TaskFields.Read(row, 0, out var next);
        return new Intake(row.GetString(next), task, row.GetInt64(next + 1)) { Sequence = row.GetInt64(next + 2) };
    }
}
