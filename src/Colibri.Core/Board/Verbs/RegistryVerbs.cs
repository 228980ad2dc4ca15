using System.Globalization;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>What is registered with the board: agents from outside, and settings.</summary>
internal static class RegistryVerbs
{
    private const string AgentColumns = """
        id, name, capabilities, host, created_at, last_heartbeat_at,
        (SELECT t.id FROM tasks t WHERE t.agent_id = agents.id AND t.status IN ('claimed', 'started') ORDER BY t.seq LIMIT 1),
        (SELECT min(t.seq) FROM tasks t WHERE t.agent_id = agents.id AND t.status IN ('claimed', 'started')), number
        """;

    private const string NumberOf = "SELECT number FROM agents WHERE kind = 'registered' AND name = $name AND ifnull(host, '') = ifnull($host, '')";

    private const string StoppingEpoch = "host-stopping";

    private const string UpsertAgent = $"""
        INSERT INTO agents (id, number, kind, name, capabilities, host, created_at)
        VALUES ($id, $number, 'registered', $name, $capabilities, $host, $now)
        ON CONFLICT (name, ifnull(host, '')) WHERE kind = 'registered'
        DO UPDATE SET capabilities = excluded.capabilities, last_heartbeat_at = $now
        RETURNING {AgentColumns}
        """;

    private const string Beat = $"""
        UPDATE agents SET last_heartbeat_at = $now WHERE id = $id AND kind = 'registered' RETURNING {AgentColumns}
        """;

    private const string Agents = $"SELECT {AgentColumns} FROM agents WHERE kind = 'registered' ORDER BY name, ifnull(host, '')";

    private const string UpsertSetting = """
        INSERT INTO settings (name, value) VALUES ($name, $value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
        """;

    private const string SettingsBelow = """
        SELECT name, value FROM settings WHERE substr(name, 1, length($prefix)) = $prefix ORDER BY name LIMIT $limit
        """;

    private const string DropSetting = "DELETE FROM settings WHERE name = $name";

    private const string Setting = "SELECT value FROM settings WHERE name = $name";

    public static Agent RegisterAgent(WriteScope scope, string name, IReadOnlyList<string> capabilities, string? host) => scope.First(
        UpsertAgent,
        ReadAgent,
        ("$id", Guid.CreateVersion7().ToString()),
        // A known name keeps its number, and takes none from those that are left.
        ("$number", scope.All(NumberOf, row => row.LongOrNull(0), ("$name", name), ("$host", host)) is [{ } known] ? known : scope.NextAgentNumber()),
        ("$name", name), ("$capabilities", TaskRow.Json(capabilities)), ("$host", host),
        ("$now", scope.Now))!;

    public static Agent? Heartbeat(WriteScope scope, string agentId) =>
        scope.First(Beat, ReadAgent, ("$id", agentId), ("$now", scope.Now));

    public static IReadOnlyList<Agent> ListAgents(BoardConnection connection) => connection[Agents].All(ReadAgent);

    public static int Set(WriteScope scope, string name, string value) => scope.Execute(UpsertSetting, ("$name", name), ("$value", value));

    public static string? Get(BoardConnection connection, string name) => connection[Setting].Bind(("$name", name)).First(row => row.GetString(0));

    public static IReadOnlyList<NamedSetting> Below(BoardConnection connection, string prefix, int limit) =>
        connection[SettingsBelow].Bind(("$prefix", prefix), ("$limit", limit)).All(row => new NamedSetting(row.GetString(0), row.GetString(1)));

    /// <summary>The daemon of this epoch stops in order.</summary>
    public static int MarkStopping(WriteScope scope) => Set(scope, StoppingEpoch, scope.Epoch.ToString(CultureInfo.InvariantCulture));

    /// <summary>Whether the daemon of that epoch was stopping when it ended.</summary>
    public static bool WasStopping(WriteScope scope, long epoch) =>
        scope.First(Setting, row => row.GetString(0), ("$name", StoppingEpoch)) == epoch.ToString(CultureInfo.InvariantCulture);

    public static int Drop(WriteScope scope, string name) => scope.Execute(DropSetting, ("$name", name));

    private static Agent ReadAgent(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        Name = row.GetString(1),
        Kind = "registered",
        Capabilities = TaskRow.Names(row.GetString(2)),
        Host = row.TextOrNull(3),
        RegisteredAt = row.Time(4),
        LastHeartbeatAt = row.TimeOrNull(5),
        TaskId = row.TextOrNull(6),
        TaskNumber = row.LongOrNull(7),
        Label = row.LongOrNull(8) is { } number ? AgentLabel.Of(number) : null,
    };
}
