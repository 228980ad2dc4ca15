using System.Text.Json;
using Colibri.Core.Board;
using Colibri.Core.Events;
using Colibri.Core.Landing;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Notices;

/// <summary>What a courier uses.</summary>
internal sealed record CourierParts
{
    public required TaskBoard Board { get; init; }
    public required LandingDesk Landing { get; init; }
    public required SinkRoads Roads { get; init; }
    public required EventHub Events { get; init; }
    public required LiveSettings Settings { get; init; }

    /// <summary>How much waits for a person now.</summary>
    public required Func<Task<long>> CountWaitingAsync { get; init; }
    public required Secrets Secrets { get; init; }
    public required string Host { get; init; }
    public required TimeProvider Time { get; init; }
    public required ILogger Logger { get; init; }
}

/// <summary>
/// Brings what is in the outbox to the sinks of the configuration, each on a line of its own, and tells subscribers of beginnings and ends. A reload
/// begins, changes and ends lines.
/// </summary>
internal sealed class Courier(CourierParts parts)
{
    /// <summary>How often what is over and told is looked through for what is old.</summary>
    private static readonly TimeSpan PruneInterval = TimeSpan.FromHours(1);

    // Of many changes at once subscribers are told together.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(100);

    // A digest that is due is noticed so late at the most.
    private static readonly TimeSpan DigestLook = TimeSpan.FromSeconds(30);

    private readonly BoardOutbox _outbox = new(parts.Board);
    private readonly WakeUp _wake = new();
    private readonly Dictionary<string, (SinkLine Line, CancellationTokenSource Stop, Task Running)> _lines = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<SinkLine> _shown = [];
    private long _told;
    private bool _isStale = true;
    private long? _prunedAt;

    /// <summary>Of each sink, in the order of the configuration; null where there is none. Costs nothing.</summary>
    public SinkReport? Report => _shown is { Count: > 0 } lines ? new SinkReport([.. lines.Select(line => line.Status)]) : null;

    /// <summary>Looks at once for what has begun. Never blocks.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Tells one sink something, to see whether it hears.</summary>
    /// <returns>Null where it was told; else why not.</returns>
    /// <exception cref="KeyNotFoundException">There is no such sink.</exception>
    public Task<string?> TestAsync(string sink, CancellationToken stopping) => LineOf(sink).TestAsync(stopping);

    /// <summary>Tries at once what waits after a failure, dead letters included.</summary>
    /// <exception cref="KeyNotFoundException">There is no such sink.</exception>
    public async Task RetryAsync(string? sink)
    {
        IReadOnlyList<SinkLine> lines = sink is null ? _shown : [LineOf(sink)];
        await _outbox.RetryAsync(sink).ConfigureAwait(false);
        foreach (var line in lines)
            line.TryNow();
    }

    /// <summary>Notes on the board who is to be told of what, before anything can begin.</summary>
    public async Task PrepareAsync()
    {
        try
        {
            await StateAsync().ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            parts.Logger.BoardUnavailable(e.Message);
        }
    }

    /// <summary>Delivers until cancelled, and returns when no line runs any more.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        parts.Settings.Changed += Restate;
        try
        {
            _told = await _outbox.LatestAsync().ConfigureAwait(false);
            while (!stopping.IsCancellationRequested)
            {
                var wait = Timeout.InfiniteTimeSpan;
                try
                {
                    if (Volatile.Read(ref _isStale))
                        await SetSinksAsync(stopping).ConfigureAwait(false);
                    await TellAsync().ConfigureAwait(false);
                    wait = await KeepAsync().ConfigureAwait(false);
                }
                catch (BoardUnavailableException)
                {
                    wait = DigestLook;
                }
                await _wake.WaitAsync(wait, parts.Time, stopping).ConfigureAwait(false);
                await Task.Delay(Gather, parts.Time, stopping).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && stopping.IsCancellationRequested)
        {
            // The daemon is stopping.
        }
        finally
        {
            parts.Settings.Changed -= Restate;
            await Task.WhenAll([.. _lines.Values.Select(StopAsync)]).ConfigureAwait(false);
        }
    }

    private void Restate()
    {
        Volatile.Write(ref _isStale, true);
        Wake();
    }

    private SinkLine LineOf(string sink) => _shown.FirstOrDefault(line => line.Sink.Name == sink) ?? throw new KeyNotFoundException($"there is no [notify.{sink}]");

    private async Task SetSinksAsync(CancellationToken stopping)
    {
        Volatile.Write(ref _isStale, false);
        IReadOnlyList<NotifySettings> sinks;
        try
        {
            sinks = await StateAsync().ConfigureAwait(false);
        }
        catch
        {
            Volatile.Write(ref _isStale, true);
            throw;
        }
        foreach (var (name, line) in _lines.Where(one => !sinks.Contains(one.Value.Line.Sink)).ToList())
        {
            _lines.Remove(name);
            await StopAsync(line).ConfigureAwait(false);
        }
        foreach (var sink in sinks.Where(sink => !_lines.ContainsKey(sink.Name)))
        {
            var line = new SinkLine(sink, new SinkLineParts { Outbox = _outbox, DeliverAsync = parts.Roads.DeliverAsync, TurnOf = TurnOfAsync, Secrets = parts.Secrets, Host = parts.Host, Time = parts.Time, Logger = parts.Logger });
            var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            _lines.Add(sink.Name, (line, stop, Background.Run(parts.Logger, $"telling {sink.Name}", Task.Run(() => line.RunAsync(stop.Token), CancellationToken.None))));
        }
        _shown = [.. sinks.Select(sink => _lines[sink.Name].Line)];
    }

    private async Task<IReadOnlyList<NotifySettings>> StateAsync()
    {
        var sinks = parts.Settings.Current.Notify;
        await _outbox.SetSinksAsync([.. sinks.Select(sink => (sink.Name, $" {string.Join(' ', sink.On)} "))]).ConfigureAwait(false);
        return sinks;
    }

    private static async Task StopAsync((SinkLine Line, CancellationTokenSource Stop, Task Running) line)
    {
        await line.Stop.CancelAsync().ConfigureAwait(false);
        await line.Running.ConfigureAwait(false);
        line.Stop.Dispose();
    }

    /// <summary>Tells subscribers what has begun or ended, and wakes the lines.</summary>
    private async Task TellAsync()
    {
        while (true)
        {
            var (notices, last) = await _outbox.SinceAsync(_told).ConfigureAwait(false);
            if (notices.Count == 0)
                return;
            _told = last;
            foreach (var notice in notices)
                parts.Events.Publish(notice);
            foreach (var line in _shown)
                line.Wake();
        }
    }

    /// <summary>Makes the digests that are due, and forgets what is old.</summary>
    private async Task<TimeSpan> KeepAsync()
    {
        if (_prunedAt is not { } pruned || parts.Time.GetElapsedTime(pruned) >= PruneInterval)
        {
            await _outbox.PruneAsync(parts.Time.GetUtcNow() - BoardOutbox.Age).ConfigureAwait(false);
            _prunedAt = parts.Time.GetTimestamp();
        }
        foreach (var line in _shown.Where(line => line.Sink.Every is not null))
            await DigestAsync(line).ConfigureAwait(false);
        return _shown.Any(line => line.Sink.Every is not null) ? DigestLook : PruneInterval;
    }

    // A digest is of a day of people, so it is due by their clock. After a stop of several periods there is one, of all of them.
    private async Task DigestAsync(SinkLine line)
    {
        if (await _outbox.SinkAsync(line.Sink.Name).ConfigureAwait(false) is not { DigestedUntil: var from } || parts.Time.GetUtcNow() is var now && now - from < line.Sink.Every)
            return;
        var digest = await _outbox.DigestAsync(from, now).ConfigureAwait(false) with { Waiting = await parts.CountWaitingAsync().ConfigureAwait(false) };
        if (await _outbox.AddDigestAsync(line.Sink.Name, digest, NoticeWords.Line(digest), JsonSerializer.Serialize(digest, ProtocolJson.Wire.NoticeDigest)).ConfigureAwait(false))
            line.Wake();
    }

    /// <summary>A change that lands by itself, or is to stay on its branch, waits for nobody.</summary>
    private async Task<NoticeTurn> TurnOfAsync(Notice notice)
    {
        if (notice.Kind != NoticeKind.Review || notice.TaskId is not { } id || await parts.Board.GetAsync(id).ConfigureAwait(false) is not { Change: { } change } task)
            return NoticeTurn.Now;
        if (parts.Landing.IsLandingByItself(task))
            return NoticeTurn.Later;
        return change.State is ChangeState.Landed or ChangeState.Discarded or ChangeState.Empty || parts.Settings.Current.Workspace(change.Workspace) is { Land: LandMode.Never }
            ? NoticeTurn.Never
            : NoticeTurn.Now;
    }
}
