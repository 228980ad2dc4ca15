using Colibri.Core.Board.Storage;
using Colibri.Core.Panes;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// Writes what an agent said into its session. Entries gather while a chunk of output is read and are appended before the next one is,
/// so a slow disk slows the agent it belongs to and nobody else.
/// </summary>
internal sealed class SessionRecorder(SessionStore sessions, string sessionId) : ITranscript
{
    private readonly List<SessionEntry> _gathered = [];
    private long _dropped;

    /// <summary>Whether there is anything to append.</summary>
    public bool HasEntries => _gathered.Count > 0;

    /// <summary>Entries that the disk refused; what refused is in the log.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>The latest append left the session larger than even mode <c>max</c> allows.</summary>
    public bool IsOverBudget { get; private set; }

    /// <summary>Counts an entry that the disk refused elsewhere.</summary>
    public void CountDropped() => Interlocked.Increment(ref _dropped);

    public void User(string text) => _gathered.Add(new SessionEntry { Kind = SessionEntryKind.User, Text = text });

    public void Note(string text) => _gathered.Add(new SessionEntry { Kind = SessionEntryKind.Note, Text = text });

    public void Assistant(string text) => _gathered.Add(new SessionEntry { Kind = SessionEntryKind.Assistant, Text = text });

    public void ToolResult(string? tool, bool isError, string text) =>
        _gathered.Add(new SessionEntry { Kind = SessionEntryKind.ToolResult, Tool = tool, IsError = isError, Text = text });

    public void Usage(Usage usage) => _gathered.Add(new SessionEntry { Kind = SessionEntryKind.Usage, Usage = usage });

    public async ValueTask FlushAsync()
    {
        if (_gathered.Count == 0)
            return;
        var appends = _gathered.ConvertAll(entry => sessions.AppendAsync(sessionId, entry));
        _gathered.Clear();
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
