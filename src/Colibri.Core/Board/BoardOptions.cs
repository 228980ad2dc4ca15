using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Board;

/// <summary>Where a board lies and who hears of its changes.</summary>
public sealed record BoardOptions
{
    /// <summary>The database file. Its directory is created (0750) and so is the file (0640) where they are missing.</summary>
    public required string Path { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Called on the writer's thread after a commit, once for each change and in their order, before the verb's caller is answered and
    /// without waiting for the disk, as readers do. It must not block: every write waits behind it. What it throws is logged and goes no further.
    /// </summary>
    public Action<BoardTask>? TaskChanged { get; init; }
    public ILogger? Logger { get; init; }

    /// <summary>Lets a test make the disk small or the statements fail; runs on every connection the writer opens.</summary>
    internal Action<SqliteConnection>? WriterOpened { get; init; }

    /// <summary>Lets a test hold a sync up, or fail it with an <see cref="IOException"/>; runs before each, on the thread that syncs.</summary>
    internal Action? Syncing { get; init; }

    /// <summary>How long the writer waits for another program's lock, in seconds, at least 1.</summary>
    internal int BusySeconds { get; init; } = 5;
}
