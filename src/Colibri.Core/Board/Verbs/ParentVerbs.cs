using System.Text;
using System.Text.Json;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>What is told of the tasks that one comes after to whoever works on it.</summary>
internal static class ParentVerbs
{
    /// <summary>The most bytes of UTF-8 of one agent's last words.</summary>
    public const int MaxResultBytes = 16 * 1024;

    /// <summary>The most bytes of UTF-8 of all of them: a run keeps them for as long as it lasts.</summary>
    public const int MaxResultsBytes = 64 * 1024;

    private const string Parents = """
        SELECT p.id, p.seq, p.title, p.status, p.result, p.result_truncated, p.change, p.error_code, p.error_message
        FROM tasks t JOIN task_after a ON a.task = t.seq JOIN tasks p ON p.seq = a.parent WHERE t.id = $id
        """;

    /// <summary>The task with its parents, if it has any.</summary>
    public static BoardTask With(WriteScope scope, BoardTask task) =>
        task.After.Count == 0 ? task : With(task, scope.All(Parents, Read, ("$id", task.Id)));

    /// <summary>The same outside of a transaction.</summary>
    public static BoardTask With(BoardConnection connection, BoardTask task) =>
        task.After.Count == 0 ? task : With(task, connection[Parents].Bind(("$id", task.Id)).All(Read));

    private static BoardTask With(BoardTask task, List<TaskParent> parents)
    {
        var order = task.After as IList<string> ?? [.. task.After];
        parents.Sort((left, right) => order.IndexOf(left.TaskId).CompareTo(order.IndexOf(right.TaskId)));
        var left = MaxResultsBytes;
        for (var i = 0; i < parents.Count; i++)
        {
            if (parents[i].Result is not { } result)
                continue;
            var words = Utf8Head.Of(result.Text, Math.Min(left, MaxResultBytes));
            left -= Encoding.UTF8.GetByteCount(words);
            if (words.Length < result.Text.Length)
                parents[i] = parents[i] with { Result = new TaskResult(words, true) };
        }
        return parents.Count == 0 ? task : task with { Parents = parents };
    }

    private static TaskParent Read(SqliteDataReader row)
    {
        var status = TaskRow.State(row.GetString(3));
        return new TaskParent(
            row.GetString(0), row.GetInt64(1), row.GetString(2), status, row.ResultOrNull(4),
            row.TextOrNull(6) is { } change ? JsonSerializer.Deserialize(change, BoardJson.Default.WorkChange) : null,
            status == TaskState.Done ? null : row.ErrorOrNull(7));
    }
}
