using System.Text.Json;
using Colibri.Core.Board;
using Colibri.Core.Board.Verbs;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Notices;

/// <summary>What every sink's line uses.</summary>
internal sealed record SinkLineParts
{
    public required BoardOutbox Outbox { get; init; }

    /// <summary>Delivers a message once: null where it was delivered, else why not.</summary>
    public required Func<NotifySettings, SinkMessage, ReadOnlyMemory<byte>, CancellationToken, Task<string?>> DeliverAsync { get; init; }

    /// <summary>Says of a notice whether it is to be told now.</summary>
    public required Func<Notice, Task<NoticeTurn>> TurnOf { get; init; }
    public required Secrets Secrets { get; init; }
    public required string Host { get; init; }
    public required TimeProvider Time { get; init; }
    public required ILogger Logger { get; init; }
}

/// <summary>Whether a notice is to be told.</summary>
internal enum NoticeTurn
{
    /// <summary>Now.</summary>
    Now,

    /// <summary>Not yet: what it tells of may be settled without a person.</summary>
    Later,

    /// <summary>Nobody need be told.</summary>
    Never,
}

/// <summary>
/// Delivers what one sink is to be told, one message after another, until it is stopped. A sink that hangs or fails is tried again after a time that doubles
/// from 1 s to 1 h, and delays no other one. Of many notices at once it is told in one message.
/// </summary>
internal sealed class SinkLine(NotifySettings sink, SinkLineParts parts)
{
    /// <summary>Messages in a row; after so many, one in each <see cref="Refill"/>.</summary>
    public const int MostInARow = 5;

    /// <summary>The most notices that one message tells of one by one.</summary>
    public const int MostInAMessage = 50;

    /// <summary>The most notices that one message stands for.</summary>
    public const int MostAtOnce = 1_000;

    public static readonly TimeSpan Refill = TimeSpan.FromSeconds(12);

    internal static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(1);

    internal static readonly TimeSpan LongestRest = TimeSpan.FromHours(1);

    // What waits for a landing, for the end of quiet hours, or for a disk that takes writes again.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(5);

    private readonly WakeUp _wake = new();
    private int _left = MostInARow;
    private long _refilledAt = parts.Time.GetTimestamp();
    private long _rest;
    private long _failedAt;
    private volatile SinkStatus _status = new(sink.Name, "ready", 0, 0, 0);

    public NotifySettings Sink => sink;

    /// <summary>As of the latest step. Costs nothing.</summary>
    public SinkStatus Status => _status;

    /// <summary>Looks at once for what is to be told. Never blocks.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Tries at once what waits after a failure.</summary>
    public void TryNow()
    {
        Volatile.Write(ref _rest, 0);
        Wake();
    }

    /// <summary>Delivers until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                TimeSpan wait;
                try
                {
                    wait = await StepAsync(stopping).ConfigureAwait(false);
                }
                catch (BoardUnavailableException)
                {
                    wait = Again;
                }
                await _wake.WaitAsync(wait, parts.Time, stopping).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && stopping.IsCancellationRequested)
        {
            // The daemon is stopping, or the sink is not configured any more.
        }
    }

    /// <summary>Tells a sink something by hand.</summary>
    /// <returns>Null where it was told; else why not.</returns>
    public Task<string?> TestAsync(CancellationToken stopping)
    {
        var notice = new Notice(0, NoticeKind.Test, "test", parts.Time.GetUtcNow(), $"a test of sink {sink.Name}");
        var message = new SinkMessage(SinkMessage.CurrentSchema, $"test.{Guid.NewGuid():N}", parts.Host, sink.Name, "test", notice.At, notice.Message, [notice]);
        return DeliverAsync(message, stopping);
    }

    /// <summary>Delivers one message, if there is one.</summary>
    /// <returns>How long to wait for the next step.</returns>
    internal async Task<TimeSpan> StepAsync(CancellationToken stopping)
    {
        var (due, waits) = await DueAsync().ConfigureAwait(false);
        await ShowAsync(null).ConfigureAwait(false);
        if (due.Count == 0)
            return waits ? Again : Timeout.InfiniteTimeSpan;
        if (IsQuiet)
        {
            await ShowAsync("quiet").ConfigureAwait(false);
            return TimeSpan.FromMinutes(1);
        }
        if (TimeSpan.FromTicks(Volatile.Read(ref _rest)) - parts.Time.GetElapsedTime(_failedAt) is var rest && rest > TimeSpan.Zero && Volatile.Read(ref _rest) > 0)
            return rest;
        if (UntilNext() is var pause && pause > TimeSpan.Zero)
            return pause;
        // A few are told one by one; more than there are messages left for, all together.
        IReadOnlyList<Notice> told = due.Count <= _left ? [due[0]] : due;
        var problem = await DeliverAsync(MessageOf(told), stopping).ConfigureAwait(false);
        stopping.ThrowIfCancellationRequested();
        var ids = told.Select(notice => notice.Id).ToList();
        if (problem is null)
        {
            _left--;
            Volatile.Write(ref _rest, 0);
            await parts.Outbox.DeliveredAsync(sink.Name, ids).ConfigureAwait(false);
            await ShowAsync(null).ConfigureAwait(false);
            return TimeSpan.Zero;
        }
        parts.Logger.NoticeNotDelivered(sink.Name, problem);
        await parts.Outbox.FailedAsync(sink.Name, ids, problem).ConfigureAwait(false);
        _failedAt = parts.Time.GetTimestamp();
        var next = Volatile.Read(ref _rest) is > 0 and var before ? Math.Min(2 * before, LongestRest.Ticks) : FirstRest.Ticks;
        Volatile.Write(ref _rest, next);
        await ShowAsync("waiting").ConfigureAwait(false);
        return TimeSpan.FromTicks(next);
    }

    private bool IsQuiet => sink.Quiet is { } quiet && quiet.Has(TimeOnly.FromDateTime(parts.Time.GetLocalNow().DateTime));

    /// <summary>How long no message may go.</summary>
    private TimeSpan UntilNext()
    {
        var passed = parts.Time.GetElapsedTime(_refilledAt);
        if (passed >= Refill)
        {
            _left = Math.Min(MostInARow, _left + (int)Math.Min(MostInARow, passed.Ticks / Refill.Ticks));
            _refilledAt = parts.Time.GetTimestamp();
        }
        return _left > 0 ? TimeSpan.Zero : Refill - parts.Time.GetElapsedTime(_refilledAt);
    }

    private async Task<(IReadOnlyList<Notice> Due, bool Waits)> DueAsync()
    {
        var pending = await parts.Outbox.PendingAsync(sink.Name, MostAtOnce).ConfigureAwait(false);
        var (due, never, waits) = (new List<Notice>(pending.Count), new List<long>(), false);
        foreach (var notice in pending)
        {
            switch (await parts.TurnOf(notice).ConfigureAwait(false))
            {
                case NoticeTurn.Now:
                    due.Add(notice with { Title = notice.Title is { } title ? parts.Secrets.Redact(title) : null, Message = parts.Secrets.Excerpt(notice.Message, NoticeWatch.MostCharacters) });
                    break;
                case NoticeTurn.Never:
                    never.Add(notice.Id);
                    break;
                default:
                    waits = true;
                    break;
            }
        }
        if (never.Count > 0)
            await parts.Outbox.WithdrawAsync(sink.Name, never).ConfigureAwait(false);
        return (due, waits);
    }

    private async Task<string?> DeliverAsync(SinkMessage message, CancellationToken stopping)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Wire.SinkMessage);
        return await parts.DeliverAsync(sink, message, json, stopping).ConfigureAwait(false);
    }

    private SinkMessage MessageOf(IReadOnlyList<Notice> told)
    {
        // The id is that of the first notice and of how many there are: a repetition of the same message has the same one.
        var id = told.Count == 1 ? $"{parts.Host}.{told[0].Id}" : $"{parts.Host}.{told[0].Id}-{told[^1].Id}.{told.Count}";
        var digest = told is [{ Kind: NoticeKind.Digest, Detail: { } detail }] ? JsonSerializer.Deserialize(detail, ProtocolJson.Wire.NoticeDigest) : null;
        return new SinkMessage(
            SinkMessage.CurrentSchema, id, parts.Host, sink.Name, told.Count == 1 ? OutboxVerbs.Text(told[0].Kind) : "summary", told[^1].At,
            NoticeWords.Line(told, parts.Secrets), [.. told.Take(MostInAMessage)])
        {
            More = told.Count > MostInAMessage ? told.Count - MostInAMessage : null,
            Digest = digest,
        };
    }

    private async Task ShowAsync(string? state)
    {
        if (await parts.Outbox.SinkAsync(sink.Name).ConfigureAwait(false) is not { } row)
            return;
        _status = new SinkStatus(sink.Name, state ?? (row.Dead > 0 ? "dead-letters" : Volatile.Read(ref _rest) > 0 ? "waiting" : "ready"), row.Pending, row.Dead, row.Delivered)
        {
            LastAt = row.LastAt,
            LastError = row.LastError,
        };
    }
}
