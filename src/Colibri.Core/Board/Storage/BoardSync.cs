using Colibri.Posix.Host;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// Answers what the writer has committed, once it is on the disk: a thread that syncs the write-ahead log while the writer goes on with
/// the next transaction. One sync takes along every commit before it, however many those are.
/// </summary>
/// <remarks>
/// The log is synced through a descriptor of our own. SQLite takes no locks on that file, so closing it drops none, and replaces it only
/// after its last connection was closed (<see cref="Close"/> comes first). A checkpoint may start the log anew before a commit in it was
/// synced: by then SQLite has synced the log, the database it was copied to, and the new log's header, in that order.
/// </remarks>
internal sealed class BoardSync
{
    /// <summary>Operations committed and not yet synced, beyond which the writer waits; its last batch may go over.</summary>
    public const int Capacity = 4096;

    private readonly string _path;
    private readonly Action? _syncing;
    private readonly Action<Operation, BoardUnavailableException> _refuse;
    private readonly Action _failed;
    private readonly object _gate = new();
    // Started with the first that it has to answer: the daemon's start waits for every thread it starts.
    private Thread? _thread;
    private List<(Operation Operation, Exception? Thrown)> _waiting = [];
    private List<(Operation Operation, Exception? Thrown)> _underWay = [];
    private BoardUnavailableException? _failure;
    private DataSync? _log;
    private bool _ended;

    /// <param name="path">The database file.</param>
    /// <param name="syncing">Called before each sync; what it throws counts as the disk's refusal.</param>
    /// <param name="refuse">Answers an operation whose commit could not be synced.</param>
    /// <param name="failed">Called after such a failure, when all that waited has been refused.</param>
    public BoardSync(string path, Action? syncing, Action<Operation, BoardUnavailableException> refuse, Action failed)
    {
        (_path, _syncing, _refuse, _failed) = (path, syncing, refuse, failed);
    }

    /// <summary>Why the last sync failed. Until <see cref="Recover"/> nothing is synced: later commits stand on what may be lost.</summary>
    public BoardUnavailableException? Failure
    {
        get
        {
            lock (_gate)
                return _failure;
        }
    }

    /// <summary>Whether all that was committed is on the disk, so that an answer which tells of it need not wait.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _failure is null && _waiting.Count + _underWay.Count == 0;
        }
    }

    /// <summary>Takes over operations whose COMMIT has returned, each with what it threw; they are answered after a sync that begins from now on.</summary>
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

    /// <summary>Blocks while as much waits as may.</summary>
    public void AwaitRoom() => Await(() => _waiting.Count + _underWay.Count < Capacity);

    /// <summary>Blocks until everything is answered, then lets go of the log: its file may be another one with the next connection.</summary>
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
    /// Makes the log durable after a failed sync: the kernel may hold for clean what it could not write, so all of it is written again.
    /// The caller holds the write lock, after SQLite has checked the log whole and cut off what is not.
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
            return null;
        }
        catch (IOException error)
        {
            return DiskTrouble.Unsynced(_path, error);
        }
    }

    // SQLite syncs the directory when it writes a log's first header; a log that it found there may be a killed daemon's.
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
