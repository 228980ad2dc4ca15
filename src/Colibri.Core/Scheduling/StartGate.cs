using Colibri.Core.Agents;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;

namespace Colibri.Core.Scheduling;

/// <summary>
/// Whether a task may start as far as providers and operators are concerned: routes, held providers, pauses. It belongs to the scheduler's loop, and
/// remembers for one look when a task may start that was kept from it.
/// </summary>
public sealed class StartGate(AgentSupervisor supervisor, ProviderRouter router, ProviderHolds holds, QueuePauses pauses)
{
    /// <summary>When a task may start that was kept from it at this look; null if none was, or no time brings it.</summary>
    public DateTimeOffset? HeldUntil { get; private set; }

    /// <summary>When the next route becomes eligible by itself.</summary>
    public DateTimeOffset? NextRouteAt => router.NextAt();

    /// <summary>The states of the routes, for the log.</summary>
    public string RouteStates => string.Join(", ", router.Status().Select(route => $"{route.Provider} {route.State}"));

    public void BeginLook() => HeldUntil = null;

    /// <summary>Whether there is a route for the agent, if the daemon chooses its provider.</summary>
    public bool HasRoute(AgentCandidate candidate)
    {
        if (!IsRouted(candidate.Template) || router.Choose(ProvidersOf(candidate.Template)) is not null)
            return true;
        // Another agent's route may be ready, so the end of this one's wait is noted here.
        LookAgainAt(router.NextAt(ProvidersOf(candidate.Template)));
        return false;
    }

    /// <summary>Whether the agent's provider is not held, and its tasks are not paused.</summary>
    public bool MayStart(AgentCandidate candidate)
    {
        if (pauses.Of(Seen(candidate).IsProvider, candidate.Name) is not null)
            return false;
        return IsRouted(candidate.Template) || IsOpen(SourceOf(candidate.Template));
    }

    /// <summary>The same for a living agent that would be given a task.</summary>
    public bool MayTake(SupervisedAgent agent) => pauses.Of(agent.Source.IsCalled, agent.Name) is null && IsOpen(agent.Source);

    /// <summary>Whether tasks of a workspace are paused for the agent. A pause that names no workspace is looked at for the agent as a whole.</summary>
    public bool IsPaused(AgentCandidate candidate, string? workspace) =>
        workspace is not null && pauses.Of(Seen(candidate).IsProvider, candidate.Name, workspace) is not null;

    /// <summary>The same for a living agent.</summary>
    public bool IsPaused(SupervisedAgent agent, string? workspace) =>
        workspace is not null && pauses.Of(agent.Source.IsCalled, agent.Name, workspace) is not null;

    /// <summary>The request for a task's start; null while its provider is held for this task.</summary>
    public SpawnRequest? RequestOf(string taskId, AgentCandidate candidate)
    {
        var request = candidate.Template with { TaskId = taskId };
        if (!IsRouted(request))
            return TryAdmit(SourceOf(request), taskId) ? request : null;
        // A pause names one provider: a task must not reach it by being refused at another.
        bool IsPaused(string provider) => pauses.Of(name => string.Equals(provider, name, StringComparison.OrdinalIgnoreCase), candidate.Name) is not null;
        if (router.TryChoose(taskId, ProvidersOf(request), out var nextAt, IsPaused) is { } route)
            return request with { Provider = route.Provider, Model = route.Model };
        LookAgainAt(nextAt);
        return null;
    }

    /// <summary>Asks for the start of a task: after a failure of its provider one tries first, and then one after another.</summary>
    public bool TryAdmit(ProviderSource source, string taskId)
    {
        if (holds.TryAdmit(source, taskId, out var nextAt))
            return true;
        LookAgainAt(nextAt);
        return false;
    }

    /// <summary>After a refusal: whether every further task would be refused at this look too.</summary>
    public bool IsClosed(AgentCandidate candidate) =>
        IsRouted(candidate.Template) ? router.IsClosed(ProvidersOf(candidate.Template)) : IsClosed(SourceOf(candidate.Template));

    /// <summary>The same of a living agent.</summary>
    public bool IsClosed(ProviderSource source) => holds.IsClosed(source);

    /// <summary>A start that got leave did not happen.</summary>
    public void Release(SpawnRequest request) => Release(SourceOf(request), request.TaskId);

    /// <summary>The same of a living agent.</summary>
    public void Release(ProviderSource source, string? taskId) => holds.Release(source, taskId);

    /// <summary>What there is to say of an agent now.</summary>
    public SeenAgent Seen(AgentCandidate candidate)
    {
        var template = candidate.Template;
        var program = supervisor.PathOf(template.Binary);
        if (!IsRouted(template))
        {
            var source = SourceOf(template);
            return new SeenAgent(candidate.Name, template.Binary, program, source, null, source.IsCalled);
        }
        // With routes, a pause of a provider counts if it is the one that the next run would use.
        var next = router.Choose(ProvidersOf(template));
        return new SeenAgent(candidate.Name, template.Binary, program, null, next is null ? WhyNoRoute() : null,
            name => next is not null && string.Equals(next.Provider, name, StringComparison.OrdinalIgnoreCase));
    }

    private bool IsOpen(ProviderSource source)
    {
        if (holds.MayStart(source, out var nextAt))
            return true;
        LookAgainAt(nextAt);
        return false;
    }

    private void LookAgainAt(DateTimeOffset? at)
    {
        if (at is { } next && !(HeldUntil <= next))
            HeldUntil = next;
    }

    private string WhyNoRoute() => $"no provider of COLIBRI_PROVIDERS is ready: {string.Join(", ", router.Status().Select(route =>
        $"{route.Provider} is {route.State}{(route.Until is { } until ? $" until {until:yyyy-MM-dd'T'HH:mm:ss'Z'}" : "")}{(route.LastError is { } error ? $" ({error})" : "")}"))}";

    private bool IsRouted(SpawnRequest request) => router.IsUsed && !request.StatesProvider;

    private ProviderSource SourceOf(SpawnRequest request)
    {
        var (provider, program) = (request.Kind.Provider, supervisor.PathOf(request.Binary) ?? request.Binary);
        try
        {
            return ProviderSource.Of(request.Provider, request.Model, request.Arguments, provider, program);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // One agent's defect must not fail the look for all: its own start says what is wrong with it.
            return ProviderSource.Of(request.Provider, request.Model, [], provider, program);
        }
    }

    /// <summary>The providers that the agent of a request can be started on; null for any.</summary>
    private static IReadOnlyList<string>? ProvidersOf(SpawnRequest request) => request.Kind.Providers;
}
