using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>Pages of runs, the newest first: of one task, or of all.</summary>
internal static class RunListVerbs
{
    // CROSS JOIN keeps the runs outermost, so that a page is read off their order and no other table is walked.
    private const string Columns = """
        SELECT r.seq, r.id, r.task_id, t.seq, t.title, r.attempt, r.agent_id, a.number, r.profile, a.runtime, r.version, r.session_id, r.model, r.provider,
            r.started_at, r.finished_at, r.exit_code, r.exit_signal, r.verdict, r.error_code, r.error_message, r.resumed, r.denied,
            r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens, r.cost_microcents, r.unpriced_tokens,
            r.trace_id, r.span_id
        FROM runs r CROSS JOIN tasks t CROSS JOIN agents a
        """;

    private const string All = $"{Columns} WHERE t.id = r.task_id AND a.id = r.agent_id AND r.seq < $before ORDER BY r.seq DESC LIMIT $limit";

    private const string OfTask =
        $"{Columns} WHERE t.id = r.task_id AND a.id = r.agent_id AND r.task_id = $task AND r.seq < $before ORDER BY r.seq DESC LIMIT $limit";

    private const string Sequence = "SELECT seq FROM runs WHERE id = $id";

    private const string IsTask = "SELECT 1 FROM tasks WHERE id = $id";

    /// <summary>The texts whose cost must not grow with the board, for a test to hold against the query planner.</summary>
    internal static IReadOnlyList<string> Indexed => [All, OfTask];

    /// <returns>The page; null where the task is unknown.</returns>
    /// <exception cref="ArgumentException">No run has the id to go on after.</exception>
    public static RunList? List(BoardConnection connection, RunQuery query)
    {
        var taskId = query.TaskId is { } name ? BoardNames.Task(connection, name) : null;
        if (taskId is not null && connection[IsTask].Bind(("$id", taskId)).All(row => row.GetInt32(0)).Count == 0)
            return null;
        var before = long.MaxValue;
        if (query.Before is { } last)
        {
            var found = connection[Sequence].Bind(("$id", last)).All(row => row.GetInt64(0));
            before = found.Count == 1 ? found[0] : throw new ArgumentException($"no run {last} on the board to go on after", nameof(query));
        }
        var seen = 0;
        var characters = 0L;
        var fits = true;
        // One row more than requested tells whether there is a next page.
        var page = taskId is null
            ? connection[All].Bind(("$before", before), ("$limit", query.Limit + 1L))
            : connection[OfTask].Bind(("$before", before), ("$limit", query.Limit + 1L), ("$task", taskId));
        var runs = page.TakeWhile(Read, run =>
        {
            seen++;
            characters += Length(run);
            return fits = seen == 1 || (seen <= query.Limit && characters <= query.MaxCharacters);
        });
        var next = fits ? null : runs[^1].Id;
        // What a run uses is on its own row from its end on. Before that, the ledger has it.
        return new RunList(
            [.. runs.Select(run => run.EndedAt is null ? run with { Usage = LedgerVerbs.OfRun(connection, run.AgentId, run.Id) } : run)], next);
    }

    private static long Length(RunSummary run) =>
        run.Title.Length + (run.Error?.Message.Length ?? 0) + (run.Denied?.Sum(tool => tool.Tool.Length + (long)(tool.Reason?.Length ?? 0)) ?? 0);

    private static RunSummary Read(SqliteDataReader row)
    {
        var (start, end) = (row.GetInt64(14), row.LongOrNull(15));
        return new RunSummary
        {
            Id = row.GetString(1),
            TaskId = row.GetString(2),
            TaskNumber = row.GetInt64(3),
            Title = row.GetString(4),
            Attempt = row.GetInt32(5),
            AgentId = row.GetString(6),
            Label = row.LongOrNull(7) is { } number ? AgentLabel.Of(number) : null,
            Profile = row.TextOrNull(8),
            Runtime = row.TextOrNull(9),
            Version = row.TextOrNull(10),
            SessionId = row.GetString(11),
            Model = row.TextOrNull(12),
            Provider = row.TextOrNull(13),
            StartedAt = row.Time(14),
            EndedAt = row.TimeOrNull(15),
            // The clock may have been set back meanwhile.
            DurationMs = end is null ? null : Math.Max(0, end.Value - start),
            Exit = row.ExitOrNull(16),
            Verdict = row.TextOrNull(18),
            Error = row.ErrorOrNull(19),
            Resumed = row.GetInt32(21) != 0 ? true : null,
            Denied = row.DeniedOrNull(22),
            Usage = row.Usage(23),
            TraceId = row.TextOrNull(29),
            SpanId = row.TextOrNull(30),
        };
    }
}
