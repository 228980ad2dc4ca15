using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board;

/// <summary>
/// The durable task board. A verb that writes is answered only after its commit is on the disk, and a read begun after that sees it.
/// Writers throw <see cref="BoardUnavailableException"/> while the disk refuses, <see cref="ObjectDisposedException"/> once it is closed.
/// </summary>
public sealed partial class TaskBoard : IAsyncDisposable
{
    private readonly FileStream _lock;
    private readonly BoardWriter _writer;
    private readonly ReaderPool _readers;
    private int _disposed;

    private TaskBoard(BoardOptions options, string path, FileStream held, BoardConnection connection)
    {
        _lock = held;
        _readers = new ReaderPool(path);
        _writer = new BoardWriter(options, path, connection, _readers);
    }

    /// <summary>How many tasks are in each state, as of the latest commit. Costs nothing.</summary>
    public StatusTasks Counts => _writer.Counts.Current;

    /// <summary>How often since opening a write found the queue of 4,096 full and had to wait for room.</summary>
    public long QueueFullCount => _writer.QueueFullCount;

    /// <summary>Why the last write was refused; null once one went through. Costs nothing.</summary>
    public string? Trouble => _writer.Trouble;

    /// <summary>Opens the board, creating or migrating it where needed, and keeps every other daemon out until it is disposed.</summary>
    /// <exception cref="BoardOpenException">
    /// Another daemon has it, its place is not writable, or the file is no board, damaged, or of a newer version.
    /// </exception>
    public static TaskBoard Open(BoardOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Path);
        var path = Path.GetFullPath(options.Path);
        var held = BoardFiles.Claim(path);
        BoardConnection? connection = null;
        try
        {
            connection = BoardConnection.OpenWriter(path, options.BusySeconds);
            Migrations.Apply(connection, path);
            return new TaskBoard(options, path, held, connection);
        }
        catch (SqliteException error)
        {
            connection?.Dispose();
            held.Dispose();
            throw Migrations.Refusal(path, error);
        }
        catch
        {
            connection?.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <summary>Commits every write that was accepted, then lets go of the files. Later calls throw.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        // The readers first: the last connection to close is the one that may fold the log into the database.
        await _readers.DisposeAsync();
        await _writer.DisposeAsync();
        await _lock.DisposeAsync();
    }

    /// <summary>Completes when the writer has come to it, whether or not the disk lets it write.</summary>
    public async Task AnswerAsync()
    {
        try
        {
            await _writer.WriteAsync(static _ => true).ConfigureAwait(false);
        }
        catch (BoardUnavailableException)
        {
            // An answer as well: the disk's trouble is not the writer's.
        }
    }

    /// <summary>Runs a verb of the caller's own in the writer, for tests of what a failing one does.</summary>
    internal Task<T> WriteAsync<T>(Func<WriteScope, T> verb) => _writer.WriteAsync(verb);

    /// <summary>As <see cref="WriteAsync"/>, answered when committed, which outlives the daemon but no power cut.</summary>
    internal Task<T> CommitAsync<T>(Func<WriteScope, T> verb) => _writer.WriteAsync(verb, waitsForSync: false);

    internal Task<T> ReadAsync<T>(Func<BoardConnection, T> read) => _readers.ReadAsync(read);
}
