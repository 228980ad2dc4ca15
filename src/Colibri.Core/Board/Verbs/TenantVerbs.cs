using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>Tenants and skills, as they are registered.</summary>
internal static class TenantVerbs
{
    private const string TenantColumns = "tenant_id, jail_root_path, registered_at";

    private const string SkillColumns = "name, description, category, registered_at, path, agents";

    private const string Upsert = $"""
        INSERT INTO tenants (tenant_id, jail_root_path, registered_at) SELECT $id, $root, $now
        WHERE EXISTS (SELECT 1 FROM tenants WHERE tenant_id = $id) OR (SELECT count(*) FROM tenants) < $most
        ON CONFLICT (tenant_id) DO UPDATE SET jail_root_path = excluded.jail_root_path
        RETURNING {TenantColumns}
        """;

    private const string All = $"SELECT {TenantColumns} FROM tenants ORDER BY tenant_id";

    private const string ById = "SELECT tenant_id FROM tenants WHERE tenant_id = $id";

    private const string Drop = $"DELETE FROM tenants WHERE tenant_id = $id RETURNING {TenantColumns}";

    // A task in the intake has no number yet.
    private const string Unended = """
        SELECT count(*), min(seq) FROM (
            SELECT seq FROM tasks WHERE tenant = $id AND status IN ('queued', 'claimed', 'started')
            UNION ALL SELECT NULL FROM intake WHERE tenant = $id)
        """;

    private const string UpsertSkill = $"""
        INSERT INTO skills (name, description, category, registered_at, path, agents) SELECT $name, $description, $category, $now, $path, $agents
        WHERE EXISTS (SELECT 1 FROM skills WHERE name = $name) OR (SELECT count(*) FROM skills) < $most
        ON CONFLICT (name) DO UPDATE SET description = excluded.description, category = excluded.category, path = excluded.path, agents = excluded.agents
        RETURNING {SkillColumns}
        """;

    private const string AllSkills = $"SELECT {SkillColumns} FROM skills ORDER BY name";

    private const string DropSkill = $"DELETE FROM skills WHERE name = $name RETURNING {SkillColumns}";

    /// <summary>Null where there are as many as may be.</summary>
    public static Tenant? Register(WriteScope scope, string tenantId, string root) => scope.First(
        Upsert, Read, ("$id", tenantId), ("$root", root), ("$now", scope.Now), ("$most", Registry.MaxTenants));

    public static IReadOnlyList<Tenant> List(BoardConnection connection) => connection[All].All(Read);

    /// <summary>Deletes a tenant, unless it has tasks that have not ended.</summary>
    public static TenantDeletion Delete(WriteScope scope, string tenantId)
    {
        var unended = scope.First(Unended, row => new Unfinished(row.GetInt64(0), row.LongOrNull(1)), ("$id", tenantId))!;
        return unended.Count > 0 && scope.First(ById, row => row.GetString(0), ("$id", tenantId)) is not null
            ? new TenantDeletion(null, unended.Count, unended.First)
            : new TenantDeletion(scope.First(Drop, Read, ("$id", tenantId)), 0, null);
    }

    /// <summary>Refuses a task of a tenant that nobody has registered.</summary>
    /// <exception cref="TaskRefusedException">There is no such tenant.</exception>
    public static void Require(WriteScope scope, string? tenantId)
    {
        if (tenantId is not null && scope.First(ById, row => row.GetString(0), ("$id", tenantId)) is null)
            throw new TaskRefusedException("tenant", $"is '{tenantId}', which is not registered; register it: colibri register-tenant {tenantId} --jail-root-path DIR");
    }

    /// <summary>Null where there are as many as may be.</summary>
    public static Skill? Register(WriteScope scope, Skill skill) => scope.First(
        UpsertSkill, ReadSkill, ("$name", skill.Name), ("$description", skill.Description), ("$category", skill.Category), ("$path", skill.Path),
        ("$agents", TaskRow.Json(skill.Agents ?? [])), ("$now", scope.Now), ("$most", Registry.MaxSkills));

    public static IReadOnlyList<Skill> ListSkills(BoardConnection connection) => connection[AllSkills].All(ReadSkill);

    public static Skill? DeleteSkill(WriteScope scope, string name) => scope.First(DropSkill, ReadSkill, ("$name", name));

    private static Tenant Read(SqliteDataReader row) => new(row.GetString(0), row.GetString(1), row.Time(2));

    private static Skill ReadSkill(SqliteDataReader row) => new(row.GetString(0), row.GetString(1), row.GetString(2), row.Time(3))
    {
        Path = row.TextOrNull(4),
        Agents = TaskRow.Names(row.GetString(5)) is { Count: > 0 } agents ? agents : null,
    };

    private sealed record Unfinished(long Count, long? First);
}
