using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Colibri.Core.Events;
using Colibri.Posix.Polling;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions;

/// <summary>
/// A session's entries, those that are there and then each new one, as lines for one client. They are read from the session's files, so a slow
/// client costs one batch of memory and misses nothing that the disk has; where entries were removed from it, a <c>missed</c> line stands in their
/// place.
/// </summary>
public sealed class SessionFollower : ILineSource
{
    /// <summary>Bytes of files read at once; a longer entry is read whole.</summary>
    public const int BatchBytes = 256 * 1024;

    // Appends wake a follower. A file that came otherwise, by a copy or from a backup, is seen by the next look.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    private readonly SessionStore _store;
    private readonly string _sessionId;
    private readonly string _directory;
    private readonly long? _from;
    private readonly TimeProvider _time;
    private readonly WakeUp _news = new();
    private readonly Queue<byte[]> _lines = new();
    private int _generation;
    private int _first;
    private long _offset;
    private long _last;

    /// <param name="store">Tells of appends.</param>
    /// <param name="sessionId">The session; its first append may be yet to come.</param>
    /// <param name="directory">Its files.</param>
    /// <param name="from">The number of the first entry wanted, of any generation; null begins with the live generation.</param>
    /// <param name="time">The clock.</param>
    internal SessionFollower(SessionStore store, string sessionId, string directory, long? from, TimeProvider time) =>
        (_store, _sessionId, _directory, _from, _time) = (store, sessionId, directory, from, time);

    public async ValueTask<byte[]> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (_lines.TryDequeue(out var line))
                return line;
            // A file is read off the loop that serves every client.
            await EventLoop.LeaveAsync();
            Fill();
            if (_lines.Count == 0)
                await _news.WaitAsync(Look, _time, cancellation).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public bool TryRead([MaybeNullWhen(false)] out byte[] line) => _lines.TryDequeue(out line);

    public void Dispose() => _store.Leave(_sessionId, this);

    internal void Tell() => _news.Set();

    private void Fill()
    {
        try
        {
            while (_lines.Count == 0)
            {
                if (_generation > 0 && ReadBatch())
                    continue;
                if (!Advance())
                    return;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next look tries again: a file may be removed or replaced at any moment.
        }
    }

    /// <summary>Goes on to the next generation; false if there is none.</summary>
    private bool Advance()
    {
        var generations = SessionFile.Generations(_directory);
        var next = _generation > 0 ? generations.Find(generation => generation > _generation)
            : _from is null ? generations.LastOrDefault()
            : generations.FirstOrDefault();
        if (next == 0)
            return false;
        if (_generation == 0)
            _first = next;
        (_generation, _offset) = (next, 0);
        return true;
    }

    /// <summary>Reads whole lines from where the latest read ended; false if there are none.</summary>
    private bool ReadBatch()
    {
        var path = SessionFile.PathOf(_directory, _generation);
        if (!File.Exists(path))
            return false;
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(file);
        if (length < _offset)
        {
            // A refused write was taken back after it was read here: what follows has its numbers again.
            var end = SessionFile.Scan(path);
            (_offset, _last) = (end.Bytes, end.Seq);
        }
        var buffer = new byte[BatchBytes];
        var filled = 0;
        while (true)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(filled), _offset + filled);
            filled += read;
            var end = buffer.AsSpan(0, filled).LastIndexOf((byte)'\n') + 1;
            if (end > 0)
            {
                _offset += end;
                Take(buffer.AsSpan(0, end));
                return true;
            }
            if (read == 0)
                return false;
            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
        }
    }

    private void Take(ReadOnlySpan<byte> lines)
    {
        int length;
        while ((length = lines.IndexOf((byte)'\n')) >= 0)
        {
            if (SessionFile.TryParse(lines[..length]) is { } entry)
                Take(entry);
            lines = lines[(length + 1)..];
        }
    }

    private void Take(SessionEntry entry)
    {
        // Entries that a compaction kept are in the next generation too, and have lower numbers than the entry that it begins with.
        if (_generation != _first && entry.Seq <= _last)
            return;
        var gap = _last > 0 && entry.Seq > _last + 1 ? entry.Seq - _last - 1 : 0;
        _last = Math.Max(_last, entry.Seq);
        if (entry.Seq < _from)
            return;
        if (gap > 0)
            Add(new Event { Kind = "missed", At = entry.Ts, Missed = gap });
        Add(new Event { Kind = "entry", At = entry.Ts, SessionId = _sessionId, Entry = entry });
    }

    private void Add(Event line) => _lines.Enqueue(JsonSerializer.SerializeToUtf8Bytes(line, ProtocolJson.Wire.Event));
}
