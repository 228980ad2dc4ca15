using Colibri.Posix.Host;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// Answers committed operations once they are on the disk. A thread of its own syncs the write-ahead log while the writer runs the next
/// transaction. One sync covers every commit before it.
/// </summary>
/// <remarks>
/// The log is synced through a descriptor of our own. SQLite takes no locks on that file, so closing the descriptor drops none. SQLite
/// replaces the file only after its last connection was closed, and <see cref="Close"/> comes before that. A checkpoint may restart the log
/// before a commit in it was synced. By then SQLite has synced the log, the database it was copied to, and the new log's header, in that
/// order.
/// </remarks>
internal sealed class BoardSync
{
    /// <summary>The writer waits while more operations than this are committed and not yet synced; its last batch may exceed the number.</summary>
    public const int Capacity = 4096;

    private readonly string _path;
    private readonly Action? _syncing;
    private readonly Action<Operation, BoardUnavailableException> _refuse;
    private readonly Action _failed;
    private readonly Func<string?>? _loss;
    private readonly object _gate = new();
    // Started with the first operation, because each thread started at the daemon's start would delay it.
    private Thread? _thread;
    private List<(Operation Operation, Exception? Thrown)> _waiting = [];
    private List<(Operation Operation, Exception? Thrown)> _underWay = [];
    private BoardUnavailableException? _failure;
    private DataSync? _log;
    private bool _ended;

    /// <param name="path">The database file.</param>
    /// <param name="syncing">Called before each sync; an exception from it counts as a refusal of the disk.</param>
    /// <param name="refuse">Answers an operation whose commit could not be synced.</param>
    /// <param name="failed">Called after such a failure, once all waiting operations are refused.</param>
    /// <param name="loss">Why what was just synced would not be found again; null while it would.</param>
    public BoardSync(string path, Action? syncing, Action<Operation, BoardUnavailableException> refuse, Action failed, Func<string?>? loss = null)
    {
        (_path, _syncing, _refuse, _failed, _loss) = (path, syncing, refuse, failed, loss);
    }

    /// <summary>Why the last sync failed. Until <see cref="Recover"/> nothing is synced, because later commits rest on pages that may be lost.</summary>
    public BoardUnavailableException? Failure
    {
        get
        {
            lock (_gate)
                return _failure;
        }
    }

    /// <summary>Whether every commit is on the disk, so that an answer that reflects it need not wait.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _failure is null && _waiting.Count + _underWay.Count == 0;
        }
    }

    /// <summary>Queues operations whose COMMIT has returned, each with its exception if any; the next sync to begin answers them.</summary>
    public void Add(IReadOnlyList<(Operation Operation, Exception? Thrown)> committed)
    {
        if (committed.Count == 0)
            return;
        BoardUnavailableException? failure;
        lock (_gate)
        {
            failure = _failure;
            if (failure is null)
            {
                _waiting.AddRange(committed);
                Monitor.PulseAll(_gate);
            }
        }
        if (_thread is null)
        {
            _thread = new Thread(Run) { Name = "board-sync", IsBackground = true };
            _thread.Start();
        }
        if (failure is not null)
            Answer(committed, failure);
    }

    /// <summary>Blocks while <see cref="Capacity"/> operations wait for their sync.</summary>
    public void AwaitRoom() => Await(() => _waiting.Count + _underWay.Count < Capacity);

    /// <summary>Blocks until every operation is answered, then closes the log: the next connection may make another file.</summary>
    public void Close()
    {
        Await(() => _waiting.Count + _underWay.Count == 0);
        _log?.Dispose();
        _log = null;
    }

    /// <summary>As <see cref="Close"/>, and ends the thread.</summary>
    public void End()
    {
        Close();
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
        _thread?.Join();
    }

    /// <summary>
    /// Makes the log durable after a failed sync. The kernel may have marked dirty pages clean, so a second fsync would succeed without writing
    /// them. The whole log is rewritten, then synced. The caller holds the write lock, and SQLite has checked the log and cut off its bad end.
    /// </summary>
    /// <exception cref="BoardUnavailableException">The disk still refuses.</exception>
    public void Recover()
    {
        try
        {
            _syncing?.Invoke();
            _log = OpenLog();
            _log.WriteAgain();
            _log.Flush();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw DiskTrouble.Unsynced(_path, error);
        }
        lock (_gate)
            _failure = null;
    }

    private void Run()
    {
        while (TakeAll())
        {
            var failure = Sync();
            if (failure is not null)
            {
                lock (_gate)
                {
                    _failure = failure;
                    _underWay.AddRange(_waiting);
                    _waiting.Clear();
                }
            }
            Answer(_underWay, failure);
            lock (_gate)
            {
                _underWay.Clear();
                Monitor.PulseAll(_gate);
            }
            if (failure is not null)
                _failed();
        }
    }

    private bool TakeAll()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_ended)
                Monitor.Wait(_gate);
            (_waiting, _underWay) = (_underWay, _waiting);
            return _underWay.Count > 0;
        }
    }

    private BoardUnavailableException? Sync()
    {
        try
        {
            _syncing?.Invoke();
            _log ??= OpenLog();
            _log.Flush();
            // Asked last, so that nothing is answered as kept whose file was gone by then.
            return _loss?.Invoke() is { } loss ? new BoardUnavailableException(loss) : null;
        }
        catch (IOException error)
        {
            return DiskTrouble.Unsynced(_path, error);
        }
    }

    // Sync the directory here: SQLite does so only when it creates a log, and this one may be left from a killed daemon.
    private DataSync OpenLog()
    {
        var log = DataSync.Open(_path + "-wal");
        try
        {
            DirectorySync.Flush(Path.GetDirectoryName(_path)!);
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    private void Answer(IReadOnlyList<(Operation Operation, Exception? Thrown)> operations, BoardUnavailableException? failure)
    {
        foreach (var (operation, thrown) in operations)
        {
            if (failure is not null)
                _refuse(operation, failure);
            else
                operation.Complete(thrown);
        }
    }

    private void Await(Func<bool> condition)
    {
        lock (_gate)
        {
            while (!condition())
                Monitor.Wait(_gate);
        }
    }
}
