using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>
/// The tenants and skills of a board. They are in memory as well, because the scheduler asks for them at each look and must not wait. Safe from any
/// thread.
/// </summary>
public sealed class Registry
{
    /// <summary>The most tenants.</summary>
    public const int MaxTenants = 1_024;

    /// <summary>The most skills.</summary>
    public const int MaxSkills = 1_024;

    /// <summary>Characters of a skill's description that are kept in memory, and that agents are told.</summary>
    public const int MaxToldCharacters = 2_000;

    private readonly TaskBoard _board;
    private readonly Lock _gate = new();
    private long _lastRead;
    private long _shown;
    private volatile Known _known = new([], []);

    private Registry(TaskBoard board) => _board = board;

    /// <summary>A tenant or a skill was registered or deleted. Must not block.</summary>
    public event Action? Changed;

    /// <summary>By id.</summary>
    public IReadOnlyList<Tenant> Tenants => _known.Tenants;

    public static async Task<Registry> LoadAsync(TaskBoard board)
    {
        ArgumentNullException.ThrowIfNull(board);
        var registry = new Registry(board);
        await registry.ReadAsync().ConfigureAwait(false);
        return registry;
    }

    /// <summary>The tenant of that id; null where none is registered.</summary>
    public Tenant? Tenant(string tenantId) => _known.TenantsById.GetValueOrDefault(tenantId);

    /// <summary>Whether a capability is a skill that an agent has.</summary>
    /// <param name="agent">The name of its profile, or of its program where it has none.</param>
    /// <param name="capability">The capability; upper and lower case are the same.</param>
    public bool HasSkill(string agent, string capability) => _known.Skills.TryGetValue(capability, out var skill) && IsFor(skill, agent);

    /// <summary>The skills that a task asks for and the agent has, each once, their descriptions shortened.</summary>
    public IReadOnlyList<Skill> SkillsFor(IReadOnlyList<string> capabilities, string agent)
    {
        ArgumentNullException.ThrowIfNull(capabilities);
        var known = _known.Skills;
        return known.Count == 0 ? [] : [.. capabilities.Select(known.GetValueOrDefault).OfType<Skill>().Where(skill => IsFor(skill, agent)).DistinctBy(skill => skill.Name)];
    }

    /// <summary>A known id gets the new root, and keeps its time of registration.</summary>
    /// <returns>Null where there are <see cref="MaxTenants"/> already.</returns>
    public async Task<Tenant?> RegisterTenantAsync(string tenantId, string root)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(tenantId);
        return await ChangeAsync(_board.WriteAsync(scope => TenantVerbs.Register(scope, tenantId, root))).ConfigureAwait(false);
    }

    /// <summary>Deletes a tenant without tasks that have not ended.</summary>
    public Task<TenantDeletion> DeleteTenantAsync(string tenantId) => ChangeAsync(_board.WriteAsync(scope => TenantVerbs.Delete(scope, tenantId)));

    /// <summary>A known name gets the rest of it anew, and keeps its time of registration.</summary>
    /// <returns>Null where there are <see cref="MaxSkills"/> already.</returns>
    public async Task<Skill?> RegisterSkillAsync(Skill skill)
    {
        ArgumentNullException.ThrowIfNull(skill);
        ArgumentException.ThrowIfNullOrWhiteSpace(skill.Name);
        return await ChangeAsync(_board.WriteAsync(scope => TenantVerbs.Register(scope, skill))).ConfigureAwait(false);
    }

    /// <summary>Deletes a skill and returns it; null where there was none.</summary>
    public Task<Skill?> DeleteSkillAsync(string name) => ChangeAsync(_board.WriteAsync(scope => TenantVerbs.DeleteSkill(scope, name)));

    /// <summary>Every skill whole, by name.</summary>
    public Task<IReadOnlyList<Skill>> SkillsAsync() => _board.ReadAsync(TenantVerbs.ListSkills);

    private static bool IsFor(Skill skill, string agent) => skill.Agents is null || skill.Agents.Contains(agent);

    private async Task<T> ChangeAsync<T>(Task<T> change)
    {
        var result = await change.ConfigureAwait(false);
        await ReadAsync().ConfigureAwait(false);
        Changed?.Invoke();
        return result;
    }

    // Of several readings the one that began last has seen every change before it, so that it stays.
    private async Task ReadAsync()
    {
        var turn = Interlocked.Increment(ref _lastRead);
        var known = await _board.ReadAsync(connection => new Known(TenantVerbs.List(connection), TenantVerbs.ListSkills(connection))).ConfigureAwait(false);
        lock (_gate)
        {
            if (turn > _shown)
                (_shown, _known) = (turn, known);
        }
    }

    private sealed class Known
    {
        public Known(IReadOnlyList<Tenant> tenants, IReadOnlyList<Skill> skills)
        {
            Tenants = tenants;
            TenantsById = tenants.ToDictionary(tenant => tenant.TenantId, StringComparer.Ordinal);
            foreach (var skill in skills)
                Skills.TryAdd(skill.Name, skill.Description.Length <= MaxToldCharacters ? skill : skill with { Description = $"{Cut(skill.Description)}…" });
        }

        public IReadOnlyList<Tenant> Tenants { get; }

        public Dictionary<string, Tenant> TenantsById { get; }

        // As capabilities are compared.
        public Dictionary<string, Skill> Skills { get; } = new(StringComparer.OrdinalIgnoreCase);

        private static string Cut(string text) => text[..(char.IsHighSurrogate(text[MaxToldCharacters - 1]) ? MaxToldCharacters - 1 : MaxToldCharacters)];
    }
}

/// <summary>What became of the deletion of a tenant.</summary>
/// <param name="Tenant">The tenant as it was; null where there was none, or where it stays.</param>
/// <param name="Unended">How many of its tasks have not ended: with any it stays.</param>
/// <param name="First">The number of the first of them; null for one in the intake.</param>
public sealed record TenantDeletion(Tenant? Tenant, long Unended, long? First);
