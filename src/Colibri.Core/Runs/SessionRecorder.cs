using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// Writes what an agent said into its session. Entries wait while a chunk of output is read and are appended before the next one is read,
/// so a slow disk slows the agent it belongs to and nobody else.
/// </summary>
internal sealed class SessionRecorder(SessionStore sessions)
{
    private readonly List<(string SessionId, SessionEntry Entry)> _waiting = [];
    private long _dropped;

    /// <summary>Whether there is anything to append.</summary>
    public bool HasEntries => _waiting.Count > 0;

    /// <summary>Entries that the disk refused; what refused is in the log.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>The latest append left the session larger than even mode <c>max</c> allows.</summary>
    public bool IsOverBudget { get; private set; }

    /// <summary>Counts an entry that the disk refused elsewhere.</summary>
    public void CountDropped() => Interlocked.Increment(ref _dropped);

    /// <summary>Adds an entry, to be written with the next flush.</summary>
    public void Add(string sessionId, SessionEntry entry) => _waiting.Add((sessionId, entry));

    public async ValueTask FlushAsync()
    {
        if (_waiting.Count == 0)
            return;
        var appends = _waiting.ConvertAll(waiting => sessions.AppendAsync(waiting.SessionId, waiting.Entry));
        _waiting.Clear();
        foreach (var append in appends)
        {
            try
            {
                IsOverBudget = (await append.ConfigureAwait(false)).OverBudget is true;
            }
            catch (SessionUnavailableException)
            {
                Interlocked.Increment(ref _dropped);
            }
        }
    }
}
