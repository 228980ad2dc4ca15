using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// Writes an agent's words into its session. Entries are collected while a chunk of output is read, and appended before the next chunk is
/// read. So a slow disk exerts back-pressure on that agent alone.
/// </summary>
internal sealed class SessionRecorder(SessionStore sessions)
{
    // What an agent prints and what it is answered may bring entries at once.
    private readonly Lock _gate = new();

    // Held while entries are queued, which is no I/O: those of a flush go before those of the next one.
    private readonly Lock _queueing = new();
    private List<(string SessionId, SessionEntry Entry)> _waiting = [];
    private long _dropped;

    /// <summary>Whether there is anything to append.</summary>
    public bool HasEntries => Volatile.Read(ref _waiting).Count > 0;

    /// <summary>The number of entries that the disk refused, or that were removed from it; the log has the errors.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Whether the latest append was refused.</summary>
    public bool IsLosing { get; private set; }

    /// <summary>The latest append left the session larger than even mode <c>max</c> allows.</summary>
    public bool IsOverBudget { get; private set; }

    /// <summary>Appends one entry now, behind those that wait, and counts those that the disk refuses.</summary>
    public Task AppendAsync(string sessionId, SessionEntry entry) => CompleteAsync(Queue((sessionId, entry)));

    /// <summary>Adds an entry, to be written with the next flush.</summary>
    public void Add(string sessionId, SessionEntry entry)
    {
        lock (_gate)
            _waiting.Add((sessionId, entry));
    }

    /// <summary>Appends the entries that wait, in the order in which they were added.</summary>
    public ValueTask FlushAsync() => Queue(null) is { Count: > 0 } appends ? new ValueTask(CompleteAsync(appends)) : ValueTask.CompletedTask;

    private List<Task<AppendReceipt>> Queue((string SessionId, SessionEntry Entry)? last)
    {
        lock (_queueing)
        {
            List<(string SessionId, SessionEntry Entry)> waiting;
            lock (_gate)
            {
                if (last is { } entry)
                    _waiting.Add(entry);
                if (_waiting.Count == 0)
                    return [];
                (waiting, _waiting) = (_waiting, []);
            }
            return waiting.ConvertAll(entry => sessions.AppendAsync(entry.SessionId, entry.Entry));
        }
    }

    private async Task CompleteAsync(List<Task<AppendReceipt>> appends)
    {
        foreach (var append in appends)
        {
            try
            {
                var receipt = await append.ConfigureAwait(false);
                IsOverBudget = receipt.OverBudget is true;
                Count(receipt.EntriesGone ?? 0);
                IsLosing = false;
            }
            catch (SessionUnavailableException)
            {
                Count(1);
                IsLosing = true;
            }
        }
    }

    private void Count(long entries)
    {
        if (entries == 0)
            return;
        Interlocked.Add(ref _dropped, entries);
        sessions.CountDropped(entries);
    }
}
