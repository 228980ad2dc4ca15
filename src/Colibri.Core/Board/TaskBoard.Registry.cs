using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

public sealed partial class TaskBoard
{
    /// <summary>A known name takes the new description and category, and keeps its time of registration.</summary>
    public Task<Skill> RegisterSkillAsync(string name, string description, string category)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return WriteAsync(scope => RegistryVerbs.RegisterSkill(scope, name, description, category));
    }

    /// <summary>By name.</summary>
    public Task<IReadOnlyList<Skill>> SkillsAsync() => ReadAsync(RegistryVerbs.ListSkills);

    /// <summary>A known id takes the new path, and keeps its time of registration.</summary>
    public Task<Tenant> RegisterTenantAsync(string tenantId, string jailRootPath)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(tenantId);
        return WriteAsync(scope => RegistryVerbs.RegisterTenant(scope, tenantId, jailRootPath));
    }

    /// <summary>By id.</summary>
    public Task<IReadOnlyList<Tenant>> TenantsAsync() => ReadAsync(RegistryVerbs.ListTenants);

    /// <summary>The tenant as it was; null when there was none.</summary>
    public Task<Tenant?> DeleteTenantAsync(string tenantId) => WriteAsync(scope => RegistryVerbs.DeleteTenant(scope, tenantId));

    public Task<string?> GetSettingAsync(string name) => ReadAsync(connection => RegistryVerbs.Get(connection, name));

    public Task SetSettingAsync(string name, string value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return WriteAsync(scope => RegistryVerbs.Set(scope, name, value));
    }
}
