using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// A few read-only connections. A read runs on its caller's thread and sees every commit that returned before it began, since each
/// statement opens its own view of the write-ahead log.
/// </summary>
internal sealed class ReaderPool(string path) : IAsyncDisposable
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
                connection = BoardConnection.OpenReader(path);
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
