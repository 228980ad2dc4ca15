using System.Globalization;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// The cost ledger: what agents used, by agent, day, provider and model, and its sums. Usage that clients append to a session is not booked
/// here: an agent's own usage would count twice.
/// </summary>
internal static class LedgerVerbs
{
    // A run or an agent that has ended is settled: a booking that arrives after its last one changes nothing.
    private const string Upsert = """
        INSERT INTO usage (agent_id, run_id, day, provider, model, task_id, session_id, profile, requests,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents, unpriced_tokens, awaited_tokens)
        SELECT a.id, $run, $day, $provider, $model, r.task_id, coalesce(r.session_id, a.session_id, ''), r.profile, $requests, $input, $output, $cache_read, $cache_write, $cost, $unpriced, $awaited
        FROM agents a LEFT JOIN runs r ON r.id = $run AND r.agent_id = a.id AND r.finished_at IS NULL
        WHERE a.id = $agent AND a.kind = 'spawned' AND a.ended_at IS NULL AND ($run = '' OR r.id IS NOT NULL)
        ON CONFLICT (agent_id, run_id, day, provider, model) DO UPDATE SET requests = excluded.requests,
            input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
            cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
            cost_microcents = excluded.cost_microcents, unpriced_tokens = excluded.unpriced_tokens,
            awaited_tokens = excluded.awaited_tokens
        """;

    private const string HasAwaited = "SELECT count(*) FROM usage WHERE awaited_tokens > 0";

    private const string LoseAwaited = "UPDATE usage SET unpriced_tokens = unpriced_tokens + awaited_tokens, awaited_tokens = 0 WHERE awaited_tokens > 0";

    // sum() fails beyond 64 bits. Each row is bounded (to 90,000 USD), so that even a million hostile rows have a sum.
    private const string Sums = """
        ifnull(sum(min(u.requests, 1000000000)), 0), ifnull(sum(min(u.input_tokens, 9000000000000)), 0),
        ifnull(sum(min(u.output_tokens, 9000000000000)), 0), ifnull(sum(min(u.cache_read_tokens, 9000000000000)), 0),
        ifnull(sum(min(u.cache_write_tokens, 9000000000000)), 0), ifnull(sum(min(u.cost_microcents, 9000000000000)), 0),
        ifnull(sum(min(u.unpriced_tokens, 9000000000000)), 0)
        """;

    private const string Run = """
        SELECT ifnull(sum(input_tokens), 0), ifnull(sum(output_tokens), 0), ifnull(sum(cache_read_tokens), 0),
            ifnull(sum(cache_write_tokens), 0), ifnull(sum(cost_microcents), 0), ifnull(sum(unpriced_tokens), 0)
        FROM usage WHERE agent_id = $agent AND run_id = $run
        """;

    private const string Day = $"SELECT {Sums} FROM usage u WHERE u.day = $day";

    private const string All = $"SELECT {Sums} FROM usage u";

    private const string ByTask = $"""
        SELECT {Sums}, u.task_id, t.title, t.status, count(DISTINCT u.agent_id), t.seq FROM usage u LEFT JOIN tasks t ON t.id = u.task_id
        GROUP BY u.task_id ORDER BY 6 DESC, 7 DESC, u.task_id LIMIT $limit
        """;

    private const string BySession = $"""
        SELECT {Sums}, u.session_id, count(DISTINCT u.agent_id) FROM usage u GROUP BY u.session_id ORDER BY 6 DESC, 7 DESC, u.session_id LIMIT $limit
        """;

    private const string ByProvider = $"""
        SELECT {Sums}, u.provider, u.model, count(DISTINCT u.agent_id) FROM usage u
        GROUP BY u.provider, u.model ORDER BY 6 DESC, 7 DESC, u.provider, u.model LIMIT $limit
        """;

    private const string Profile = $"ifnull(u.profile, '{CostLine.OtherProfile}')";

    private const string ByProfile = $"""
        SELECT {Sums}, {Profile} AS name, count(DISTINCT u.agent_id) FROM usage u GROUP BY name ORDER BY 6 DESC, 7 DESC, name LIMIT $limit
        """;

    private const string ByDayProfile = $"""
        SELECT {Sums}, u.day, {Profile} AS name, count(DISTINCT u.agent_id) FROM usage u
        GROUP BY u.day, name ORDER BY u.day DESC, 6 DESC, 7 DESC, name LIMIT $limit
        """;

    // The first to be used stay on lines of their own, so that no line's numbers fall.
    private const string ByRoute = $"""
        SELECT {Sums}, u.provider, u.model, {Profile} AS name FROM usage u
        GROUP BY u.provider, u.model, name ORDER BY min(u.day), u.provider, u.model, name
        """;

    private const string ByDay = $"SELECT {Sums}, u.day, count(DISTINCT u.agent_id) FROM usage u GROUP BY u.day ORDER BY u.day DESC LIMIT $limit";

    public static int Book(WriteScope scope, string agentId, IReadOnlyList<UsageRow> rows)
    {
        var booked = 0;
        foreach (var row in rows)
        {
            var usage = row.Usage;
            booked += scope.Execute(
                Upsert,
                ("$agent", agentId), ("$run", row.RunId), ("$day", Text(row.Day)), ("$provider", row.Provider), ("$model", row.Model), ("$requests", row.Requests),
                ("$input", usage.InputTokens), ("$output", usage.OutputTokens), ("$cache_read", usage.CacheReadTokens),
                ("$cache_write", usage.CacheWriteTokens), ("$cost", usage.CostMicrocents), ("$unpriced", usage.UnpricedTokens), ("$awaited", row.AwaitedTokens));
        }
        return booked;
    }

    /// <summary>Whether a cost is awaited; right after opening, by agents of an earlier daemon, which can no longer tell it.</summary>
    public static bool AreCostsAwaited(BoardConnection connection) => connection[HasAwaited].Number() > 0;

    /// <summary>Counts all tokens whose cost is awaited as tokens without a price.</summary>
    public static int GiveUpAwaited(WriteScope scope) => scope.Execute(LoseAwaited);

    public static Usage OfRun(WriteScope scope, string agentId, string runId) =>
        scope.First(Run, row => row.Usage(0), ("$agent", agentId), ("$run", runId))!;

    public static Usage OfRun(BoardConnection connection, string agentId, string runId) =>
        connection[Run].Bind(("$agent", agentId), ("$run", runId)).First(row => row.Usage(0))!;

    public static Usage OfDay(BoardConnection connection, DateOnly day) =>
        connection[Day].Bind(("$day", Text(day))).First(row => row.Usage(1))!;

    public static CostSummary Summarise(BoardConnection connection, CostGrouping by, int limit)
    {
        var sql = by switch
        {
            CostGrouping.Task => ByTask,
            CostGrouping.Session => BySession,
            CostGrouping.Provider => ByProvider,
            CostGrouping.Profile => ByProfile,
            CostGrouping.Day => ByDay,
            CostGrouping.DayProfile => ByDayProfile,
            _ => throw new ArgumentOutOfRangeException(nameof(by), by, "no such grouping"),
        };
        // One row more than requested tells whether there are more.
        var lines = connection[sql].Bind(("$limit", limit + 1)).All(row => ReadLine(row, by));
        var total = connection[All].Bind().First(row => CostLine.Of(row.GetInt64(0), row.Usage(1)))!;
        return new CostSummary
        {
            By = by,
            Total = total,
            Lines = lines.Count > limit ? lines[..limit] : lines,
            More = lines.Count > limit ? true : null,
        };
    }

    /// <summary>The sums by provider, model and profile; those beyond the most lines are one line more.</summary>
    public static IReadOnlyList<UsageTotal> Totals(BoardConnection connection, int mostLines)
    {
        var lines = connection[ByRoute].Bind().All(row => new UsageTotal(row.GetString(7), row.GetString(8), row.GetString(9), row.GetInt64(0), row.Usage(1)));
        if (lines.Count <= mostLines)
            return lines;
        var rest = lines.Skip(mostLines).Aggregate((sum, line) => sum with { Requests = sum.Requests + line.Requests, Usage = sum.Usage + line.Usage });
        return [.. lines.Take(mostLines), rest with { Provider = CostLine.OtherProfile, Model = CostLine.OtherProfile, Profile = CostLine.OtherProfile }];
    }

    private static CostLine ReadLine(SqliteDataReader row, CostGrouping by)
    {
        var line = CostLine.Of(row.GetInt64(0), row.Usage(1));
        return by switch
        {
            CostGrouping.Task => line with { TaskId = row.TextOrNull(7), Title = row.TextOrNull(8), Status = StatusOrNull(row, 9), Agents = row.GetInt64(10), TaskNumber = row.LongOrNull(11) },
            CostGrouping.Session => line with { SessionId = row.GetString(7), Agents = row.GetInt64(8) },
            CostGrouping.Provider => line with { Provider = row.GetString(7), Model = row.GetString(8), Agents = row.GetInt64(9) },
            CostGrouping.Profile => line with { Profile = row.GetString(7), Agents = row.GetInt64(8) },
            CostGrouping.DayProfile => line with { Day = row.GetString(7), Profile = row.GetString(8), Agents = row.GetInt64(9) },
            _ => line with { Day = row.GetString(7), Agents = row.GetInt64(8) },
        };
    }

    private static TaskState? StatusOrNull(SqliteDataReader row, int column) => row.TextOrNull(column) is { } status ? TaskRow.State(status) : null;

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
