using Colibri.Core.Board.Storage;
using Colibri.Core.Cost;
using Colibri.Core.Panes.Dialects;

namespace Colibri.Core.Board.Verbs;

/// <summary>What agents' own sessions have used in all. It is written with the bookings that it includes, so both are on disk or neither is.</summary>
internal static class SessionVerbs
{
    private const string Upsert = """
        INSERT INTO session_totals (session, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents, told_at)
        VALUES ($session, $model, $input, $output, $cache_read, $cache_write, $cost, $now)
        ON CONFLICT (session, model) DO UPDATE SET input_tokens = max(input_tokens, excluded.input_tokens),
            output_tokens = max(output_tokens, excluded.output_tokens), cache_read_tokens = max(cache_read_tokens, excluded.cache_read_tokens),
            cache_write_tokens = max(cache_write_tokens, excluded.cache_write_tokens), cost_microcents = max(cost_microcents, excluded.cost_microcents),
            told_at = excluded.told_at
        """;

    // A session has a row for each of its models; the sessions told of last are kept.
    private const string Trim = """
        DELETE FROM session_totals WHERE session NOT IN (
            SELECT session FROM session_totals GROUP BY session ORDER BY max(told_at) DESC, session DESC LIMIT $most)
        """;

    private const string Rows = "SELECT count(*) FROM session_totals";

    private const string All = """
        SELECT session, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents
        FROM session_totals ORDER BY told_at, session, model
        """;

    public static void Set(WriteScope scope, IReadOnlyList<SessionUsage> sessions)
    {
        if (sessions.Count == 0)
            return;
        foreach (var session in sessions)
        {
            foreach (var (model, total) in session.Models)
            {
                scope.Execute(
                    Upsert,
                    ("$session", session.Session), ("$model", model), ("$input", total.Input), ("$output", total.Output),
                    ("$cache_read", total.CacheRead), ("$cache_write", total.CacheWrite), ("$cost", total.Microcents), ("$now", scope.Now));
            }
        }
        if (scope.First(Rows, row => new Count(row.GetInt64(0)))!.Value > SessionTotals.MaxSessions)
            scope.Execute(Trim, ("$most", SessionTotals.MaxSessions));
    }

    public static IReadOnlyList<SessionUsage> List(BoardConnection connection)
    {
        var rows = connection[All].All(row => (
            Session: row.GetString(0),
            Total: new SessionModelTotal(row.GetString(1), new UsageReport(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6)))));
        return [.. rows.GroupBy(row => row.Session).Select(session => new SessionUsage(session.Key, [.. session.Select(row => row.Total)]))];
    }

    private sealed record Count(long Value);
}
