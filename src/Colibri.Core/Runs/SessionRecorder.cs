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

    /// <summary>Appends one entry now, and counts it where the disk refuses.</summary>
    public async Task AppendAsync(string sessionId, SessionEntry entry)
    {
        try
        {
            Count((await sessions.AppendAsync(sessionId, entry).ConfigureAwait(false)).EntriesGone ?? 0);
            IsLosing = false;
        }
        catch (SessionUnavailableException)
        {
            Count(1);
            IsLosing = true;
        }
    }

    /// <summary>Adds an entry, to be written with the next flush.</summary>
    public void Add(string sessionId, SessionEntry entry)
    {
        lock (_gate)
            _waiting.Add((sessionId, entry));
    }

    public async ValueTask FlushAsync()
    {
        List<(string SessionId, SessionEntry Entry)> waiting;
        lock (_gate)
        {
            if (_waiting.Count == 0)
                return;
            (waiting, _waiting) = (_waiting, []);
        }
        var appends = waiting.ConvertAll(entry => sessions.AppendAsync(entry.SessionId, entry.Entry));
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
