using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Providers;

/// <summary>
/// Chooses the provider of the next run: the first of <c>COLIBRI_PROVIDERS</c> that has a key and is not known to fail. A route whose key was
/// rejected is left out until the key changes. Another failure holds the route as <see cref="ProviderHold"/> says. Safe from any thread.
/// </summary>
/// <param name="routes">In order of preference.</param>
/// <param name="keyOf">A provider's key now, or null.</param>
/// <param name="keyless">Providers that need no key.</param>
/// <param name="time">Measures the rests.</param>
/// <param name="random">Makes the jitter.</param>
/// <param name="logger">Logs when a route is left out and when it is back.</param>
public sealed class ProviderRouter(
    IReadOnlyList<ProviderRoute> routes, Func<string, string?> keyOf, IReadOnlyList<string> keyless, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Failures in a row after which a route is called resting.</summary>
    public const int RestAfter = ProviderHold.RestAfter;

    private readonly Lock _gate = new();
    // One task is enough: another route may be ready.
    private readonly Route[] _routes = [.. routes.Select(route => new Route(route, new ProviderHold(tasksNeeded: 1, time, random)))];

    /// <summary>Whether there are routes at all; without any, agents choose their provider themselves.</summary>
    public bool IsUsed => _routes.Length > 0;

    /// <summary>Called when a rest begins, and when an answer ends one. Called under the lock, so it must not block.</summary>
    public Action<RouteRest>? RestChanged { get; set; }

    /// <summary>Restores the rests of an earlier daemon. A route that is not configured, or was reported on since, is left as it is.</summary>
    public void Restore(IEnumerable<RouteRest> rests)
    {
        ArgumentNullException.ThrowIfNull(rests);
        var keys = Keys();
        lock (_gate)
        {
            foreach (var rest in rests)
            {
                if (Array.Find(_routes, route => route.Name == rest.Route) is not { Hold.Failures: 0 } route)
                    continue;
                route.Hold.Restore(rest.Length, rest.Failures, rest.Step, rest.Error, rest.Failure);
                logger.RouteFailed(route.Name, Word(StateOf(route, keys)), route.Hold.Until);
            }
        }
    }

    /// <summary>The first eligible route among those an agent can use; null where there is none now.</summary>
    /// <param name="providers">The providers it can use; null for all.</param>
    public ProviderRoute? Choose(IReadOnlyList<string>? providers = null)
    {
        var keys = Keys();
        lock (_gate)
            return Array.Find(_routes, route => CanUse(route, providers) && IsEligible(route, keys))?.Of;
    }

    /// <summary>The same for the start of a task, which it gets leave for; after a failure that is one task at first.</summary>
    /// <param name="task">The task's id.</param>
    /// <param name="providers">The providers that its agent can use; null for all.</param>
    /// <param name="nextAt">Without a route: when there may be one.</param>
    /// <param name="isPaused">Whether an operator has paused a provider; null for none.</param>
    public ProviderRoute? TryChoose(string task, IReadOnlyList<string>? providers, out DateTimeOffset? nextAt, Predicate<string>? isPaused = null)
    {
        var keys = Keys();
        lock (_gate)
        {
            // Before the look, so that a wait that ends in between is not missed.
            nextAt = NextAt(providers, keys);
            return Array.Find(
                _routes,
                route => CanUse(route, providers) && IsUsable(route, keys) && isPaused?.Invoke(route.Of.Provider) != true && route.Hold.TryAdmit(task))?.Of;
        }
    }

    /// <summary>When the next route becomes eligible by itself, by the clock as it is set now; null if one is eligible now, or none will be.</summary>
    public DateTimeOffset? NextAt(IReadOnlyList<string>? providers = null)
    {
        var keys = Keys();
        lock (_gate)
            return NextAt(providers, keys);
    }

    /// <summary>Whether a living agent on a route might be given a task now, whatever other routes there are.</summary>
    internal bool MayStart(string provider, string? model, out DateTimeOffset? nextAt)
    {
        var keys = Keys();
        lock (_gate)
        {
            nextAt = null;
            if (Find(provider, model) is not { } route || StateOf(route, keys) == RouteState.AuthFailed)
                return false;
            nextAt = route.Hold.NextAt;
            return route.Hold.IsOpen;
        }
    }

    /// <summary>Asks for a task of a living agent on a route.</summary>
    internal bool TryAdmit(string provider, string? model, string task, out DateTimeOffset? nextAt)
    {
        var keys = Keys();
        lock (_gate)
        {
            nextAt = null;
            if (Find(provider, model) is not { } route || StateOf(route, keys) == RouteState.AuthFailed)
                return false;
            nextAt = route.Hold.NextAt;
            return route.Hold.TryAdmit(task);
        }
    }

    /// <summary>Whether no task may start now but one that has got leave, on none of the routes that an agent can use.</summary>
    internal bool IsClosed(IReadOnlyList<string>? providers)
    {
        var keys = Keys();
        lock (_gate)
            return !_routes.Any(route => CanUse(route, providers) && IsUsable(route, keys) && !route.Hold.IsClosed);
    }

    /// <summary>The same of one route, for a living agent.</summary>
    internal bool IsClosed(string provider, string? model)
    {
        var keys = Keys();
        lock (_gate)
            return Find(provider, model) is not { } route || StateOf(route, keys) == RouteState.AuthFailed || route.Hold.IsClosed;
    }

    /// <summary>Why tasks of a living agent on a route wait; null if they do not. Reads memory alone.</summary>
    internal string? Why(string provider, string? model)
    {
        lock (_gate)
        {
            return Find(provider, model) is { } route && (route.RefusedKey is not null || route.Hold.IsHeld)
                ? ProviderHolds.WhyHeld($"provider {route.Name}", provider, route.Hold, route.RefusedKey is not null) : null;
        }
    }

    /// <summary>Whether this is one of the routes.</summary>
    public bool Has(string provider, string? model) => Find(provider, model) is not null;

    /// <summary>Reports how a run on a route ended.</summary>
    /// <param name="provider">The route's provider.</param>
    /// <param name="model">Its model, or null.</param>
    /// <param name="failure">What the run says about the provider; <see cref="ProviderFailure.None"/> where it answered.</param>
    /// <param name="error">The agent's words, for the status.</param>
    /// <param name="resumeAt">When the provider says it can be asked again; null where it does not say.</param>
    public void Report(string provider, string? model, ProviderFailure failure, string? error = null, DateTimeOffset? resumeAt = null)
    {
        if (failure == ProviderFailure.None)
            Answered(provider, model, task: null, age: null, isDone: true);
        else
            Failed(provider, model, new ProviderFault(failure, IsStated: true), error, task: null, age: null, resumeAt - time.GetUtcNow() ?? TimeSpan.Zero);
    }

    /// <summary>The model answers in a run on a route.</summary>
    /// <returns>Whether tasks may start that were held.</returns>
    internal bool Answered(string provider, string? model, string? task, TimeSpan? age, bool isDone)
    {
        lock (_gate)
        {
            if (Find(provider, model) is not { } route)
                return false;
            var wasHeld = route.Hold.IsHeld;
            if (!route.Hold.Answered(task, age, isDone))
                return false;
            route.RefusedKey = null;
            logger.RouteBack(route.Name);
            if (wasHeld)
                RestChanged?.Invoke(RouteRest.Ended(route.Name));
            return true;
        }
    }

    /// <summary>A run on a route has failed by the provider's fault. A refused key leaves the route out, and costs the attempt unless another route is ready.</summary>
    internal ProviderRuling Failed(string provider, string? model, ProviderFault fault, string? error, string? task, TimeSpan? age, TimeSpan stated)
    {
        var keys = Keys();
        lock (_gate)
        {
            if (Find(provider, model) is not { } route)
                return default;
            if (fault.Failure == ProviderFailure.Authentication)
            {
                route.RefusedKey = keys[route.Of.Provider] ?? "";
                route.Hold.Refused(error, task);
                logger.RouteFailed(route.Name, Word(StateOf(route, keys)), null);
                return default;
            }
            var ruling = route.Hold.Failed(fault, error, task, age, stated);
            if (ruling.Change == HoldChange.None)
                return ruling;
            RestChanged?.Invoke(RouteRest.Of(route.Name, route.Hold));
            logger.RouteFailed(route.Name, Word(StateOf(route, keys)), route.Hold.Until);
            return ruling;
        }
    }

    /// <summary>A start that got leave did not happen, or its run is over without news about the provider.</summary>
    internal void Release(string provider, string? model, string? task)
    {
        lock (_gate)
            Find(provider, model)?.Hold.Release(task);
    }

    /// <summary>Ends the rests of a provider's routes by hand, and lets a refused key be tried again.</summary>
    /// <param name="name">The provider, or a route's name with its model.</param>
    public void End(string name)
    {
        lock (_gate)
        {
            foreach (var route in _routes.Where(route => string.Equals(route.Of.Provider, name, StringComparison.OrdinalIgnoreCase) || route.Name == name))
            {
                route.RefusedKey = null;
                if (!route.Hold.End())
                    continue;
                logger.RouteBack(route.Name);
                RestChanged?.Invoke(RouteRest.Ended(route.Name));
            }
        }
    }

    /// <summary>What <c>status</c> shows.</summary>
    public IReadOnlyList<StatusRoute> Status()
    {
        var keys = Keys();
        lock (_gate)
        {
            return [.. _routes.Select(route => new StatusRoute(
                route.Of.Provider, route.Of.Model, Word(StateOf(route, keys)), StateOf(route, keys) is RouteState.BackingOff or RouteState.Resting ? route.Hold.Until : null,
                route.Hold.Failures, StateOf(route, keys) == RouteState.NoKey ? $"no {ProviderNames.KeyVariablesOf(route.Of.Provider)[0]} in the environment or in COLIBRI_PROVIDER_ENV" : route.Hold.LastError))];
        }
    }

    // Read before the lock is taken, because the key may have to be read from disk.
    private Dictionary<string, string?> Keys() =>
        routes.Select(route => route.Provider).Distinct(StringComparer.Ordinal).ToDictionary(provider => provider, keyOf, StringComparer.Ordinal);

    private static bool CanUse(Route route, IReadOnlyList<string>? providers) =>
        providers is null || providers.Contains(route.Of.Provider, StringComparer.OrdinalIgnoreCase);

    private RouteState StateOf(Route route, Dictionary<string, string?> keys)
    {
        var key = keys[route.Of.Provider];
        if (key is null && !keyless.Contains(route.Of.Provider, StringComparer.OrdinalIgnoreCase))
            return RouteState.NoKey;
        if (route.RefusedKey is { } refused && refused == (key ?? ""))
            return RouteState.AuthFailed;
        if (!route.Hold.IsHeld)
            return RouteState.Ready;
        return !route.Hold.IsWaiting ? RouteState.Trying : route.Hold.Failures >= RestAfter ? RouteState.Resting : RouteState.BackingOff;
    }

    private bool IsUsable(Route route, Dictionary<string, string?> keys) => StateOf(route, keys) is RouteState.Ready or RouteState.Trying;

    private bool IsEligible(Route route, Dictionary<string, string?> keys) => IsUsable(route, keys) && route.Hold.IsOpen;

    private DateTimeOffset? NextAt(IReadOnlyList<string>? providers, Dictionary<string, string?> keys)
    {
        DateTimeOffset? soonest = null;
        foreach (var route in _routes)
        {
            if (!CanUse(route, providers) || StateOf(route, keys) is RouteState.NoKey or RouteState.AuthFailed)
                continue;
            if (route.Hold.NextAt is not { } next)
                return null;
            soonest = next < soonest ? next : soonest ?? next;
        }
        return soonest;
    }

    private Route? Find(string provider, string? model) => Array.Find(_routes, route => route.Of.Provider == provider && route.Of.Model == model);

    private static string Word(RouteState state) => state switch
    {
        RouteState.Ready => "ready",
        RouteState.NoKey => "no-key",
        RouteState.AuthFailed => "auth-failed",
        RouteState.BackingOff => "backing-off",
        RouteState.Trying => "trying",
        _ => "resting",
    };

    private enum RouteState
    {
        Ready,
        NoKey,
        AuthFailed,
        BackingOff,
        Resting,

        /// <summary>The wait is over, and one task tries first.</summary>
        Trying,
    }

    private sealed class Route(ProviderRoute of, ProviderHold hold)
    {
        public ProviderRoute Of => of;
        public ProviderHold Hold => hold;
        public string Name => of.Model is null ? of.Provider : $"{of.Provider}:{of.Model}";

        /// <summary>The key that was rejected; empty for a provider without one.</summary>
        public string? RefusedKey { get; set; }
    }
}

/// <summary>A rest of a route or of a provider without routes; a length of zero ends it.</summary>
/// <param name="Route">The route: its provider, and after a colon its model. Else the name of the hold.</param>
/// <param name="Length">From now on.</param>
/// <param name="Failures">In a row.</param>
/// <param name="Error">The agent's words, redacted.</param>
/// <param name="Step">Which wait it is: 1 for the first.</param>
/// <param name="Failure">What the latest failure was.</param>
public sealed record RouteRest(string Route, TimeSpan Length, int Failures, string? Error, int Step = 1, ProviderFailure Failure = ProviderFailure.Overload)
{
    /// <summary>The end of a rest.</summary>
    internal static RouteRest Ended(string route) => new(route, TimeSpan.Zero, 0, null);

    internal static RouteRest Of(string route, ProviderHold hold) => new(route, hold.Wait, hold.Failures, hold.LastError, hold.Step, hold.LastFailure);
}
