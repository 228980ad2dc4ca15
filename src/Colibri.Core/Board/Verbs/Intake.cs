using Colibri.Core.Board.Storage;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>A task in the intake: it is durable and has its id, and is not on the board yet.</summary>
internal sealed record Intake(string Id, NewTask Task, long CreatedAt)
{
    public static Intake Read(SqliteDataReader row) => new(
        row.GetString(0),
        new NewTask
        {
            Key = row.TextOrNull(1),
            Title = row.GetString(2),
            Description = row.GetString(3),
            Capabilities = TaskRow.Names(row.GetString(4)),
            Priority = row.GetInt32(5),
            MaxAttempts = row.GetInt32(6),
            SessionId = row.TextOrNull(7),
            Hold = row.GetInt64(9) != 0,
        },
        row.GetInt64(8));
}
