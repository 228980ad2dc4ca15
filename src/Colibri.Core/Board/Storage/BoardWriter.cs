using Colibri.Core.Logging;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// The board's only writer. Its thread takes the queued verbs as a batch, runs them in one transaction and, when the COMMIT has returned,
/// passes them to <see cref="BoardSync"/>, which answers them when they are on the disk.
/// </summary>
internal sealed class BoardWriter : IAsyncDisposable
{
    private const int BatchSize = 512;
    private readonly BoardOptions _options;
    private readonly string _path;
    private readonly ILogger _logger;
    private readonly ReaderPool _readers;
    private readonly BoardHold _hold;
    private readonly BoardSync _sync;
    private readonly WriteQueue _queue = new();
    private readonly HostEpoch _epoch = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BoardConnection? _connection;
    private readonly List<(Operation Operation, Exception? Thrown)> _unsynced = new(BatchSize);
    private volatile string? _trouble;

    // Whether the last refusal was for the board's files being gone or others.
    private bool _isLost;

    public BoardWriter(BoardOptions options, BoardHold hold, BoardConnection connection, ReaderPool readers)
    {
        _options = options;
        _hold = hold;
        _path = hold.Path;
        _readers = readers;
        _logger = options.Logger ?? NullLogger.Instance;
        _connection = connection;
        Counts.Load(connection);
        Groups.Load(connection);
        Agents.Load(connection);
        options.WriterOpened?.Invoke(connection.Inner);
        _sync = new BoardSync(_path, options.Syncing, Refuse, RecoverSoon, LossAfterSync);
        new Thread(Run) { Name = "board-writer", IsBackground = true }.Start();
    }

    public TaskCounts Counts { get; } = new();

    public GroupCounts Groups { get; } = new();

    public AgentNumbers Agents { get; } = new();

    public long QueueFullCount => _queue.FullCount;

    /// <summary>Why the last write was refused; null once one went through.</summary>
    public string? Trouble => _trouble;

    /// <param name="verb">The change. It may run more than once, because an exception of another verb in its transaction rolls it back.</param>
    /// <param name="waitsForSync">Whether the answer waits for the disk, or for the commit alone.</param>
    public async Task<T> WriteAsync<T>(Func<WriteScope, T> verb, bool waitsForSync = true)
    {
        var operation = new Operation<T>(verb, waitsForSync);
        await _queue.EnqueueAsync(operation);
        return await operation.Answer;
    }

    /// <summary>Commits the queue, checkpoints the log into the database, and ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _ended.Task;
        _queue.Dispose();
    }

    private void Run()
    {
        var batch = new List<Operation>(BatchSize);
        while (_queue.Take(batch, BatchSize))
        {
            Process(batch);
            batch.Clear();
        }
        _sync.End();
        // Closing deletes the log by its name, which may be another board's by now.
        if (_hold.Loss() is not null)
            _connection?.LeaveLogAtClose();
        _connection?.Dispose();
        _ended.SetResult();
    }

    /// <returns>Null once a transaction was begun, whatever its outcome; else why none could be begun.</returns>
    private BoardUnavailableException? Process(List<Operation> batch)
    {
        var began = false;
        try
        {
            Commit(batch, ref began);
        }
        catch (SqliteException error) when (began && batch.Count > 1 && DiskTrouble.IsWantOfRoom(error))
        {
            // A verb that needs room on a full disk must not fail the verbs that need none, so each is tried alone.
            ProcessEach(batch);
        }
        catch (SqliteException error) when (DiskTrouble.Is(error))
        {
            var refusal = DiskTrouble.Unavailable(_path, error);
            foreach (var operation in batch)
                Refuse(operation, refusal);
            return began ? null : refusal;
        }
        catch (BoardUnavailableException refusal)
        {
            foreach (var operation in batch)
                Refuse(operation, refusal);
            return refusal;
        }
        catch (Exception error)
        {
            Drop();
            foreach (var operation in batch)
                operation.Fail(error);
        }
        return null;
    }

    // BEGIN may wait the whole time-out for a lock that another program holds. If it fails once, the verbs behind fail without another wait.
    private void ProcessEach(List<Operation> batch)
    {
        BoardUnavailableException? shut = null;
        foreach (var operation in batch)
        {
            if (shut is null)
                shut = Process([operation]);
            else
                Refuse(operation, shut);
        }
    }

    private void Commit(List<Operation> batch, ref bool began)
    {
        _sync.AwaitRoom();
        // Before anything is closed: the open descriptors are all that is left of a file that was removed.
        if (_hold.Loss() is { } loss)
        {
            _isLost = true;
            throw new BoardUnavailableException(loss);
        }
        if (_hold.IsLogLost)
            RenewLog();
        // Checked after the wait for room, during which a sync may have failed: nothing is added to a log that may be lost.
        if (_sync.Failure is not null)
            Recover();
        if (_isLost)
        {
            (_isLost, _trouble) = (false, null);
            _logger.BoardRecovered(_path);
        }
        var connection = _connection ??= Reopen();
        var scope = new WriteScope(connection, _options, _epoch, Agents);
        Exception?[]? thrown = null;
        bool hasChanged;
        try
        {
            var before = raw.sqlite3_total_changes(connection.Inner.Handle);
            connection["BEGIN IMMEDIATE"].Execute();
            began = true;
            if (!TryExecute(connection, scope, batch))
            {
                connection["ROLLBACK"].Execute();
                scope.Forget(0);
                before = raw.sqlite3_total_changes(connection.Inner.Handle);
                connection["BEGIN IMMEDIATE"].Execute();
                thrown = [.. batch.Select(operation => Execute(connection, scope, operation))];
            }
            connection["COMMIT"].Execute();
            hasChanged = raw.sqlite3_total_changes(connection.Inner.Handle) != before;
        }
        catch (SqliteException error)
        {
            Abandon(connection, error);
            throw;
        }
        _hold.NoteLog();
        // Only a commit with changes shows that the disk works again: an empty one succeeds on a full disk as well.
        if (_trouble is not null && hasChanged && _sync.Failure is null)
        {
            _trouble = null;
            _logger.BoardRecovered(_path);
        }
        Publish(scope);
        Answer(batch, thrown, waits: hasChanged || !_sync.IsIdle);
    }

    private void Answer(List<Operation> batch, Exception?[]? thrown, bool waits)
    {
        _unsynced.Clear();
        for (var i = 0; i < batch.Count; i++)
        {
            if (waits && batch[i].WaitsForSync)
                _unsynced.Add((batch[i], thrown?[i]));
            else
                batch[i].Complete(thrown?[i]);
        }
        _sync.Add(_unsynced);
    }

    /// <summary>
    /// Runs the verbs without savepoints: verbs seldom throw, and a savepoint for each would copy every page that it changes.
    /// </summary>
    /// <returns>False if a verb threw: all have to be rolled back and run again one by one.</returns>
    private static bool TryExecute(BoardConnection connection, WriteScope scope, List<Operation> batch)
    {
        try
        {
            foreach (var operation in batch)
                operation.Execute(scope);
            return true;
        }
        catch (Exception error) when (IsOfTheVerb(connection, error))
        {
            return false;
        }
    }

    private static Exception? Execute(BoardConnection connection, WriteScope scope, Operation operation)
    {
        var before = scope.Changes.Count;
        connection["SAVEPOINT verb"].Execute();
        try
        {
            operation.Execute(scope);
            connection["RELEASE verb"].Execute();
            return null;
        }
        catch (Exception error) when (IsOfTheVerb(connection, error))
        {
            connection["ROLLBACK TO verb"].Execute();
            connection["RELEASE verb"].Execute();
            scope.Forget(before);
            return error;
        }
    }

    private static bool IsOfTheVerb(BoardConnection connection, Exception error) =>
        !(error is SqliteException trouble && DiskTrouble.Is(trouble)) && connection.InTransaction;

    private void Publish(WriteScope scope)
    {
        if (scope.Changes.Count == 0)
            return;
        Counts.Add(scope.Changes);
        Groups.Add(scope.Changes);
        if (_options.TaskChanged is not { } tell)
            return;
        foreach (var change in scope.Changes)
        {
            // There is no event of a task that is gone.
            if (change.IsDeleted)
                continue;
            try
            {
                tell(change.Task);
            }
            catch (Exception error)
            {
                _logger.BoardSubscriberFailed(change.Task.Id, error);
            }
        }
    }

    private void Refuse(Operation operation, BoardUnavailableException refusal)
    {
        if (_trouble is null)
            _logger.BoardUnavailable(refusal.Message);
        _trouble = refusal.Message;
        operation.Fail(refusal);
    }

    private void Abandon(BoardConnection connection, SqliteException error)
    {
        try
        {
            if (connection.InTransaction)
                connection["ROLLBACK"].Execute();
            if (error.SqliteErrorCode is raw.SQLITE_FULL or raw.SQLITE_BUSY)
                return;
        }
        catch (SqliteException)
        {
            // Closing the connection rolls back as well.
        }
        // A connection that met a failing disk may keep failing after the disk works again.
        Drop();
    }

    private void Drop()
    {
        _hold.ForgetLog();
        _sync.Close();
        _connection?.Dispose();
        _connection = null;
    }

    /// <summary>
    /// Recovers from a failed sync. Commits stay on the board, since readers and the scheduler have seen them, as far as the log still reads as
    /// it was written. SQLite checks that when the first new connection opens after all old ones were closed.
    /// </summary>
    /// <exception cref="BoardUnavailableException">The disk still refuses.</exception>
    private void Recover()
    {
        _connection?.LeaveLogAtClose();
        Drop();
        _readers.WithNoneOpen(() => _connection = Reopen());
        var connection = _connection!;
        try
        {
            connection["BEGIN IMMEDIATE"].Execute();
            _sync.Recover();
            connection["ROLLBACK"].Execute();
            Counts.Load(connection);
            Groups.Load(connection);
        }
        catch
        {
            connection.LeaveLogAtClose();
            Drop();
            throw;
        }
    }

    /// <summary>
    /// Makes the log anew where its name, or that of its index, was removed or given to another file. SQLite writes on to the file that it has open, so
    /// nothing is lost yet: it is copied into the database, and synced there, before the log is closed.
    /// </summary>
    /// <exception cref="BoardUnavailableException">It cannot be copied now; the log stays open.</exception>
    private void RenewLog()
    {
        _readers.WithNoneOpen(() =>
        {
            if (_connection is { } connection && connection["PRAGMA wal_checkpoint(TRUNCATE)"].Number() != 0)
                throw new BoardUnavailableException($"the log of the board {_path} was removed or replaced, and another program keeps it from being copied into the database; end that program");
            Drop();
            _connection = Reopen();
        });
        _logger.BoardLogMadeAnew(_path);
    }

    private string? LossAfterSync() => _hold.Loss()
        ?? (_hold.IsLogLost ? $"the log of the board {_path} was removed or replaced at this moment; look whether the change is on the board, and try again" : null);

    // The kernel may drop pages that it could not write, so the log is rewritten at once and not with the next verb.
    private void RecoverSoon() => _ = Background.Run(_logger, "recovering the board", RecoverSoonAsync());

    private async Task RecoverSoonAsync()
    {
        try
        {
            await WriteAsync(static _ => true).ConfigureAwait(false);
        }
        catch (Exception error) when (error is BoardUnavailableException or ObjectDisposedException)
        {
            // The next verb tries again.
        }
    }

    private BoardConnection Reopen()
    {
        var connection = BoardConnection.OpenWriter(_path, _options.BusySeconds);
        _options.WriterOpened?.Invoke(connection.Inner);
        return connection;
    }
}
