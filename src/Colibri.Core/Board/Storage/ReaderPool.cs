using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// A few read-only connections. A read runs on its caller's thread and sees every commit that returned before it began, since each
/// statement opens its own view of the write-ahead log.
/// </summary>
/// <param name="path">The database file.</param>
/// <param name="loss">Why the path does not lead to the board any more; null while it does. The connections that are open go on reading the board.</param>
internal sealed class ReaderPool(string path, Func<string?>? loss = null) : IAsyncDisposable
{
    private const int Size = 4;
    private readonly SemaphoreSlim _slots = new(Size);
    private readonly ConcurrentBag<BoardConnection> _idle = [];
    private volatile bool _closed;

    /// <exception cref="BoardUnavailableException">The disk refuses.</exception>
    public async Task<T> ReadAsync<T>(Func<BoardConnection, T> read)
    {
        await _slots.WaitAsync();
        BoardConnection? connection = null;
        try
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(TaskBoard));
            if (!_idle.TryTake(out connection))
            {
                if (loss?.Invoke() is { } lost)
                    throw new BoardUnavailableException(lost);
                connection = BoardConnection.OpenReader(path);
            }
            var result = read(connection);
            _idle.Add(connection);
            connection = null;
            return result;
        }
        catch (SqliteException error) when (DiskTrouble.Is(error))
        {
            throw DiskTrouble.Unavailable(path, error);
        }
        finally
        {
            // The connection itself may be the cause, so the next read gets a fresh one.
            connection?.Dispose();
            _slots.Release();
        }
    }

    /// <summary>Runs an action while no connection of the pool is open; reads wait meanwhile.</summary>
    public void WithNoneOpen(Action action)
    {
        for (var taken = 0; taken < Size; taken++)
            _slots.Wait();
        try
        {
            CloseIdle();
            action();
        }
        finally
        {
            _slots.Release(Size);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _closed = true;
        for (var taken = 0; taken < Size; taken++)
            await _slots.WaitAsync();
        CloseIdle();
        _slots.Release(Size);
    }

    private void CloseIdle()
    {
        while (_idle.TryTake(out var connection))
            connection.Dispose();
    }
}
