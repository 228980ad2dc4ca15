using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Scheduling;

/// <summary>
/// Persists the rests of provider routes, and the holds of providers without routes, on the board, so that a restarted daemon respects the time
/// that a provider asked it to wait. One setting for each. Writes run in the background; one that the disk refuses is tried again.
/// </summary>
/// <remarks>
/// Within one daemon a rest runs on the monotonic clock. Across a restart only the wall clock is left, so a restored rest is bounded by the
/// length of the whole rest, however the clock was set meanwhile.
/// </remarks>
internal sealed class RouteRests : IAsyncDisposable
{
    public const string Prefix = "provider.rest.";

    /// <summary>What the names of the holds of providers without routes begin with.</summary>
    public const string HoldPrefix = "provider.hold.";

    /// <summary>The most records read at a start. An operator configures fewer routes.</summary>
    public const int MaxRecords = 256;

    internal static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    private readonly TaskBoard _board;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (RouteRest Latest, DateTimeOffset Until)> _waiting = new(StringComparer.Ordinal);
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;
    private bool _isRefused;

    private RouteRests(TaskBoard board, TimeProvider time, ILogger logger)
    {
        (_board, _time, _logger) = (board, time, logger);
        _writing = Task.Run(() => WriteAllAsync(_stop.Token));
    }

    /// <summary>Restores an earlier daemon's records into the router and the holds, deletes those that are over or unusable, and records from then on.</summary>
    public static async Task<RouteRests> RestoreAsync(TaskBoard board, ProviderRouter router, TimeProvider time, ILogger logger, ProviderHolds? holds = null)
    {
        var routes = router.Status().Select(route => NameOf(route.Provider, route.Model)).ToHashSet(StringComparer.Ordinal);
        var rests = new RouteRests(board, time, logger);
        router.Restore(await rests.ReadAllAsync(Prefix, routes.Contains).ConfigureAwait(false));
        router.RestChanged = rest => rests.Record(Prefix + rest.Route, rest);
        if (holds is null)
            return rests;
        holds.Restore(await rests.ReadAllAsync(HoldPrefix, static _ => true).ConfigureAwait(false));
        holds.RestChanged = rest => rests.Record(HoldPrefix + rest.Route, rest);
        return rests;
    }

    /// <summary>Writes the pending records, with one more try for those that the disk refused, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        await WriteWaitingAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    internal static string NameOf(string provider, string? model) => model is null ? provider : $"{provider}:{model}";

    private async Task<List<RouteRest>> ReadAllAsync(string prefix, Predicate<string> isKnown)
    {
        var restored = new List<RouteRest>();
        foreach (var record in await _board.SettingsAsync(prefix, MaxRecords).ConfigureAwait(false))
        {
            var name = record.Name[prefix.Length..];
            if (isKnown(name) && Read(name, record.Value, _time.GetUtcNow()) is { } rest)
                restored.Add(rest);
            else
                Record(record.Name, RouteRest.Ended(name));
        }
        return restored;
    }

    private static RouteRest? Read(string name, string value, DateTimeOffset now)
    {
        try
        {
            if (JsonSerializer.Deserialize(value, RouteRestJson.Default.RestRecord) is not { LengthMs: > 0 and var length } record)
                return null;
            // More time left than the whole rest means that the clock was set back.
            var left = Math.Min((record.Until - now).TotalMilliseconds, length);
            return left > 0 && left <= TimeSpan.MaxValue.TotalMilliseconds / 2
                ? new RouteRest(name, TimeSpan.FromMilliseconds(left), record.Failures, record.Error, record.Step, record.Failure) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Record(string name, RouteRest rest)
    {
        lock (_gate)
            _waiting[name] = (rest, _time.GetUtcNow() + rest.Length);
        _news.Writer.TryWrite(true);
    }

    private async Task WriteAllAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await _news.Reader.ReadAsync(stopping).ConfigureAwait(false);
                while (!await WriteWaitingAsync().ConfigureAwait(false))
                    await Task.Delay(RetryAfter, _time, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<bool> WriteWaitingAsync()
    {
        List<(string Name, RouteRest Latest, DateTimeOffset Until)> waiting;
        lock (_gate)
            waiting = [.. _waiting.Select(one => (one.Key, one.Value.Latest, one.Value.Until))];
        foreach (var (name, rest, until) in waiting)
        {
            try
            {
                if (rest.Length > TimeSpan.Zero)
                    await _board.SetSettingAsync(name, Text(rest, until)).ConfigureAwait(false);
                else
                    await _board.DropSettingAsync(name).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Logged once until a write succeeds.
                if (!_isRefused)
                    _logger.RestNotRecorded(rest.Route, e.Message);
                _isRefused = true;
                return false;
            }
            lock (_gate)
            {
                if (_waiting.TryGetValue(name, out var latest) && ReferenceEquals(latest.Latest, rest))
                    _waiting.Remove(name);
            }
        }
        _isRefused = false;
        return true;
    }

    private static string Text(RouteRest rest, DateTimeOffset until) => JsonSerializer.Serialize(
        new RestRecord(until, (long)Math.Ceiling(rest.Length.TotalMilliseconds), rest.Failures, rest.Error, rest.Step, rest.Failure),
        RouteRestJson.Default.RestRecord);

    /// <param name="Until">By the wall clock when it was written.</param>
    /// <param name="LengthMs">The whole rest.</param>
    /// <param name="Failures">In a row.</param>
    /// <param name="Error">The task's error, redacted and cut before.</param>
    /// <param name="Step">Which wait it is.</param>
    /// <param name="Failure">What the latest failure was.</param>
    internal sealed record RestRecord(DateTimeOffset Until, long LengthMs, int Failures, string? Error, int Step = 1, ProviderFailure Failure = ProviderFailure.Overload);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RouteRests.RestRecord))]
internal sealed partial class RouteRestJson : JsonSerializerContext;
