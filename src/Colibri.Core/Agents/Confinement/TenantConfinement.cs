using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Confinement;

/// <summary>
/// Confines the agent of a tenant's task in the tenant's root. A tenant that cannot be used is no refusal of the start: the task is claimed and fails, so
/// that it says why. No agent of such a task runs without the confinement.
/// </summary>
/// <param name="confiner">Decides how to confine.</param>
/// <param name="registry">The tenants.</param>
internal sealed class TenantConfinement(Confiner confiner, Registry registry)
{
    /// <summary>The confinement of a request's agent.</summary>
    /// <exception cref="SpawnRefusedException">The confinement that the request itself states is impossible, or is another than its task's tenant.</exception>
    public async Task<ConfinedRequest> PlanAsync(SpawnRequest request)
    {
        if (request.Tenant is not { } id)
            return new ConfinedRequest(request, await confiner.PlanAsync(request.Jail, request.Environment.Keys).ConfigureAwait(false), null);
        if (registry.Tenant(id) is not { } tenant)
            return new ConfinedRequest(request, null, $"there is no tenant {id} any more; register it: colibri register-tenant {id} --jail-root-path DIR");
        request = request with { Jail = JailOf(request, tenant) };
        try
        {
            var plan = (await confiner.PlanAsync(request.Jail, request.Environment.Keys).ConfigureAwait(false))!;
            return new ConfinedRequest(request, plan, plan.Root.Find(request.Binary) is null ? $"tenant {id}: there is no '{request.Binary}' inside {plan.Root.Path}" : null);
        }
        catch (SpawnRefusedException e) when (request.Profile is not null || !StatesJail(request))
        {
            return new ConfinedRequest(request, null, $"tenant {id}: {e.Message}");
        }

        // Only the root is the tenant's; a client that states more is told at once what is wrong with it.
        static bool StatesJail(SpawnRequest request) => request.Jail is { Name: not null } or { User: not null } or { Ip4: not null };
    }

    /// <summary>The tenant's root, with the user and the network of the profile or of the request.</summary>
    private static JailRequest JailOf(SpawnRequest request, Tenant tenant)
    {
        var (jail, root) = (request.Jail ?? new JailRequest(), tenant.JailRootPath);
        // A profile's own root is for tasks without a tenant.
        if (request.Profile is not null)
            return jail with { Name = null, Path = root, RootPath = null };
        // Whether the jail that is entered has this root is looked at when it is found.
        if (jail.Name is not null)
            return jail with { RootPath = root };
        return jail.Path is null || JailRoot.RealPath(jail.Path) is { } real && real == JailRoot.RealPath(root)
            ? jail with { Path = root }
            : throw new SpawnRefusedException(SpawnRefusal.JailWrong, $"jail.path '{jail.Path}' is not the root of the task's tenant {tenant.TenantId}, {root}; leave it out");
    }
}

/// <summary>A request with the confinement of its agent.</summary>
/// <param name="Request">The request, with the tenant's root.</param>
/// <param name="Plan">The confinement; null for none.</param>
/// <param name="Problem">Why the task's tenant cannot be used, in one line; null where it can, and without a tenant.</param>
internal sealed record ConfinedRequest(SpawnRequest Request, ConfinementPlan? Plan, string? Problem);
