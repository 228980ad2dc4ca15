using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>What is to be told to whom. Notices of tasks are written by triggers, with the change that they tell of.</summary>
internal static class OutboxVerbs
{
    private const string Columns = "n.id, n.kind, n.episode, n.at, n.message, n.ended_at, t.id, n.task, t.title, n.agent_id, a.number, n.name, n.detail, n.changed";

    private const string From = "FROM notices n LEFT JOIN tasks t ON t.seq = n.task LEFT JOIN agents a ON a.id = n.agent_id";

    private const string KeepSink = """
        INSERT INTO sinks (name, kinds, digested_until) VALUES ($name, $kinds, $now)
        ON CONFLICT (name) DO UPDATE SET kinds = excluded.kinds, digested_until = ifnull(sinks.digested_until, excluded.digested_until)
        """;

    private const string DropSinks = "DELETE FROM sinks WHERE name NOT IN (SELECT value FROM json_each($names))";

    private const string DropDeliveries = "DELETE FROM deliveries WHERE sink NOT IN (SELECT value FROM json_each($names))";

    private const string Insert = $"""
        INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, name, message)
        SELECT $kind, $episode, $now, {OutboxSchema.Changed}, $task, $agent, $name, $message
        """;

    private const string End = $"UPDATE notices SET ended_at = $now, changed = {OutboxSchema.Changed} WHERE episode = $episode AND ended_at IS NULL";

    private const string EndKinds = $"UPDATE notices SET ended_at = $now, changed = {OutboxSchema.Changed} WHERE ended_at IS NULL AND kind IN ('question', 'stalled')";

    private const string Open = $"SELECT {Columns} {From} WHERE n.ended_at IS NULL AND n.kind IN ('budget', 'disk', 'provider')";

    private const string Pending = $"""
        SELECT {Columns} FROM deliveries d JOIN notices n ON n.id = d.notice LEFT JOIN tasks t ON t.seq = n.task LEFT JOIN agents a ON a.id = n.agent_id
        WHERE d.sink = $sink AND d.dead = 0 ORDER BY d.notice LIMIT $limit
        """;

    private const string Told = "DELETE FROM deliveries WHERE sink = $sink AND notice IN (SELECT value FROM json_each($ids))";

    private const string CountTold = "UPDATE sinks SET delivered = delivered + $count, last_at = $now, last_error = NULL WHERE name = $sink";

    private const string Attempted = """
        UPDATE deliveries SET attempts = attempts + 1, dead = attempts + 1 >= $most, error = $error
        WHERE sink = $sink AND notice IN (SELECT value FROM json_each($ids))
        """;

    private const string NoteError = "UPDATE sinks SET last_error = $error WHERE name = $sink";

    private const string Revive = "UPDATE deliveries SET dead = 0, attempts = 0 WHERE $sink IS NULL OR sink = $sink";

    private const string Sinks = """
        SELECT name, delivered, last_at, last_error, digested_until, (SELECT count(*) FROM deliveries WHERE sink = name AND dead = 0), (SELECT count(*) FROM deliveries WHERE sink = name AND dead = 1)
        FROM sinks WHERE name = $sink
        """;

    private const string Since = $"SELECT {Columns} {From} WHERE n.changed > $after ORDER BY n.changed LIMIT 1000";

    private const string Latest = "SELECT ifnull(max(changed), 0) FROM notices";

    private const string List = $"SELECT {Columns} {From} WHERE $sink IS NULL OR n.id IN (SELECT notice FROM deliveries WHERE sink = $sink) ORDER BY n.id DESC LIMIT $limit";

    private const string Deliveries = "SELECT notice, sink, attempts, dead, error FROM deliveries WHERE notice IN (SELECT value FROM json_each($ids)) ORDER BY notice, sink";

    private const string InsertDigest = $"""
        INSERT OR IGNORE INTO notices (kind, episode, at, ended_at, changed, message, detail) VALUES ('digest', $episode, $to, $to, {OutboxSchema.Changed}, $message, $detail)
        """;

    private const string DeliverDigest = "INSERT INTO deliveries (sink, notice) VALUES ($sink, $notice)";

    private const string MoveDigest = "UPDATE sinks SET digested_until = $to WHERE name = $sink AND digested_until = $from";

    private const string TasksOf = "SELECT status, count(*) FROM tasks WHERE finished_at > $from AND finished_at <= $to AND status IN ('done', 'failed', 'cancelled') GROUP BY status";

    private const string RunsOf = """
        SELECT count(*), ifnull(sum(min(cost_microcents, 9000000000000)), 0), ifnull(sum(min(unpriced_tokens, 9000000000000)), 0)
        FROM runs WHERE finished_at > $from AND finished_at <= $to
        """;

    // What nobody waits for any more goes by age and by number; what is still to be told, and what lasts, stays.
    private const string Prune = """
        DELETE FROM notices WHERE (at < $before OR id <= (SELECT ifnull(max(id), 0) FROM notices) - $most)
            AND ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notice = notices.id AND d.dead = 0)
        """;

    private const string DropOrphans = "DELETE FROM deliveries WHERE dead = 1 AND notice NOT IN (SELECT id FROM notices)";

    /// <summary>Sets who is told of what. What was to be told to a sink that is gone is forgotten.</summary>
    public static int SetSinks(WriteScope scope, IReadOnlyList<(string Name, string Kinds)> sinks)
    {
        var names = TaskRow.Json([.. sinks.Select(sink => sink.Name)]);
        scope.Execute(DropDeliveries, ("$names", names));
        scope.Execute(DropSinks, ("$names", names));
        foreach (var (name, kinds) in sinks)
            scope.Execute(KeepSink, ("$name", name), ("$kinds", kinds), ("$now", scope.Now));
        return sinks.Count;
    }

    public static bool Begin(WriteScope scope, NewNotice notice) => scope.Execute(
        Insert, ("$kind", Text(notice.Kind)), ("$episode", notice.Episode), ("$now", scope.Now), ("$task", notice.TaskNumber), ("$agent", notice.AgentId), ("$name", notice.Name), ("$message", notice.Message)) > 0;

    public static bool EndOf(WriteScope scope, string episode) => scope.Execute(End, ("$episode", episode), ("$now", scope.Now)) > 0;

    /// <summary>Ends the episodes of agents: they have ended with the daemon before.</summary>
    public static int EndOfAgents(WriteScope scope) => scope.Execute(EndKinds, ("$now", scope.Now));

    public static IReadOnlyList<Notice> ListOpen(BoardConnection connection) => connection[Open].Bind().All(Read);

    public static IReadOnlyList<Notice> ListPending(BoardConnection connection, string sink, int limit) =>
        connection[Pending].Bind(("$sink", sink), ("$limit", (long)limit)).All(Read);

    /// <summary>Notes that the sink was told.</summary>
    public static bool Delivered(WriteScope scope, string sink, IReadOnlyList<long> ids)
    {
        var count = scope.Execute(Told, ("$sink", sink), ("$ids", Json(ids)));
        return scope.Execute(CountTold, ("$sink", sink), ("$count", count), ("$now", scope.Now)) > 0;
    }

    /// <summary>Forgets what the sink need not be told.</summary>
    public static int Withdraw(WriteScope scope, string sink, IReadOnlyList<long> ids) => scope.Execute(Told, ("$sink", sink), ("$ids", Json(ids)));

    /// <summary>Notes an attempt that failed. The last one makes a dead letter.</summary>
    public static bool Failed(WriteScope scope, string sink, IReadOnlyList<long> ids, string error, int most)
    {
        scope.Execute(Attempted, ("$sink", sink), ("$ids", Json(ids)), ("$error", error), ("$most", most));
        return scope.Execute(NoteError, ("$sink", sink), ("$error", error)) > 0;
    }

    public static int Retry(WriteScope scope, string? sink) => scope.Execute(Revive, ("$sink", sink));

    public static SinkRow? ReadSink(BoardConnection connection, string sink) => connection[Sinks].Bind(("$sink", sink)).First(row => new SinkRow(
        row.GetString(0), row.GetInt64(1), row.TimeOrNull(2), row.TextOrNull(3), row.Time(4), row.GetInt64(5), row.GetInt64(6)));

    public static (IReadOnlyList<Notice> Notices, long Last) ReadSince(BoardConnection connection, long after)
    {
        var last = after;
        var notices = connection[Since].Bind(("$after", after)).All(row =>
        {
            last = Math.Max(last, row.GetInt64(13));
            return Read(row);
        });
        return (notices, last);
    }

    public static long ReadLatest(BoardConnection connection) => connection[Latest].Number();

    public static IReadOnlyList<Notice> ListAll(BoardConnection connection, string? sink, int limit)
    {
        var notices = connection[List].Bind(("$sink", sink), ("$limit", (long)limit)).All(Read);
        var deliveries = connection[Deliveries].Bind(("$ids", Json([.. notices.Select(notice => notice.Id)])))
            .All(row => (Notice: row.GetInt64(0), Delivery: new NoticeDelivery(row.GetString(1), row.GetInt32(2), row.GetInt64(3) != 0, row.TextOrNull(4))))
            .ToLookup(row => row.Notice, row => row.Delivery);
        return [.. notices.Select(notice => deliveries.Contains(notice.Id) ? notice with { Deliveries = [.. deliveries[notice.Id]] } : notice)];
    }

    /// <summary>Puts the digest of a period into the outbox, unless that was done already.</summary>
    public static bool AddDigest(WriteScope scope, string sink, NoticeDigest digest, string message, string detail)
    {
        var (from, to) = (digest.From.ToUnixTimeMilliseconds(), digest.To.ToUnixTimeMilliseconds());
        if (scope.Execute(MoveDigest, ("$sink", sink), ("$from", from), ("$to", to)) == 0)
            return false;
        scope.Execute(InsertDigest, ("$episode", $"digest:{sink}:{to}"), ("$to", to), ("$message", message), ("$detail", detail));
        scope.Execute(DeliverDigest, ("$sink", sink), ("$notice", scope.LastRow));
        return true;
    }

    public static NoticeDigest ReadDigest(BoardConnection connection, DateTimeOffset from, DateTimeOffset to)
    {
        ReadOnlySpan<(string, object?)> period = [("$from", from.ToUnixTimeMilliseconds()), ("$to", to.ToUnixTimeMilliseconds())];
        var tasks = connection[TasksOf].Bind(period).All(row => (Status: row.GetString(0), Count: row.GetInt64(1))).ToDictionary(row => row.Status, row => row.Count);
        var (runs, cost, unpriced) = connection[RunsOf].Bind(period).All(row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)))[0];
        return new NoticeDigest(from, to, tasks.GetValueOrDefault("done"), tasks.GetValueOrDefault("failed"), tasks.GetValueOrDefault("cancelled"), runs, cost, unpriced, 0);
    }

    public static int PruneBefore(WriteScope scope, DateTimeOffset before, int most)
    {
        var count = scope.Execute(Prune, ("$before", before.ToUnixTimeMilliseconds()), ("$most", most));
        scope.Execute(DropOrphans);
        return count;
    }

    /// <summary>As the board, the wire and <c>on</c> of the configuration have it.</summary>
    internal static string Text(NoticeKind kind) => kind.ToString().ToLowerInvariant();

    private static string Json(IReadOnlyList<long> ids) => $"[{string.Join(',', ids)}]";

    private static Notice Read(SqliteDataReader row) =>
        new(row.GetInt64(0), Enum.Parse<NoticeKind>(row.GetString(1), ignoreCase: true), row.GetString(2), row.Time(3), row.GetString(4))
        {
            EndedAt = row.TimeOrNull(5),
            TaskId = row.TextOrNull(6),
            TaskNumber = row.LongOrNull(7),
            Title = row.TextOrNull(8),
            AgentId = row.TextOrNull(9),
            Label = row.LongOrNull(10) is { } number ? AgentLabel.Of(number) : null,
            Name = row.TextOrNull(11),
            Detail = row.TextOrNull(12),
        };
}
