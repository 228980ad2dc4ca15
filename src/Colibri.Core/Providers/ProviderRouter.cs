using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Providers;

/// <summary>
/// Chooses the provider of the next run: the first of <c>COLIBRI_PROVIDERS</c> that has a key and is not known to fail. A route whose key was
/// rejected is left out until the key changes. An overloaded route backs off, and rests if that continues. Safe from any thread.
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
    /// <summary>Failures in a row after which a route rests.</summary>
    public const int RestAfter = 5;

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RestLength = TimeSpan.FromMinutes(30);

    // The longest wait that the dialects accept from a provider.
    private static readonly TimeSpan LongestRest = TimeSpan.FromDays(7);

    private readonly Lock _gate = new();
    private readonly Route[] _routes = [.. routes.Select(route => new Route(route))];

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
                if (Array.Find(_routes, route => route.Name == rest.Route) is not { Failures: 0 } route)
                    continue;
                (route.Failures, route.LastError) = (Math.Max(1, rest.Failures), rest.Error);
                route.Rest = Rest.Of(rest.Length < LongestRest ? rest.Length : LongestRest, time);
                logger.RouteFailed(route.Name, Word(StateOf(route, keys)), route.Rest.EndsAt(time));
            }
        }
    }

    /// <summary>The first eligible route among those an agent can use; null where there is none now.</summary>
    /// <param name="providers">The providers it can use; null for all.</param>
    public ProviderRoute? Choose(IReadOnlyList<string>? providers = null)
    {
        var keys = Keys();
        lock (_gate)
            return Array.Find(_routes, route => CanUse(route, providers) && StateOf(route, keys) == RouteState.Ready)?.Of;
    }

    /// <summary>When the next route becomes eligible by itself, by the clock as it is set now; null if one is eligible now, or none will be.</summary>
    public DateTimeOffset? NextAt(IReadOnlyList<string>? providers = null)
    {
        var keys = Keys();
        lock (_gate)
        {
            var usable = _routes.Where(route => CanUse(route, providers)).ToList();
            return usable.Exists(route => StateOf(route, keys) == RouteState.Ready)
                ? null
                : usable.Where(route => StateOf(route, keys) is RouteState.BackingOff or RouteState.Resting).Min(route => route.Rest.EndsAt(time));
        }
    }

    /// <summary>Reports how a run on a route ended.</summary>
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
                if (route.Rest != default)
                    RestChanged?.Invoke(new RouteRest(route.Name, TimeSpan.Zero, 0, null));
                (route.Failures, route.Rest, route.RefusedKey, route.LastError) = (0, default, null, null);
                return;
            }
            route.Failures++;
            route.LastError = error;
            if (failure == ProviderFailure.Authentication)
                route.RefusedKey = keys[route.Of.Provider] ?? "";
            else
                RestNow(route, resumeAt - time.GetUtcNow() ?? TimeSpan.Zero);
            logger.RouteFailed(route.Name, Word(StateOf(route, keys)), route.Rest.EndsAt(time));
        }
    }

    /// <summary>What <c>status</c> shows.</summary>
    public IReadOnlyList<StatusRoute> Status()
    {
        var keys = Keys();
        lock (_gate)
        {
            return [.. _routes.Select(route => new StatusRoute(
                route.Of.Provider, route.Of.Model, Word(StateOf(route, keys)), StateOf(route, keys) is RouteState.BackingOff or RouteState.Resting ? route.Rest.EndsAt(time) : null,
                route.Failures, StateOf(route, keys) == RouteState.NoKey ? $"no {ProviderNames.KeyVariablesOf(route.Of.Provider)[0]} in the environment or in COLIBRI_PROVIDER_ENV" : route.LastError))];
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
        if (route.Rest.Left(time) > TimeSpan.Zero)
            return route.Failures >= RestAfter ? RouteState.Resting : RouteState.BackingOff;
        return RouteState.Ready;
    }

    private TimeSpan WaitAfter(int failures)
    {
        if (failures >= RestAfter)
            return RestLength;
        var ceiling = FirstBackoff * Math.Pow(2, failures - 1);
        // At least half of it, because the same provider asked again at once would refuse again.
        return (ceiling < LongestBackoff ? ceiling : LongestBackoff) * (0.5 + (random.NextDouble() / 2));
    }

    private void RestNow(Route route, TimeSpan stated)
    {
        var ours = WaitAfter(route.Failures);
        var length = stated > ours ? stated : ours;
        route.Rest = Rest.Of(length < LongestRest ? length : LongestRest, time);
        RestChanged?.Invoke(new RouteRest(route.Name, route.Rest.Length, route.Failures, route.LastError));
    }

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
        public Rest Rest { get; set; }

        /// <summary>The key that was rejected; empty for a provider without one.</summary>
        public string? RefusedKey { get; set; }
        public string? LastError { get; set; }
    }
}

/// <summary>A rest of a route; a length of zero ends it.</summary>
/// <param name="Route">Its provider, and after a colon its model.</param>
/// <param name="Length">From now on.</param>
/// <param name="Failures">In a row.</param>
/// <param name="Error">The agent's words, redacted.</param>
public sealed record RouteRest(string Route, TimeSpan Length, int Failures, string? Error);
