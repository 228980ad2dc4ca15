using Colibri.Core.Logging;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Providers;

/// <summary>
/// Holds the tasks of providers that fail: one hold for each provider, or for each program whose provider is not known. A run on a route is the
/// router's. Safe from any thread.
/// </summary>
/// <param name="router">Knows the routes; null without any.</param>
/// <param name="keyOf">A provider's key now, or null. May read a file.</param>
/// <param name="time">Measures the waits.</param>
/// <param name="random">Makes the jitter.</param>
/// <param name="logger">Logs one line when a hold begins, one for each time that it is lengthened, and one when it ends.</param>
public sealed class ProviderHolds(ProviderRouter? router, Func<string, string?> keyOf, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>How many providers are remembered. Beyond this number the oldest that holds nothing is forgotten.</summary>
    public const int MaxSources = 64;

    /// <summary>By words alone, so many different tasks have to fail in a row before a provider is held.</summary>
    public const int TasksNeeded = 2;

    private readonly Lock _gate = new();
    private readonly List<Held> _held = [];

    /// <summary>Called when a wait begins or is lengthened, and when a hold ends. Called under the lock, so it must not block.</summary>
    public Action<RouteRest>? RestChanged { get; set; }

    /// <summary>Called when tasks may start that were held. Must not block.</summary>
    public Action? Opened { get; set; }

    /// <summary>Whether a task of this provider might start now.</summary>
    /// <param name="source">The provider.</param>
    /// <param name="nextAt">If not: when it may; null if no time brings it.</param>
    public bool MayStart(ProviderSource source, out DateTimeOffset? nextAt)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (RouteOf(source) is { } route)
            return route.MayStart(source.Name, source.Model, out nextAt);
        nextAt = null;
        if (IsRefused(source))
            return false;
        lock (_gate)
        {
            // The time first: a wait that ends between the two looks must not be missed.
            nextAt = Find(source)?.Hold.NextAt;
            return Find(source)?.Hold.IsOpen ?? true;
        }
    }

    /// <summary>Asks for the start of a task. After a failure one task gets leave, then the others one after another.</summary>
    public bool TryAdmit(ProviderSource source, string task, out DateTimeOffset? nextAt)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (RouteOf(source) is { } route)
            return route.TryAdmit(source.Name, source.Model, task, out nextAt);
        nextAt = null;
        if (IsRefused(source))
            return false;
        lock (_gate)
        {
            nextAt = Find(source)?.Hold.NextAt;
            return Find(source)?.Hold.TryAdmit(task) ?? true;
        }
    }

    /// <summary>Whether no task of this provider may start now but one that has got leave.</summary>
    public bool IsClosed(ProviderSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (RouteOf(source) is { } route)
            return route.IsClosed(source.Name, source.Model);
        if (IsRefused(source))
            return true;
        lock (_gate)
            return Find(source)?.Hold.IsClosed ?? false;
    }

    /// <summary>A start that got leave did not happen, or its run is over without news about the provider.</summary>
    public void Release(ProviderSource source, string? task)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (RouteOf(source) is { } route)
        {
            route.Release(source.Name, source.Model, task);
            return;
        }
        lock (_gate)
            Find(source)?.Hold.Release(task);
    }

    /// <summary>The model answers in a run.</summary>
    /// <param name="source">The run's provider.</param>
    /// <param name="task">Its task; null for none.</param>
    /// <param name="age">Since it began.</param>
    /// <param name="isDone">The run is done.</param>
    public void Answered(ProviderSource source, string? task, TimeSpan age, bool isDone)
    {
        ArgumentNullException.ThrowIfNull(source);
        var isOpened = false;
        if (RouteOf(source) is { } route)
        {
            isOpened = route.Answered(source.Name, source.Model, task, age, isDone);
        }
        else
        {
            lock (_gate)
            {
                if (Find(source) is { } held)
                    isOpened = Answered(held, task, age, isDone);
            }
        }
        if (isOpened)
            Opened?.Invoke();
    }

    /// <summary>A run has failed by the provider's fault.</summary>
    /// <param name="source">The run's provider.</param>
    /// <param name="fault">What the run says about it.</param>
    /// <param name="error">The agent's words, redacted.</param>
    /// <param name="task">The run's task; null for none.</param>
    /// <param name="age">Since the run began.</param>
    /// <param name="stated">How long the provider asks to wait, from a field; zero for nothing.</param>
    public ProviderRuling Failed(ProviderSource source, ProviderFault fault, string? error, string? task, TimeSpan age, TimeSpan stated)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (RouteOf(source) is { } route)
            return route.Failed(source.Name, source.Model, fault, error, task, age, stated);
        var key = fault.Failure == ProviderFailure.Authentication ? KeyOf(source) : null;
        lock (_gate)
        {
            var held = Find(source) ?? Add(source);
            var ruling = held.Hold.Failed(fault, error, task, age, stated);
            if (fault.Failure == ProviderFailure.Authentication && held.Hold.IsHeld)
                held.RefusedKey = key ?? "";
            if (ruling.Change == HoldChange.None)
                return ruling;
            RestChanged?.Invoke(RouteRest.Of(held.Source.Key, held.Hold));
            Log(held, ruling.Change);
            return ruling;
        }
    }

    /// <summary>Restores the holds of an earlier daemon.</summary>
    public void Restore(IEnumerable<RouteRest> rests)
    {
        ArgumentNullException.ThrowIfNull(rests);
        lock (_gate)
        {
            foreach (var rest in rests.Take(MaxSources))
            {
                // A refused key is tried again: an operator who mends one starts the daemon anew.
                if (rest.Failure == ProviderFailure.Authentication)
                    continue;
                var held = Add(ProviderSource.OfKey(rest.Route));
                held.Hold.Restore(rest.Length, rest.Failures, rest.Step, rest.Error, rest.Failure);
                Log(held, HoldChange.Began);
            }
        }
    }

    /// <summary>Ends a provider's hold by hand, with its routes' rests, and lets a refused key be tried again.</summary>
    /// <param name="name">The provider, a route with its model, or a program.</param>
    public void End(string name)
    {
        router?.End(name);
        lock (_gate)
        {
            foreach (var held in _held.Where(held => held.Source.IsCalled(name)))
            {
                held.RefusedKey = null;
                if (held.Hold.End())
                    Ended(held);
            }
        }
        Opened?.Invoke();
    }

    /// <summary>The holds in force and the rows of failures, for <c>status</c>.</summary>
    public IReadOnlyList<StatusRoute> Status()
    {
        lock (_gate)
        {
            return [.. _held.Where(held => held.Hold.Failures > 0).Select(held => new StatusRoute(
                held.Source.Name, null, StateOf(held), held.RefusedKey is null ? held.Hold.Until : null, held.Hold.Failures, held.Hold.LastError, held.Source.Program))];
        }
    }

    /// <summary>Why tasks of a provider wait, in one line; null if they do not. Reads memory alone.</summary>
    public string? Why(ProviderSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (RouteOf(source) is { } route)
            return route.Why(source.Name, source.Model);
        lock (_gate)
            return Find(source) is { Hold.IsHeld: true } held ? WhyHeld(Title(held.Source), held.Source.Name, held.Hold, held.RefusedKey is not null) : null;
    }

    internal static string WhyHeld(string title, string name, ProviderHold hold, bool isRefused)
    {
        var error = hold.LastError is { } words ? $": {words}" : "";
        return isRefused ? $"{title} refuses its key; mend it, then: colibri resume-queue --provider {name}{error}"
            : hold.Until is { } until ? $"{title} {Said(hold.LastFailure)}, waits until {until:yyyy-MM-dd'T'HH:mm:ss'Z'} (sooner: colibri resume-queue --provider {name}){error}"
            : $"{title} {Said(hold.LastFailure)}; one task tries first{error}";
    }

    private bool Answered(Held held, string? task, TimeSpan age, bool isDone)
    {
        var wasHeld = held.Hold.IsHeld;
        if (!held.Hold.Answered(task, age, isDone))
            return false;
        held.RefusedKey = null;
        if (wasHeld)
            Ended(held);
        return wasHeld;
    }

    private void Ended(Held held)
    {
        logger.ProviderHoldEnded(Title(held.Source));
        RestChanged?.Invoke(RouteRest.Ended(held.Source.Key));
    }

    private void Log(Held held, HoldChange change)
    {
        var until = held.RefusedKey is not null ? "an operator mends its key" : held.Hold.Until is { } at ? $"{at:yyyy-MM-dd'T'HH:mm:ss'Z'}" : "now";
        if (change == HoldChange.Began)
            logger.ProviderHeld(Title(held.Source), Said(held.Hold.LastFailure), until, held.Hold.LastError ?? "");
        else
            logger.ProviderHeldLonger(Title(held.Source), Said(held.Hold.LastFailure), until, held.Hold.Failures, held.Hold.LastError ?? "");
    }

    // The key may have to be read from a file, so it is read before the lock is taken, and only where one was refused.
    private bool IsRefused(ProviderSource source)
    {
        lock (_gate)
        {
            if (Find(source) is not { RefusedKey: not null })
                return false;
        }
        var key = KeyOf(source) ?? "";
        lock (_gate)
        {
            if (Find(source) is not { RefusedKey: { } refused } held)
                return false;
            if (refused == key)
                return true;
            held.RefusedKey = null;
            if (held.Hold.End())
                Ended(held);
            return false;
        }
    }

    private string? KeyOf(ProviderSource source) => source.Program is null ? keyOf(source.Name) : null;

    private ProviderRouter? RouteOf(ProviderSource source) => source.Program is null && router?.Has(source.Name, source.Model) == true ? router : null;

    private Held? Find(ProviderSource source)
    {
        var key = source.Key;
        return _held.Find(held => held.Source.Key == key);
    }

    private Held Add(ProviderSource source)
    {
        if (_held.Count >= MaxSources)
            _held.RemoveAt(Math.Max(0, _held.FindIndex(held => !held.Hold.IsHeld)));
        var added = new Held(source with { Model = null }, new ProviderHold(TasksNeeded, time, random));
        _held.Add(added);
        return added;
    }

    private static string StateOf(Held held) => held.RefusedKey is not null ? "auth-failed"
        : !held.Hold.IsHeld ? "ready"
        : !held.Hold.IsWaiting ? "trying"
        : held.Hold.Failures >= ProviderHold.RestAfter ? "resting" : "backing-off";

    private static string Title(ProviderSource source) => source.Program is null ? $"provider {source.Name}" : $"the provider of {source.Name}";

    private static string Said(ProviderFailure failure) => failure switch
    {
        ProviderFailure.Authentication => "refuses its key",
        ProviderFailure.Overload => "is overloaded",
        ProviderFailure.Limit => "says that a limit is reached",
        ProviderFailure.Unreachable => "cannot be reached",
        ProviderFailure.Silence => "does not answer",
        _ => "fails",
    };

    private sealed class Held(ProviderSource source, ProviderHold hold)
    {
        public ProviderSource Source => source;
        public ProviderHold Hold => hold;

        /// <summary>The key that was rejected; empty where none is known. Null while none was.</summary>
        public string? RefusedKey { get; set; }
    }
}
