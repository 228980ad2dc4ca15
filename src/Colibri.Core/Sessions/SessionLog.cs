using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Colibri.Core.Logging;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Sessions;

/// <summary>
/// The append side of one session. Appends queue up; whoever finds nobody writing becomes the writer and writes all that is queued in
/// one go, so no lock is held while the disk is waited for and entries keep their order.
/// </summary>
/// <remarks>
/// An answered append lies in the kernel's page cache: it survives <c>kill -9</c> of the daemon, not a power cut. The file is open only
/// while a batch is written, so ten thousand sessions cost no descriptors.
/// </remarks>
internal sealed class SessionLog(string id, string directory, TimeProvider time, ILogger logger)
{
    /// <summary>Appends waiting for one session's disk; the caller of a further one waits.</summary>
    public const int QueueCapacity = 1_024;

    private const int KeptScratchBytes = 1024 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? Scratch;

    private readonly Channel<PendingAppend> _queue = Channel.CreateBounded<PendingAppend>(
        new BoundedChannelOptions(QueueCapacity) { SingleReader = false, FullMode = BoundedChannelFullMode.Wait });
    private readonly List<(PendingAppend Append, AppendReceipt Receipt)> _written = [];
    private ArrayBufferWriter<byte> _batch = null!;
    private SessionTail? _tail;
    private int _generation;
    private int _writing;
    private int _users;

    /// <summary>Holds this object for one append; false once it was retired, and the store has to look again.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _users) > 0)
            return true;
        Interlocked.Decrement(ref _users);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _users);

    /// <summary>Ends this object's use while nobody holds it; all it knows is on disk.</summary>
    public bool TryRetire() => Interlocked.CompareExchange(ref _users, int.MinValue / 2, 0) == 0;

    /// <summary>Appends one entry; its number and time are given here.</summary>
    /// <exception cref="SessionUnavailableException">It could not be written; the log is as it was before.</exception>
    public async Task<AppendReceipt> AppendAsync(SessionEntry entry)
    {
        var pending = new PendingAppend(entry);
        await _queue.Writer.WriteAsync(pending).ConfigureAwait(false);
        if (Interlocked.CompareExchange(ref _writing, 1, 0) == 0)
            DrainAsWriter();
        return await pending.Completion.Task.ConfigureAwait(false);
    }

    private void DrainAsWriter()
    {
        if (_queue.Reader.Count > 0)
            WriteBatch();
        if (_queue.Reader.Count > 0)
        {
            // The first caller is not kept as everybody's writer.
            ThreadPool.UnsafeQueueUserWorkItem(static log => log.DrainAsWriter(), this, preferLocal: false);
            return;
        }
        Volatile.Write(ref _writing, 0);
        // An append may have come between the last look and giving the role back.
        if (_queue.Reader.Count > 0 && Interlocked.CompareExchange(ref _writing, 1, 0) == 0)
            DrainAsWriter();
    }

    private void WriteBatch()
    {
        _batch = Scratch is { Capacity: <= KeptScratchBytes } kept ? kept : Scratch = new ArrayBufferWriter<byte>(16 * 1024);
        _batch.ResetWrittenCount();
        _written.Clear();
        try
        {
            var start = Open();
            var tail = start;
            while (_queue.Reader.TryRead(out var append))
            {
                _written.Add((append, default!));
                tail = Serialize(append.Entry, tail);
                _written[^1] = (append, new AppendReceipt(id, tail.Seq, _generation, tail.Bytes, tail.Turns));
            }
            Write(start);
            _tail = tail;
            foreach (var (append, receipt) in _written)
                append.Completion.SetResult(receipt);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e);
        }
    }

    private void Fail(Exception cause)
    {
        // What the disk holds now is read again before the next append.
        _tail = null;
        var failure = new SessionUnavailableException($"session {id} cannot be written: {cause.Message}", cause);
        logger.SessionWriteFailed(id, cause.Message);
        // Opening failed before anything was taken: those waiting learn it too, instead of trying the same disk one by one.
        while (_written.Count == 0 && _queue.Reader.TryRead(out var waiting))
            waiting.Completion.SetException(failure);
        foreach (var (append, _) in _written)
            append.Completion.SetException(failure);
    }

    private SessionTail Open()
    {
        if (_tail is { } known && new FileInfo(SessionFile.PathOf(directory, _generation)) is { Exists: true } live && live.Length == known.Bytes)
            return known;
        var generations = SessionFile.Generations(directory);
        if (generations.Count == 0)
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
            _generation = SessionFile.FirstGeneration;
            return default;
        }
        _generation = generations[^1];
        var path = SessionFile.PathOf(directory, _generation);
        var tail = SessionFile.Scan(path);
        if (tail.TornBytes > 0)
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.SetLength(file, tail.Bytes);
            logger.SessionTailCut(id, tail.TornBytes);
        }
        return tail with { TornBytes = 0 };
    }

    private SessionTail Serialize(SessionEntry entry, SessionTail tail)
    {
        var before = _batch.WrittenCount;
        var numbered = entry with { Seq = tail.Seq + 1, Ts = time.GetUtcNow() };
        using (var writer = new Utf8JsonWriter(_batch, new JsonWriterOptions { Encoder = ProtocolJson.Wire.Options.Encoder, SkipValidation = true }))
            JsonSerializer.Serialize(writer, numbered, ProtocolJson.Wire.SessionEntry);
        _batch.Write("\n"u8);
        var turns = entry.Kind is SessionEntryKind.User or SessionEntryKind.Assistant ? tail.Turns + 1 : tail.Turns;
        return new SessionTail(numbered.Seq, turns, tail.Bytes + _batch.WrittenCount - before, 0);
    }

    private void Write(SessionTail start)
    {
        using var file = OpenLive();
        try
        {
            RandomAccess.Write(file, _batch.WrittenSpan, start.Bytes);
        }
        catch (IOException)
        {
            // A full disk takes part of a batch: none of it was answered, so none of it stays.
            RandomAccess.SetLength(file, start.Bytes);
            throw;
        }
    }

    private Microsoft.Win32.SafeHandles.SafeFileHandle OpenLive()
    {
        var path = SessionFile.PathOf(directory, _generation);
        if (!File.Exists(path))
        {
            using var created = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
            });
        }
        return File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
    }

    private sealed class PendingAppend(SessionEntry entry)
    {
        public SessionEntry Entry { get; } = entry;

        public TaskCompletionSource<AppendReceipt> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
