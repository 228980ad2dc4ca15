using System.Buffers;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Sessions.Generations;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Core.Sessions;

/// <summary>Writes the live generation of one session and keeps it within the cost mode. Used by one thread at a time.</summary>
internal sealed class SessionWriter(string id, string directory, SessionParts parts)
{
    private readonly GenerationSwitch _switch = new(directory, parts.Logger, parts.AtStep);
    private SessionTail? _tail;
    private TakeBackOwed? _owed;

    // The end after the last answered append, and its file: what the next one has to find again.
    private (int Generation, SessionTail Tail)? _answered;
    private FileIdentity? _file;
    private long _gone;

    /// <summary>Number of the live generation.</summary>
    public int Generation { get; private set; }

    /// <summary>Where the live generation ends.</summary>
    public SessionTail Tail => _tail ?? default;

    /// <summary>Whether bytes of a refused write are still in the file.</summary>
    public bool OwesTakeBack => _owed is not null;

    /// <summary>Entries that were answered and are gone from the disk, as <see cref="Open"/> has found; 0 from then on.</summary>
    public long TakeGone()
    {
        var gone = _gone;
        _gone = 0;
        return gone;
    }

    /// <summary>
    /// Finds the live generation and its end, and cuts off a torn line that a kill during a write left. Numbers go on where entries were removed
    /// meanwhile, after an entry that says so.
    /// </summary>
    public void Open()
    {
        TakeBackOwedNow();
        var path = SessionFile.PathOf(directory, Generation);
        if (_tail is { } known)
        {
            var stamp = FileStamp.Of(path);
            if (stamp.Inode != 0 && stamp.Length == known.Bytes && (_file is not { } file || file == new FileIdentity(stamp.Device, stamp.Inode)))
                return;
            _answered = (Generation, known);
        }
        _tail = default(SessionTail);
        _file = null;
        var generations = SessionFile.Generations(directory);
        if (generations.Count == 0 || generations[^1] < _answered?.Generation)
        {
            ExactModes.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
            Generation = _answered?.Generation ?? SessionFile.FirstGeneration;
            GoOnAfter("removed");
            return;
        }
        _switch.CleanUp(generations);
        Generation = generations[^1];
        path = SessionFile.PathOf(directory, Generation);
        if (FileLook.AtName(path).IsLink)
            throw new IOException($"{path} is a symbolic link; remove it");
        var tail = SessionFile.Scan(path);
        if (tail.TornBytes > 0)
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.SetLength(file, tail.Bytes);
            parts.Logger.SessionTailCut(id, tail.TornBytes);
        }
        _tail = tail with { TornBytes = 0 };
        GoOnAfter("cut short or replaced");
    }

    private void GoOnAfter(string how)
    {
        if (_answered is not { } answered || Tail.Seq >= answered.Tail.Seq)
            return;
        var gone = answered.Tail.Seq - Tail.Seq;
        _tail = Tail with { Seq = answered.Tail.Seq };
        var lines = new ArrayBufferWriter<byte>(256);
        SessionFile.WriteLine(lines, new SessionEntry
        {
            Seq = Tail.Seq + 1,
            Ts = parts.Time.GetUtcNow(),
            Kind = SessionEntryKind.Note,
            Text = $"{gone} entries of this session, up to number {answered.Tail.Seq}, are gone: its file was {how} while it was written",
        });
        parts.Logger.SessionEntriesGone(id, gone, SessionFile.PathOf(directory, Generation), how, answered.Tail.Seq);
        Append(lines.WrittenSpan, Tail with { Seq = Tail.Seq + 1, Bytes = Tail.Bytes + lines.WrittenCount });
        _gone += gone;
    }

    /// <summary>Appends whole lines.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="after">The generation's end after them.</param>
    public void Append(ReadOnlySpan<byte> lines, SessionTail after, SessionStep step = SessionStep.EntriesWritten)
    {
        using var file = OpenLive();
        RandomAccess.Write(file, lines, Tail.Bytes);
        _tail = after;
        _file = FileIdentity.Of(file);
        parts.AtStep?.Invoke(directory, step);
    }

    /// <summary>
    /// Removes, after a failure, everything written since the given state, in whichever generation it is: none of it was answered. If the disk
    /// refuses that now, the next <see cref="Open"/> tries again, and no append is accepted until it succeeds.
    /// </summary>
    /// <param name="generation">The live generation before the write; 0 where it was never found out.</param>
    /// <param name="start">Its end before the write.</param>
    public void TakeBack(int generation, SessionTail start)
    {
        // Read the file's end anew before the next append.
        _tail = null;
        if (generation == 0)
            return;
        _answered = (generation, start);
        _owed = new TakeBackOwed(generation, start);
        try
        {
            TakeBackOwedNow();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            parts.Logger.SessionWriteFailed(id, e.Message);
        }
    }

    /// <summary>
    /// Brings the live generation within the limits in force: by compaction where that suffices, else by a higher cost mode. In the highest mode
    /// the session is then over budget, which the result reports.
    /// </summary>
    /// <remarks>The mode is raised last, after every step that can fail, so a refused append does not raise it.</remarks>
    /// <param name="newestBytes">Size of the newest entry, which compaction leaves as it is.</param>
    public Enforced Enforce(long newestBytes)
    {
        Compaction? compacted = null;
        CostMode? compactedIn = null;
        while (true)
        {
            var from = parts.Cost.State.Mode;
            var mode = from;
            var marks = new MarkLines(Tail);
            var causes = new List<(CostMode From, CostMode To, string Cause)>();
            var isOverBudget = false;
            while (!CostLimits.Of(mode).Allow(marks.Tail.Bytes, marks.Tail.Turns))
            {
                var limits = CostLimits.Of(mode);
                if (newestBytes + marks.Bytes + CompactionSummary.MinBytes <= limits.SessionMaxBytes && compactedIn != mode)
                {
                    var entries = SessionFile.Load(SessionFile.PathOf(directory, Generation));
                    compacted = Compact(entries, CompactionPlan.Within(entries, limits, marks.Bytes));
                    compactedIn = mode;
                    marks = marks.Behind(Tail);
                    continue;
                }
                var cause = compactedIn == mode
                    ? $"{marks.Tail.Bytes} bytes and {marks.Tail.Turns} turns are left after compaction"
                    : $"its newest entry alone has {newestBytes + marks.Bytes} bytes; a session may have {limits.SessionMaxBytes}";
                isOverBudget = mode == CostMode.Max;
                if (isOverBudget)
                {
                    marks.Add($"over budget in mode max: {cause}", parts.Time.GetUtcNow());
                    break;
                }
                var above = mode == CostMode.Fast ? CostMode.Smart : CostMode.Max;
                marks.Add($"cost mode escalated from {Word(mode)} to {Word(above)}: {cause}", parts.Time.GetUtcNow());
                causes.Add((mode, above, cause));
                mode = above;
            }
            var unmarked = Tail;
            if (marks.Bytes > 0)
                Append(marks.Lines, marks.Tail, SessionStep.MarksWritten);
            var stands = mode == from ? parts.Cost.State.Mode == from : parts.Cost.Escalate(from, mode, id, parts.Time.GetUtcNow()) is not null;
            if (!stands)
            {
                // An operator or another session changed the mode meanwhile. Its limits hold now, and our escalation entries would be untrue.
                if (marks.Bytes > 0)
                    CutTo(unmarked);
                continue;
            }
            foreach (var (lower, higher, cause) in causes)
                parts.Logger.CostModeEscalated(Word(lower), Word(higher), id, cause);
            if (isOverBudget)
                parts.Logger.SessionOverBudget(id, Tail.Bytes, CostLimits.Of(mode).SessionMaxBytes);
            return new Enforced(compacted, mode == from ? null : new Escalation(from, mode), isOverBudget);
        }
    }

    /// <summary>Compacts at a client's request; null if no entry is left to summarise.</summary>
    public Compaction? CompactOnRequest()
    {
        if (Tail.Bytes == 0)
            return null;
        var entries = SessionFile.Load(SessionFile.PathOf(directory, Generation));
        return CompactionPlan.OnRequest(entries, parts.Cost.Limits) is { } plan ? Compact(entries, plan) : null;
    }

    private Compaction Compact(List<LoggedEntry> entries, CompactionPlan plan)
    {
        var kept = entries[plan.FirstKept..];
        var summarised = entries[..plan.FirstKept];
        var lastSeq = kept.Count > 0 ? kept.Min(entry => entry.Entry.Seq) - 1 : Tail.Seq;
        var summary = CompactionSummary.Of(summarised.Select(entry => entry with { Entry = parts.Secrets.Redact(entry.Entry) }), lastSeq, Generation, plan.SummaryMaxBytes) with
        {
            Seq = Tail.Seq + 1,
            Ts = parts.Time.GetUtcNow(),
        };
        var line = new ArrayBufferWriter<byte>(4 * 1024);
        SessionFile.WriteLine(line, summary);
        var before = Tail.Bytes;
        _switch.Run(Generation, [line.WrittenMemory, .. kept.Select(entry => entry.Line)]);
        Generation++;
        _file = null;
        _tail = new SessionTail(
            summary.Seq, kept.Count(entry => entry.IsTurn), line.WrittenCount + kept.Sum(entry => (long)entry.Line.Length), TornBytes: 0);
        parts.Logger.SessionCompacted(id, summarised.Count, Generation, before, Tail.Bytes);
        return new Compaction(
            id, Generation, summary.Seq, summarised.Count, summarised.Count(entry => entry.IsTurn), before, Tail.Bytes);
    }

    private void CutTo(SessionTail end)
    {
        using (var file = OpenLive())
            RandomAccess.SetLength(file, end.Bytes);
        _tail = end;
    }

    private void TakeBackOwedNow()
    {
        if (_owed is not { } owed)
            return;
        parts.AtStep?.Invoke(directory, SessionStep.Refused);
        if (!Directory.Exists(directory))
        {
            // The bytes went with the directory.
            _owed = null;
            return;
        }
        _switch.Undo(owed.Generation);
        var path = SessionFile.PathOf(directory, owed.Generation);
        if (owed.Generation == SessionFile.FirstGeneration && owed.Start.Bytes == 0)
        {
            File.Delete(path);
        }
        else if (new FileInfo(path) is { Exists: true } file && file.Length > owed.Start.Bytes)
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.SetLength(handle, owed.Start.Bytes);
        }
        _owed = null;
    }

    private SafeFileHandle OpenLive()
    {
        var path = SessionFile.PathOf(directory, Generation);
        if (!File.Exists(path))
        {
            using var created = ExactModes.OpenFile(
                path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write }, SessionFile.LiveMode);
        }
        return File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
    }

    private static string Word(CostMode mode) => mode.ToString().ToLowerInvariant();

    private sealed record TakeBackOwed(int Generation, SessionTail Start);

    /// <summary>The escalation entries, assembled before they are written after <paramref name="end"/>.</summary>
    private sealed class MarkLines(SessionTail end)
    {
        private readonly ArrayBufferWriter<byte> _lines = new(512);
        private readonly List<SessionEntry> _entries = [];

        public SessionTail Tail { get; private set; } = end;

        public ReadOnlySpan<byte> Lines => _lines.WrittenSpan;

        public long Bytes => _lines.WrittenCount;

        public void Add(string text, DateTimeOffset at) => Add(new SessionEntry { Ts = at, Kind = SessionEntryKind.Escalation, Text = text });

        /// <summary>The same entries after another end.</summary>
        public MarkLines Behind(SessionTail other)
        {
            var moved = new MarkLines(other);
            _entries.ForEach(moved.Add);
            return moved;
        }

        private void Add(SessionEntry entry)
        {
            var before = _lines.WrittenCount;
            _entries.Add(entry);
            SessionFile.WriteLine(_lines, entry with { Seq = Tail.Seq + 1 });
            Tail = Tail with { Seq = Tail.Seq + 1, Bytes = Tail.Bytes + _lines.WrittenCount - before };
        }
    }
}
