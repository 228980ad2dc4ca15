using System.Collections.Concurrent;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Core.Sessions.Generations;
using Colibri.Core.Sessions.Headroom;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Sessions;

/// <summary>Every session under one directory, one folder each.</summary>
public sealed class SessionStore(string root, CostControl cost, TimeProvider time, ILogger logger)
{
    /// <summary>The most sessions kept in memory between appends; beyond it idle ones are dropped and read from disk again.</summary>
    public const int RememberedSessions = 10_000;

    /// <summary>Sessions of which it is remembered that their unreadable lines were logged.</summary>
    private const int UnreadableTold = 1_024;

    private readonly ConcurrentDictionary<string, SessionLog> _logs = new(StringComparer.Ordinal);
    private readonly SessionHealth _health = new(root, time, logger);
    private readonly Dictionary<string, long> _unreadableTold = new(StringComparer.Ordinal);
    private SessionParts? _parts;
    private SessionsDirectory? _directory;
    private readonly Dictionary<string, List<SessionFollower>> _followers = new(StringComparer.Ordinal);
    private long _dropped;
    private volatile bool _isFollowed;

    // The dictionary's own count takes all its locks, and this is asked at each append.
    private int _remembered;

    /// <summary>The most bytes on disk of the entries that one read returns.</summary>
    public const long MaxReadBytes = 48 * 1024 * 1024;

    public string Root => root;

    /// <summary>Shortens tool results before the cost mode does; null without a sidecar.</summary>
    public HeadroomClient? Headroom { get; init; }

    internal int RememberedLimit { get; init; } = RememberedSessions;

    internal int Remembered => Volatile.Read(ref _remembered);

    /// <summary>See <see cref="SessionParts.AtStep"/>.</summary>
    internal Action<string, SessionStep>? AtStep { get; init; }

    private SessionParts Parts => _parts ??= new SessionParts(cost, time, logger, Headroom, Secrets, AtStep, _health);

    /// <summary>
    /// Entries of agents that no session has: the disk refused them, or they were removed while their agent ran. Counted as it happens.
    /// </summary>
    public long EntriesDropped => Interlocked.Read(ref _dropped);

    /// <summary>The keys to redact in every appended entry.</summary>
    public Secrets Secrets { get; init; } = Secrets.None;

    internal void CountDropped(long entries) => Interlocked.Add(ref _dropped, entries);

    /// <summary>What is wrong with the sessions directory, or keeps sessions from being written. Called by one thread at a time.</summary>
    public IReadOnlyList<StatusFile> LookAtFiles() => (_directory ??= new SessionsDirectory(root, _health, time, logger)).Look();

    /// <summary>Appends one entry, creating the session with its first.</summary>
    /// <exception cref="ArgumentException">The id is not one (<see cref="SessionId"/>).</exception>
    /// <exception cref="SessionUnavailableException">The disk refused; nothing was written.</exception>
    public async Task<AppendReceipt> AppendAsync(string sessionId, SessionEntry entry)
    {
        var log = Enter(sessionId, DirectoryOf(sessionId));
        try
        {
            return await log.AppendAsync(entry).ConfigureAwait(false);
        }
        finally
        {
            log.Leave();
            TellFollowers(sessionId);
        }
    }

    /// <summary>Summarises a session's oldest turns now; null where there is no such session.</summary>
    /// <exception cref="ArgumentException">The id is not one (<see cref="SessionId"/>).</exception>
    /// <exception cref="SessionUnavailableException">The disk refused; the session is as it was.</exception>
    public async Task<Compaction?> CompactAsync(string sessionId)
    {
        var directory = DirectoryOf(sessionId);
        if (SessionFile.Generations(directory).Count == 0)
            return null;
        var log = Enter(sessionId, directory);
        try
        {
            return await log.CompactAsync().ConfigureAwait(false);
        }
        finally
        {
            log.Leave();
            TellFollowers(sessionId);
        }
    }

    /// <summary>
    /// The entries of the live generation as they stand there, or those of every generation, each once, in the order of their numbers; null
    /// where there is no such session.
    /// </summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="all">Every generation.</param>
    /// <param name="limit">Only the latest so many of them, in the order of their numbers; they are all that is kept in memory.</param>
    /// <exception cref="SessionUnavailableException">They are more than <see cref="MaxReadBytes"/> on disk.</exception>
    public SessionEntries? Read(string sessionId, bool all, int? limit = null)
    {
        var directory = DirectoryOf(sessionId);
        try
        {
            return Read(sessionId, directory, all, limit);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // It was pruned while it was read.
            return null;
        }
    }

    private SessionEntries? Read(string sessionId, string directory, bool all, int? limit)
    {
        var generations = SessionFile.Generations(directory);
        if (generations.Count == 0)
            return null;
        var wanted = all ? generations : generations[^1..];
        var bytes = wanted.Sum(generation => new FileInfo(SessionFile.PathOf(directory, generation)).Length);
        if (bytes > MaxReadBytes)
            throw new SessionUnavailableException($"session {sessionId} has {bytes} bytes, more than one answer of {MaxReadBytes} holds; read the files in {directory}");
        var entries = new List<SessionEntry>();
        // The least number first: a compaction entry stands before the entries that it kept, which have lower ones.
        var latest = new PriorityQueue<SessionEntry, long>();
        var (last, unreadable) = (0L, 0L);
        foreach (var entry in wanted.SelectMany(generation => SessionFile.Read(SessionFile.PathOf(directory, generation), () => unreadable++)))
        {
            // Entries that a compaction kept are in the next generation too.
            if (all && entry.Seq > 0 && entry.Seq <= last)
                continue;
            if (limit is not { } most)
                entries.Add(entry);
            else if (latest.Count < most)
                latest.Enqueue(entry, entry.Seq);
            else
                latest.EnqueueDequeue(entry, entry.Seq);
            last = entry.Seq;
        }
        while (latest.TryDequeue(out var entry, out _))
            entries.Add(entry);
        if (unreadable > 0)
            TellOfUnreadable(sessionId, directory, unreadable);
        return new SessionEntries(sessionId, generations[^1], entries, unreadable > 0 ? unreadable : null);
    }

    /// <summary>The session's entries as lines, those that are there and then each new one; its first append may be yet to come.</summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="from">The number of the first entry wanted, of any generation; null begins with the live generation.</param>
    /// <exception cref="ArgumentException">The id is not one (<see cref="SessionId"/>).</exception>
    public SessionFollower Follow(string sessionId, long? from)
    {
        var follower = new SessionFollower(this, sessionId, DirectoryOf(sessionId), from, time);
        lock (_followers)
        {
            if (!_followers.TryGetValue(sessionId, out var all))
                _followers[sessionId] = all = [];
            all.Add(follower);
            _isFollowed = true;
        }
        return follower;
    }

    /// <summary>The sessions that clients follow now.</summary>
    internal IReadOnlyList<string> Followed()
    {
        lock (_followers)
            return [.. _followers.Keys];
    }

    internal void Leave(string sessionId, SessionFollower follower)
    {
        lock (_followers)
        {
            if (_followers.TryGetValue(sessionId, out var all) && all.Remove(follower) && all.Count == 0)
                _followers.Remove(sessionId);
            _isFollowed = _followers.Count > 0;
        }
    }

    private void TellFollowers(string sessionId)
    {
        // Most of the time nobody follows, and an append must not wait for a lock.
        if (!_isFollowed)
            return;
        lock (_followers)
        {
            foreach (var follower in _followers.GetValueOrDefault(sessionId) ?? [])
                follower.Tell();
        }
    }

    // Once for a session, and again where there are more.
    private void TellOfUnreadable(string sessionId, string directory, long lines)
    {
        lock (_unreadableTold)
        {
            if (_unreadableTold.GetValueOrDefault(sessionId) >= lines)
                return;
            if (_unreadableTold.Count >= UnreadableTold)
                _unreadableTold.Clear();
            _unreadableTold[sessionId] = lines;
        }
        logger.SessionLinesUnreadable(sessionId, lines, directory);
    }

    /// <summary>Whether the session has been appended to.</summary>
    public bool Exists(string sessionId) => SessionFile.Generations(DirectoryOf(sessionId)).Count > 0;

    /// <summary>How many sessions there are, and what all their generations take.</summary>
    public SessionTotal Measure()
    {
        var (count, bytes) = (0L, 0L);
        if (!Directory.Exists(root))
            return new SessionTotal(count, bytes);
        foreach (var directory in new DirectoryInfo(root).EnumerateDirectories())
        {
            try
            {
                bytes += directory.EnumerateFiles().Sum(file => file.Length);
                count++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It was pruned meanwhile, or is not the daemon's.
            }
        }
        return new SessionTotal(count, bytes);
    }

    /// <summary>The sessions changed last, newest first.</summary>
    /// <param name="limit">How many at the most.</param>
    public IReadOnlyList<SessionSummary> List(int limit)
    {
        if (!Directory.Exists(root))
            return [];
        var sessions = new List<SessionSummary>();
        foreach (var directory in Directory.EnumerateDirectories(root))
        {
            var generations = SessionFile.Generations(directory);
            if (generations.Count == 0)
                continue;
            var live = new FileInfo(SessionFile.PathOf(directory, generations[^1]));
            // It was pruned meanwhile.
            if (!live.Exists)
                continue;
            sessions.Add(new SessionSummary(Path.GetFileName(directory), generations[^1], live.Length, live.LastWriteTimeUtc,
                OverBudget: live.Length > CostLimits.Of(CostMode.Max).SessionMaxBytes));
        }
        sessions.Sort((a, b) => b.UpdatedAt.CompareTo(a.UpdatedAt));
        return sessions.Count > limit ? sessions.GetRange(0, limit) : sessions;
    }

    /// <summary>
    /// Takes a session out of its place for good, unless it is written to or followed. No append begins while <paramref name="take"/> runs, which must be
    /// short: a rename. An append after it makes a new session.
    /// </summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="take">Looks once more whether it may go, and takes it; says whether it did.</param>
    internal bool TryTake(string sessionId, Func<bool> take)
    {
        if (!_logs.TryGetValue(sessionId, out var log))
        {
            log = new SessionLog(sessionId, DirectoryOf(sessionId), Parts);
            if (!_logs.TryAdd(sessionId, log))
                return false;
            Interlocked.Increment(ref _remembered);
        }
        if (!log.TryRetire())
            return false;
        try
        {
            return !IsFollowed(sessionId) && take();
        }
        finally
        {
            if (_logs.TryRemove(KeyValuePair.Create(sessionId, log)))
                Interlocked.Decrement(ref _remembered);
        }
    }

    private bool IsFollowed(string sessionId)
    {
        lock (_followers)
            return _followers.ContainsKey(sessionId);
    }

    private string DirectoryOf(string sessionId) => SessionId.IsValid(sessionId)
        ? Path.Combine(root, sessionId)
        : throw new ArgumentException($"no session id: '{sessionId}'", nameof(sessionId));

    private SessionLog Enter(string sessionId, string directory)
    {
        if (Remembered > RememberedLimit)
            ForgetIdle();
        for (var wait = default(SpinWait); ; wait.SpinOnce())
        {
            if (!_logs.TryGetValue(sessionId, out var log))
            {
                log = new SessionLog(sessionId, directory, Parts);
                if (!_logs.TryAdd(sessionId, log))
                    continue;
                Interlocked.Increment(ref _remembered);
            }
            if (log.TryEnter())
                return log;
        }
    }

    private void ForgetIdle()
    {
        foreach (var (id, log) in _logs)
        {
            if (log.TryRetire() && _logs.TryRemove(KeyValuePair.Create(id, log)))
                Interlocked.Decrement(ref _remembered);
        }
    }
}

/// <summary>A session's log cannot be read or written now. The message is one line for a person.</summary>
public sealed class SessionUnavailableException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Where a session's live generation ends.</summary>
/// <param name="Seq">The highest number given; 0 in an empty file.</param>
/// <param name="Turns">User and assistant entries since the generation's compaction entry.</param>
/// <param name="Bytes">Bytes of whole, well-formed lines.</param>
/// <param name="TornBytes">Bytes after them that are no whole entry, left by a kill during a write.</param>
internal readonly record struct SessionTail(long Seq, long Turns, long Bytes, long TornBytes);
