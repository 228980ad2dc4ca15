using System.Buffers;
using System.Threading.Channels;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Core.Sessions.Generations;
using Colibri.Core.Sessions.Headroom;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Sessions;

/// <summary>
/// The append side of one session. Appends are queued. A caller that finds no writer active becomes the writer and writes the queue in
/// batches. So entries keep their order, and no lock is held during a write.
/// </summary>
/// <remarks>
/// An answered append lies in the kernel's page cache: it survives <c>kill -9</c> of the daemon, not a power cut. A generation that a
/// compaction replaces is synced. The file is open only while a batch is written, so ten thousand sessions cost no descriptors.
/// </remarks>
internal sealed class SessionLog(string id, string directory, SessionParts parts)
{
    /// <summary>Appends that one session queues; the caller of a further one waits.</summary>
    public const int QueueCapacity = 1_024;

    private const int Retired = int.MinValue / 2;
    private const int KeptScratchBytes = 1024 * 1024;
    private const int BatchBytes = 1024 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? ScratchBytes;

    [ThreadStatic]
    private static List<TakenAppend>? ScratchTaken;

    private readonly Channel<PendingAppend> _queue = Channel.CreateBounded<PendingAppend>(
        new BoundedChannelOptions(QueueCapacity) { SingleReader = false, FullMode = BoundedChannelFullMode.Wait });
    private readonly SessionWriter _writer = new(id, directory, parts);
    private readonly Lock _redacting = new();
    private readonly Lock _preparing = new();
    private Task _prepared = Task.CompletedTask;
    private int _writing;
    private int _users;

    // How the latest entry ended, where a key may have begun.
    private string? _ended;

    /// <summary>Pins this object for one append. False once it was retired: the store has to look the session up again.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _users) > 0)
            return true;
        Interlocked.Decrement(ref _users);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _users);

    /// <summary>
    /// Retires this object if no caller has pinned it and all its state is on disk. A refused write that is not yet removed from the file is
    /// state known to this object alone, so it keeps the object in use.
    /// </summary>
    public bool TryRetire()
    {
        if (Interlocked.CompareExchange(ref _users, Retired, 0) != 0)
            return false;
        if (!_writer.OwesTakeBack)
            return true;
        Interlocked.Add(ref _users, -Retired);
        return false;
    }

    /// <summary>Appends one entry, redacted, and assigns its number and time.</summary>
    /// <exception cref="SessionUnavailableException">It could not be written; the log is as it was before.</exception>
    public Task<AppendReceipt> AppendAsync(SessionEntry whole)
    {
        var entry = Redacted(whole);
        if (parts.Headroom is not { } headroom)
            return QueueAsync(new PendingAppend(entry));
        Task before;
        TaskCompletionSource queued;
        Task<SessionEntry> prepared;
        lock (_preparing)
        {
            prepared = entry is { Kind: SessionEntryKind.ToolResult, Text: { } text } ? PrepareAsync(headroom, entry, text) : Task.FromResult(entry);
            if (prepared.IsCompletedSuccessfully && _prepared.IsCompleted)
                return QueueAsync(new PendingAppend(prepared.Result));
            queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (before, _prepared) = (_prepared, queued.Task);
        }
        return QueueAfterAsync(before, prepared, queued);
    }

    private SessionEntry Redacted(SessionEntry entry)
    {
        lock (_redacting)
            return parts.Secrets.Redact(entry, ref _ended);
    }

    // Entries keep their order: one that needs no preparation waits for those before it. All are prepared at the same time, so no caller
    // waits longer than one timeout.
    private async Task<AppendReceipt> QueueAfterAsync(Task before, Task<SessionEntry> prepared, TaskCompletionSource queued)
    {
        Task<AppendReceipt> appended;
        try
        {
            await before.ConfigureAwait(false);
            appended = QueueAsync(new PendingAppend(await prepared.ConfigureAwait(false)));
        }
        finally
        {
            // Also after a failure: the entries behind this one must not wait for ever.
            queued.SetResult();
        }
        return await appended.ConfigureAwait(false);
    }

    private async Task<SessionEntry> PrepareAsync(HeadroomClient headroom, SessionEntry entry, string text) =>
        await headroom.ShortenAsync(text, ToolResultText.Mark).ConfigureAwait(false) is { } shortened ? entry with { Text = parts.Secrets.Redact(shortened) } : entry;

    /// <summary>Compacts after the appends that were queued before it.</summary>
    /// <exception cref="SessionUnavailableException">It could not be written; the log is as it was before.</exception>
    public async Task<Compaction> CompactAsync()
    {
        Task before;
        lock (_preparing)
            before = _prepared;
        await before.ConfigureAwait(false);
        var receipt = await QueueAsync(new PendingAppend(null)).ConfigureAwait(false);
        return receipt.Compacted ?? new Compaction(id, receipt.Generation, null, 0, 0, receipt.Bytes, receipt.Bytes);
    }

    private async Task<AppendReceipt> QueueAsync(PendingAppend pending)
    {
        await _queue.Writer.WriteAsync(pending).ConfigureAwait(false);
        if (Interlocked.CompareExchange(ref _writing, 1, 0) == 0)
        {
            await EventLoop.LeaveAsync();
            DrainAsWriter();
        }
        return await pending.Completion.Task.ConfigureAwait(false);
    }

    private void DrainAsWriter()
    {
        if (_queue.Reader.Count > 0)
            WriteBatch();
        if (_queue.Reader.Count > 0)
        {
            // The caller's thread writes one batch; the pool writes the rest, so that one caller does not write for all others.
            ThreadPool.UnsafeQueueUserWorkItem(static log => log.DrainAsWriter(), this, preferLocal: false);
            return;
        }
        Volatile.Write(ref _writing, 0);
        // An append may have been queued after the last read of the queue and before the writer's role was given back.
        if (_queue.Reader.Count > 0 && Interlocked.CompareExchange(ref _writing, 1, 0) == 0)
            DrainAsWriter();
    }

    private void WriteBatch()
    {
        var lines = ScratchBytes is { Capacity: <= KeptScratchBytes } kept ? kept : ScratchBytes = new ArrayBufferWriter<byte>(16 * 1024);
        lines.ResetWrittenCount();
        var taken = ScratchTaken ??= [];
        var (generation, start) = (0, default(SessionTail));
        try
        {
            _writer.Open();
            (generation, start) = (_writer.Generation, _writer.Tail);
            if (_queue.Reader.TryPeek(out var first) && first.Entry is null)
                CompactNow(taken);
            else
                AppendBatch(lines, taken, start);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _writer.TakeBack(generation, start);
            Fail(taken, e);
        }
        finally
        {
            taken.Clear();
        }
    }

    private void CompactNow(List<TakenAppend> taken)
    {
        if (!_queue.Reader.TryRead(out var request))
            return;
        taken.Add(new TakenAppend(request, default, WasWithin: true));
        var compacted = _writer.CompactOnRequest();
        request.Completion.SetResult(Receipt(_writer.Tail) with { Compacted = compacted });
    }

    private void AppendBatch(ArrayBufferWriter<byte> lines, List<TakenAppend> taken, SessionTail tail)
    {
        var newestBytes = 0L;
        // A request to compact is not part of a batch. An entry that no compaction can make room for ends the batch, so that Enforce judges it as
        // the newest one. A batch is compacted once, at its end: pipelined appends share a compaction as they share a write, and only the
        // state at the answer is promised.
        while (lines.WrittenCount < BatchBytes && _queue.Reader.TryPeek(out var next) && next.Entry is { } entry && _queue.Reader.TryRead(out _))
        {
            taken.Add(new TakenAppend(next, tail, WasWithin: true));
            var limits = parts.Cost.Limits;
            var before = lines.WrittenCount;
            SessionFile.WriteLine(lines, Within(limits, entry) with { Seq = tail.Seq + 1, Ts = parts.Time.GetUtcNow() });
            newestBytes = lines.WrittenCount - before;
            tail = new SessionTail(tail.Seq + 1, SessionFile.IsTurn(entry.Kind) ? tail.Turns + 1 : tail.Turns, tail.Bytes + newestBytes, TornBytes: 0);
            taken[^1] = new TakenAppend(next, tail, limits.Allow(tail.Bytes, tail.Turns));
            if (newestBytes + CompactionSummary.MinBytes > limits.SessionMaxBytes)
                break;
        }
        var generation = _writer.Generation;
        _writer.Append(lines.WrittenSpan, tail);
        var enforced = _writer.Enforce(newestBytes);
        parts.Health.Written(id);
        var gone = _writer.TakeGone();
        var now = parts.Cost.Limits;
        for (var i = 0; i < taken.Count; i++)
        {
            var (append, after, wasWithin) = taken[i];
            var own = Receipt(after) with { Generation = generation };
            var stands = enforced.IsNothing || (i < taken.Count - 1 && wasWithin && now.Allow(after.Bytes, after.Turns));
            var receipt = stands ? own : Receipt(_writer.Tail) with
            {
                Seq = after.Seq,
                Compacted = enforced.Compacted,
                Escalated = enforced.Escalated,
                OverBudget = enforced.OverBudget ? true : null,
            };
            append.Completion.SetResult(i == 0 && gone > 0 ? receipt with { EntriesGone = gone } : receipt);
        }
    }

    private static SessionEntry Within(CostLimits limits, SessionEntry entry) =>
        entry is { Kind: SessionEntryKind.ToolResult or SessionEntryKind.ToolCall, Text: { } text } && limits.ToolResultMaxBytes is { } maxBytes
            ? entry with { Text = ToolResultText.Shorten(text, maxBytes) }
            : entry;

    private AppendReceipt Receipt(SessionTail tail) => new(id, tail.Seq, _writer.Generation, tail.Bytes, tail.Turns);

    private void Fail(List<TakenAppend> taken, Exception cause)
    {
        var failure = new SessionUnavailableException($"session {id} cannot be written: {cause.Message}", cause);
        parts.Logger.SessionWriteFailed(id, cause.Message);
        parts.Health.Refused(id, cause is IOException disk && Errno.IsWantOfRoom(disk) ? "its disk is full; free some space" : cause.Message.ReplaceLineEndings(" "));
        // If opening failed before any append was taken, all waiting appends fail with it, instead of trying the same disk one by one.
        while (taken.Count == 0 && _queue.Reader.TryRead(out var waiting))
            waiting.Completion.SetException(failure);
        foreach (var (append, _, _) in taken)
            append.Completion.TrySetException(failure);
    }

    private readonly record struct TakenAppend(PendingAppend Append, SessionTail After, bool WasWithin);

    /// <param name="entry">Null asks for a compaction.</param>
    private sealed class PendingAppend(SessionEntry? entry)
    {
        public SessionEntry? Entry { get; } = entry;

        public TaskCompletionSource<AppendReceipt> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What every session of a store works with.</summary>
/// <param name="Cost">The limits, read anew for each append.</param>
/// <param name="Time">The clock of the entries.</param>
/// <param name="Logger">Logs cuts, compactions and escalations.</param>
/// <param name="Headroom">Shortens tool results before the cost mode does; null without a sidecar.</param>
/// <param name="Secrets">The keys to redact in every entry, and in the summary that a compaction makes of older ones.</param>
/// <param name="AtStep">Called after each step of a write, with the session's directory; for tests that stop or fail there.</param>
/// <param name="Health">Is told of every write.</param>
internal sealed record SessionParts(
    CostControl Cost, TimeProvider Time, ILogger Logger, HeadroomClient? Headroom, Secrets Secrets, Action<string, SessionStep>? AtStep, SessionHealth Health);

/// <summary>An entry with its line, newline included, so that a kept entry is copied into the next generation byte for byte.</summary>
internal readonly record struct LoggedEntry(SessionEntry Entry, ReadOnlyMemory<byte> Line)
{
    public bool IsTurn => SessionFile.IsTurn(Entry.Kind);
}

/// <summary>What it took to hold the limits of the cost mode.</summary>
internal readonly record struct Enforced(Compaction? Compacted, Escalation? Escalated, bool OverBudget)
{
    public bool IsNothing => Compacted is null && Escalated is null && !OverBudget;
}

/// <summary>The steps of a write to a session, in order. The daemon may fail or be killed after each.</summary>
internal enum SessionStep
{
    EntriesWritten,

    // The change from one generation to the next.
    OldSynced,
    TemporaryCreated,
    TemporaryWritten,
    TemporarySynced,
    Renamed,
    DirectorySynced,
    OldSealed,

    /// <summary>The entries that say how the cost mode was raised are written; it is not raised yet.</summary>
    MarksWritten,

    /// <summary>A write was refused, and its bytes are not yet removed from the file.</summary>
    Refused,
}
