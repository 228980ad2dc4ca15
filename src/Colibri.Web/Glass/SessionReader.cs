using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Web.Glass;

/// <summary>
/// A page of a session. <c>get-session</c> tells the latest entries, and with them the last number; what a page needs of earlier ones is read by
/// <c>follow-session</c> from its first entry on, so that a long session costs no more than a page of it.
/// </summary>
internal static class SessionReader
{
    /// <summary>Of the text of one entry, in UTF-16 code units.</summary>
    public const int LongestText = 16 * 1024;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    /// <summary>The entries up to a number, the latest where it is null.</summary>
    /// <param name="daemon">Whom to ask.</param>
    /// <param name="task">The task's number.</param>
    /// <param name="to">The number of the last entry wanted.</param>
    /// <param name="most">The most entries.</param>
    /// <param name="cancellation">Ends it sooner.</param>
    /// <exception cref="DaemonUnreachableException">There is no answer.</exception>
    /// <exception cref="RefusedException">The answer is a no.</exception>
    public static async Task<SessionSlice> ReadAsync(DaemonClient daemon, string task, long? to, int most, CancellationToken cancellation)
    {
        var live = await daemon.AskAsync(new CommandRequest { Cmd = WireCommand.GetSession.Name, SessionId = task, Limit = most }, ProtocolJson.Wire.SessionEntries, cancellation).ConfigureAwait(false);
        var last = live.Entries.Count == 0 ? 0 : live.Entries.Max(entry => entry.Seq);
        var end = Math.Clamp(to ?? last, 0, last);
        var first = Math.Max(1, end - most + 1);
        var entries = live.Entries.Where(entry => entry.Seq >= first && entry.Seq <= end).DistinctBy(entry => entry.Seq).OrderBy(entry => entry.Seq).Select(Cut).ToList();
        if (entries.Count < end - first + 1)
            entries = await FollowAsync(daemon, task, first, end, cancellation).ConfigureAwait(false);
        return new SessionSlice(entries, first, end, last, live.UnreadableLines);
    }

    /// <summary>An entry with as much of its text as a page shows.</summary>
    public static SessionEntry Cut(SessionEntry entry)
    {
        if (entry.Text is not { Length: > LongestText } text)
            return entry;
        var length = char.IsHighSurrogate(text[LongestText - 1]) ? LongestText - 1 : LongestText;
        return entry with { Text = text[..length] };
    }

    private static async Task<List<SessionEntry>> FollowAsync(DaemonClient daemon, string task, long first, long end, CancellationToken cancellation)
    {
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, cancellation).ConfigureAwait(false);
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        soon.CancelAfter(Longest);
        List<SessionEntry> entries = [];
        try
        {
            var reply = await client.SendAsync(new CommandRequest { Cmd = WireCommand.FollowSession.Name, TaskId = task, From = first }, null, soon.Token).ConfigureAwait(false);
            if (!reply.Ok)
                throw new RefusedException(reply.Error!);
            await foreach (var line in client.ReadEventsAsync(soon.Token).ConfigureAwait(false))
            {
                if (line.Entry is not { } entry)
                    continue;
                if (entry.Seq <= end)
                    entries.Add(Cut(entry));
                if (entry.Seq >= end)
                    break;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // What came in time is shown.
        }
        return entries;
    }
}

/// <param name="Entries">In the order of their numbers. Those that are gone from the disk are missing.</param>
/// <param name="First">The first number asked for.</param>
/// <param name="End">The last number asked for; 0 of a session without entries.</param>
/// <param name="Last">The last number of the session.</param>
/// <param name="Unreadable">Lines of the live generation that are no entries.</param>
internal sealed record SessionSlice(IReadOnlyList<SessionEntry> Entries, long First, long End, long Last, long? Unreadable);
