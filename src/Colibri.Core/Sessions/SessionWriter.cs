using System.Buffers;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Sessions.Generations;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Core.Sessions;

/// <summary>The live generation of one session and what keeps it within the cost mode. Used by one thread at a time.</summary>
internal sealed class SessionWriter(string id, string directory, SessionParts parts)
{
    private readonly GenerationSwitch _switch = new(directory, parts.Logger, parts.AtStep);
    private SessionTail? _tail;

    /// <summary>Number of the live generation.</summary>
    public int Generation { get; private set; }

    /// <summary>Where the live generation ends.</summary>
    public SessionTail Tail => _tail ?? default;

    /// <summary>Finds the live generation and its end, cutting off what a kill in mid-write left of a line.</summary>
    public void Open()
    {
        if (_tail is { } known && new FileInfo(SessionFile.PathOf(directory, Generation)) is { Exists: true } live && live.Length == known.Bytes)
            return;
        _tail = default(SessionTail);
        var generations = SessionFile.Generations(directory);
        if (generations.Count == 0)
        {
            ExactModes.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
            Generation = SessionFile.FirstGeneration;
            return;
        }
        _switch.CleanUp(generations);
        Generation = generations[^1];
        var path = SessionFile.PathOf(directory, Generation);
        var tail = SessionFile.Scan(path);
        if (tail.TornBytes > 0)
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.SetLength(file, tail.Bytes);
            parts.Logger.SessionTailCut(id, tail.TornBytes);
        }
        _tail = tail with { TornBytes = 0 };
    }

    /// <summary>Adds whole lines.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="after">The end of the generation with them.</param>
    public void Append(ReadOnlySpan<byte> lines, SessionTail after)
    {
        using var file = OpenLive();
        RandomAccess.Write(file, lines, Tail.Bytes);
        _tail = after;
    }

    /// <summary>After a failure: none of what was written since then was answered, so none of it stays.</summary>
    public void TakeBack(int generation, SessionTail start)
    {
        // What the disk holds now is read again before the next append.
        _tail = null;
        if (generation != Generation || !File.Exists(SessionFile.PathOf(directory, generation)))
            return;
        try
        {
            using var file = OpenLive();
            if (RandomAccess.GetLength(file) > start.Bytes)
                RandomAccess.SetLength(file, start.Bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            parts.Logger.SessionWriteFailed(id, e.Message);
        }
    }

    /// <summary>
    /// Brings the live generation within the limits in force: by compaction where that can do it, else by a higher cost mode; in the
    /// highest one the session is over budget, and says so.
    /// </summary>
    /// <param name="newestBytes">Size of the newest entry, which compaction leaves as it is.</param>
    public Enforced Enforce(long newestBytes)
    {
        Compaction? compacted = null;
        Escalation? escalated = null;
        CostMode? compactedIn = null;
        while (true)
        {
            var mode = parts.Cost.State.Mode;
            var limits = CostLimits.Of(mode);
            if (limits.Allow(Tail.Bytes, Tail.Turns))
                return new Enforced(compacted, escalated, OverBudget: false);
            if (newestBytes + CompactionSummary.MinBytes <= limits.SessionMaxBytes && compactedIn != mode)
            {
                var entries = SessionFile.Load(SessionFile.PathOf(directory, Generation));
                compacted = Compact(entries, CompactionPlan.Within(entries, limits));
                compactedIn = mode;
                continue;
            }
            var cause = compactedIn == mode
                ? $"{Tail.Bytes} bytes and {Tail.Turns} turns are left after compaction"
                : $"its newest entry alone has {newestBytes} bytes; a session may have {limits.SessionMaxBytes}";
            if (mode == CostMode.Max)
            {
                AppendEscalation($"over budget in mode max: {cause}");
                parts.Logger.SessionOverBudget(id, Tail.Bytes, limits.SessionMaxBytes);
                return new Enforced(compacted, escalated, OverBudget: true);
            }
            if (parts.Cost.Escalate(mode, id, parts.Time.GetUtcNow()) is { } raised)
            {
                escalated = new Escalation(escalated?.From ?? mode, raised.Mode);
                newestBytes += AppendEscalation($"cost mode escalated from {Word(mode)} to {Word(raised.Mode)}: {cause}");
                parts.Logger.CostModeEscalated(Word(mode), Word(raised.Mode), id, cause);
            }
        }
    }

    /// <summary>Compacts because somebody asked; null where nothing is left to summarise.</summary>
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
        _tail = new SessionTail(
            summary.Seq, kept.Count(entry => entry.IsTurn), line.WrittenCount + kept.Sum(entry => (long)entry.Line.Length), TornBytes: 0);
        parts.Logger.SessionCompacted(id, summarised.Count, Generation, before, Tail.Bytes);
        return new Compaction(
            id, Generation, summary.Seq, summarised.Count, summarised.Count(entry => entry.IsTurn), before, Tail.Bytes);
    }

    private long AppendEscalation(string text)
    {
        var line = new ArrayBufferWriter<byte>(512);
        SessionFile.WriteLine(
            line, new SessionEntry { Seq = Tail.Seq + 1, Ts = parts.Time.GetUtcNow(), Kind = SessionEntryKind.Escalation, Text = text });
        Append(line.WrittenSpan, Tail with { Seq = Tail.Seq + 1, Bytes = Tail.Bytes + line.WrittenCount });
        return line.WrittenCount;
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
}
