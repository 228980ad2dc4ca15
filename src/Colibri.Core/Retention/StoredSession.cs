using Colibri.Core.Sessions;
using Colibri.Posix.Host;

namespace Colibri.Core.Retention;

/// <summary>A session as it lies on the disk.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Bytes">Of all its generations.</param>
/// <param name="Last">When its last entry was written.</param>
internal sealed record StoredSession(string Id, long Bytes, DateTimeOffset Last)
{
    /// <summary>Every session of a directory. What is no session there, or a link, is not ours to delete.</summary>
    public static IReadOnlyList<StoredSession> All(string root)
    {
        var sessions = new List<StoredSession>();
        if (!Directory.Exists(root))
            return sessions;
        foreach (var directory in Directory.EnumerateDirectories(root))
        {
            if (Of(root, Path.GetFileName(directory)) is { } session)
                sessions.Add(session);
        }
        return sessions;
    }

    /// <summary>One of them; null where there is none of that id.</summary>
    public static StoredSession? Of(string root, string id)
    {
        var directory = Path.Combine(root, id);
        if (!SessionId.IsValid(id) || FileLook.AtName(directory).IsLink)
            return null;
        try
        {
            var generations = SessionFile.Generations(directory);
            return generations.Count == 0 ? null : new StoredSession(
                id,
                new DirectoryInfo(directory).EnumerateFiles().Sum(file => file.Length),
                new FileInfo(SessionFile.PathOf(directory, generations[^1])).LastWriteTimeUtc);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was removed meanwhile, or is not the daemon's.
            return null;
        }
    }

    /// <summary>Those that are due: too old, or, oldest first, too many bytes. Kept ones count, and stay.</summary>
    /// <param name="all">Every session.</param>
    /// <param name="kept">Those that somebody waits for.</param>
    /// <param name="before">One whose last entry is older is due.</param>
    /// <param name="mostBytes">Of all together; null is no limit.</param>
    public static IReadOnlyList<StoredSession> Due(IReadOnlyList<StoredSession> all, IReadOnlySet<string> kept, DateTimeOffset before, long? mostBytes)
    {
        var (due, left) = (new List<StoredSession>(), all.Sum(session => session.Bytes));
        foreach (var session in all.OrderBy(session => session.Last).ThenBy(session => session.Id, StringComparer.Ordinal))
        {
            if (kept.Contains(session.Id) || (session.Last >= before && left <= (mostBytes ?? long.MaxValue)))
                continue;
            due.Add(session);
            left -= session.Bytes;
        }
        return due;
    }
}
