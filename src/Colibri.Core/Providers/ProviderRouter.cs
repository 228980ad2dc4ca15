using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Providers;

/// <summary>
/// Which provider the next run uses: the first of <c>COLIBRI_PROVIDERS</c> that has a key and is not known to fail. A route whose key was
/// not taken is left out until the key changes; one that is overloaded backs off, and rests when that goes on. Safe from any thread.
/// </summary>
/// <param name="routes">In order of preference.</param>
/// <param name="keyOf">A provider's key now, or null.</param>
/// <param name="keyless">Providers that need no key.</param>
/// <param name="time">Clocks the rests.</param>
/// <param name="random">Makes the jitter.</param>
/// <param name="logger">Is told when a route is left out and when it is back.</param>
public sealed class ProviderRouter(
    IReadOnlyList<ProviderRoute> routes, Func<string, string?> keyOf, IReadOnlyList<string> keyless, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Failures in a row after which a route rests.</summary>
    public const int RestAfter = 5;

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new();
    private readonly Route[] _routes = [.. routes.Select(route => new Route(route))];

    /// <summary>Whether there are routes at all; without any, agents choose their provider themselves.</summary>
    public bool IsUsed => _routes.Length > 0;

    /// <summary>The first eligible route among those an agent can use; null where there is none now.</summary>
    /// <param name="providers">The providers it can use; null for all.</param>
    public ProviderRoute? Choose(IReadOnlyList<string>? providers = null)
    {
        var keys = Keys();
        lock (_gate)
            return Array.Find(_routes, route => CanUse(route, providers) && StateOf(route, keys) == RouteState.Ready)?.Of;
    }

    /// <summary>When the next one becomes eligible by itself; null where one is now, or none will.</summary>
    public DateTimeOffset? NextAt(IReadOnlyList<string>? providers = null)
    {
        var keys = Keys();
        lock (_gate)
        {
            var usable = _routes.Where(route => CanUse(route, providers)).ToList();
            return usable.Exists(route => StateOf(route, keys) == RouteState.Ready)
                ? null
                : usable.Where(route => StateOf(route, keys) is RouteState.BackingOff or RouteState.Resting).Min(route => (DateTimeOffset?)route.Until);
        }
    }

    /// <summary>Tells how a run on a route ended.</summary>
    /// <param name="provider">The route's provider.</param>
    /// <param name="model">Its model, or null.</param>
    /// <param name="failure">What the run says about the provider; <see cref="ProviderFailure.None"/> where it answered.</param>
    /// <param name="error">The agent's words, for the status.</param>
    /// <param name="resumeAt">When the provider says it can be asked again; null where it does not say.</param>
    public void Report(string? provider, string? model, ProviderFailure failure, string? error = null, DateTimeOffset? resumeAt = null)
    {
        var keys = Keys();
        lock (_gate)
        {
            if (Array.Find(_routes, route => route.Of.Provider == provider && route.Of.Model == model) is not { } route)
                return;
            if (failure == ProviderFailure.None)
            {
                if (route.Failures > 0)
                    logger.RouteBack(route.Name);
                (route.Failures, route.Until, route.RefusedKey, route.LastError) = (0, null, null, null);
                return;
            }
            route.Failures++;
            route.LastError = error;
            if (failure == ProviderFailure.Authentication)
                route.RefusedKey = keys[route.Of.Provider] ?? "";
            else
                route.Until = Later(time.GetUtcNow() + WaitAfter(route.Failures), resumeAt);
            logger.RouteFailed(route.Name, Word(StateOf(route, keys)), route.Until);
        }
    }

    /// <summary>What <c>status</c> shows.</summary>
    public IReadOnlyList<StatusRoute> Status()
    {
        var keys = Keys();
        lock (_gate)
        {
            return [.. _routes.Select(route => new StatusRoute(
                route.Of.Provider, route.Of.Model, Word(StateOf(route, keys)), StateOf(route, keys) is RouteState.BackingOff or RouteState.Resting ? route.Until : null,
                route.Failures, StateOf(route, keys) == RouteState.NoKey ? $"no {ProviderNames.KeyVariablesOf(route.Of.Provider)[0]} in the environment or in COLIBRI_PROVIDER_ENV" : route.LastError))];
        }
    }

    // Asked for before the lock is taken: the answer may be on the disk.
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
        if (route.Until is { } until && until > time.GetUtcNow())
            return route.Failures >= RestAfter ? RouteState.Resting : RouteState.BackingOff;
        return RouteState.Ready;
    }

    private TimeSpan WaitAfter(int failures)
    {
        if (failures >= RestAfter)
            return Rest;
        var ceiling = FirstBackoff * Math.Pow(2, failures - 1);
        // Half of it at the least: the same provider asked again at once would say the same.
        return (ceiling < LongestBackoff ? ceiling : LongestBackoff) * (0.5 + (random.NextDouble() / 2));
    }

    private static DateTimeOffset Later(DateTimeOffset ours, DateTimeOffset? theirs) => theirs is { } stated && stated > ours ? stated : ours;

    private static string Word(RouteState state) => state switch
    {
        RouteState.Ready => "ready",
        RouteState.NoKey => "no-key",
        RouteState.AuthFailed => "auth-failed",
        RouteState.BackingOff => "backing-off",
        _ => "resting",
    };

    private enum RouteState
    {
        Ready,
        NoKey,
        AuthFailed,
        BackingOff,
        Resting,
    }

    private sealed class Route(ProviderRoute of)
    {
        public ProviderRoute Of => of;
        public string Name => of.Model is null ? of.Provider : $"{of.Provider}:{of.Model}";
        public int Failures { get; set; }
        public DateTimeOffset? Until { get; set; }

        /// <summary>The key that was not taken; empty for a provider without.</summary>
        public string? RefusedKey { get; set; }
        public string? LastError { get; set; }
    }
}
