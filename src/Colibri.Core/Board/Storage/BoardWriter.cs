using Colibri.Core.Logging;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// The only one that writes: a thread that takes whatever verbs are queued, runs them in one transaction and answers them after its
/// COMMIT has returned, so that many callers share one fsync and each is durable when answered.
/// </summary>
internal sealed class BoardWriter : IAsyncDisposable
{
    private const int BatchSize = 512;
    private readonly BoardOptions _options;
    private readonly string _path;
    private readonly ILogger _logger;
    private readonly WriteQueue _queue = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BoardConnection? _connection;
    private volatile string? _trouble;

    public BoardWriter(BoardOptions options, string path, BoardConnection connection)
    {
        _options = options;
        _path = path;
        _logger = options.Logger ?? NullLogger.Instance;
        _connection = connection;
        Counts.Load(connection);
        options.WriterOpened?.Invoke(connection.Inner);
        new Thread(Run) { Name = "board-writer", IsBackground = true }.Start();
    }

    public TaskCounts Counts { get; } = new();

    public long QueueFullCount => _queue.FullCount;

    /// <summary>Why the last write was refused; null once one went through.</summary>
    public string? Trouble => _trouble;

    public async Task<T> WriteAsync<T>(Func<WriteScope, T> verb)
    {
        var operation = new Operation<T>(verb);
        await _queue.EnqueueAsync(operation);
        return await operation.Answer;
    }

    /// <summary>Commits what is queued, folds the log into the database, and ends the thread.</summary>
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
        _connection?.Dispose();
        _ended.SetResult();
    }

    /// <returns>Null once the batch had its transaction, whatever became of it; else why none could be begun.</returns>
    private BoardUnavailableException? Process(List<Operation> batch)
    {
        var began = false;
        try
        {
            Commit(batch, ref began);
        }
        catch (SqliteException error) when (began && batch.Count > 1 && DiskTrouble.IsWantOfRoom(error))
        {
            // One verb that needs room must not refuse it to those that need none: each has its own try.
            ProcessEach(batch);
        }
        catch (SqliteException error) when (DiskTrouble.Is(error))
        {
            var refusal = DiskTrouble.Unavailable(_path, error);
            foreach (var operation in batch)
                Refuse(operation, refusal);
            return began ? null : refusal;
        }
        catch (Exception error)
        {
            Drop();
            foreach (var operation in batch)
                operation.Fail(error);
        }
        return null;
    }

    // To begin costs the whole wait for a lock that another program holds: whoever is behind one that could not is not made to wait again.
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
        var connection = _connection ??= Reopen();
        var scope = new WriteScope(connection, _options.Time);
        var thrown = new Dictionary<Operation, Exception>();
        try
        {
            var before = raw.sqlite3_total_changes(connection.Inner.Handle);
            connection["BEGIN IMMEDIATE"].Execute();
            began = true;
            foreach (var operation in batch)
            {
                if (Execute(connection, scope, operation) is { } error)
                    thrown[operation] = error;
            }
            connection["COMMIT"].Execute();
            // A commit of nothing succeeds on a full disk as well.
            if (_trouble is not null && raw.sqlite3_total_changes(connection.Inner.Handle) != before)
            {
                _trouble = null;
                _logger.BoardRecovered(_path);
            }
        }
        catch (SqliteException error)
        {
            Abandon(connection, error);
            throw;
        }
        Publish(scope);
        foreach (var operation in batch)
        {
            if (thrown.TryGetValue(operation, out var error))
                operation.Fail(error);
            else
                operation.Complete();
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
        catch (Exception error) when (!(error is SqliteException trouble && DiskTrouble.Is(trouble)) && connection.InTransaction)
        {
            connection["ROLLBACK TO verb"].Execute();
            connection["RELEASE verb"].Execute();
            scope.Forget(before);
            return error;
        }
    }

    private void Publish(WriteScope scope)
    {
        if (scope.Changes.Count == 0)
            return;
        Counts.Add(scope.Changes);
        if (_options.TaskChanged is not { } tell)
            return;
        foreach (var change in scope.Changes)
        {
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
            // Closing it rolls back as well.
        }
        // A connection that met a failing disk may go on failing after the disk is well again.
        Drop();
    }

    private void Drop()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private BoardConnection Reopen()
    {
        var connection = BoardConnection.OpenWriter(_path, _options.BusySeconds);
        _options.WriterOpened?.Invoke(connection.Inner);
        return connection;
    }
}
