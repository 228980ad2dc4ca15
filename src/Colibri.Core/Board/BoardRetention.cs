using Colibri.Core.Board.Verbs;

namespace Colibri.Core.Board;

/// <summary>
/// What of a board may be deleted, and its deletion in batches, each a transaction of its own, so that other writes wait for one batch at the most.
/// </summary>
/// <param name="board">The board.</param>
public sealed class BoardRetention(TaskBoard board)
{
    /// <summary>The most tasks or agents of one transaction.</summary>
    public const int Batch = 200;

    // More would make one text too long.
    private const int Asked = 1_000;

    /// <summary>Called after each batch; for tests that stop there.</summary>
    internal Action? AfterBatch { get; init; }

    /// <summary>The numbers of the tasks that ended before that time, were not touched after it, and that nobody waits for; ascending.</summary>
    public Task<IReadOnlyList<long>> DueTasksAsync(DateTimeOffset before) => board.ReadAsync(connection => PruneVerbs.ListDue(connection, before));

    /// <summary>Deletes those of the tasks that are still due then, with their runs; the ledger keeps its rows.</summary>
    /// <param name="numbers">The tasks.</param>
    /// <param name="before">As they were found.</param>
    /// <param name="deleted">Gets the numbers of those that were deleted, batch by batch.</param>
    /// <param name="stopping">Ends it between two batches.</param>
    /// <exception cref="BoardUnavailableException">The disk refused; batches before this one are deleted.</exception>
    public async Task DeleteAsync(IReadOnlyList<long> numbers, DateTimeOffset before, List<long> deleted, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(deleted);
        foreach (var batch in numbers.Chunk(Batch))
        {
            stopping.ThrowIfCancellationRequested();
            deleted.AddRange(await board.WriteAsync(scope => PruneVerbs.Remove(scope, batch, before)).ConfigureAwait(false));
            AfterBatch?.Invoke();
        }
    }

    /// <summary>Deletes what the board keeps of agents that ended before that time and had no runs.</summary>
    /// <exception cref="BoardUnavailableException">The disk refused.</exception>
    public async Task DeleteAgentsAsync(DateTimeOffset before, CancellationToken stopping)
    {
        foreach (var batch in (await board.ReadAsync(connection => PruneVerbs.ListOldAgents(connection, before)).ConfigureAwait(false)).Chunk(Batch))
        {
            stopping.ThrowIfCancellationRequested();
            await board.WriteAsync(scope => PruneVerbs.RemoveAgents(scope, batch)).ConfigureAwait(false);
            AfterBatch?.Invoke();
        }
    }

    /// <summary>Those of the numbers whose tasks somebody waits for: a person, an agent, or another task.</summary>
    public Task<IReadOnlySet<long>> WaitingAsync(IReadOnlyCollection<long> numbers) => AskAsync(numbers, PruneVerbs.ListWaiting);

    /// <summary>Those of the numbers that the board has given to tasks which are gone.</summary>
    public Task<IReadOnlySet<long>> GoneAsync(IReadOnlyCollection<long> numbers) => AskAsync(numbers, PruneVerbs.ListGone);

    /// <summary>The sessions of tasks that somebody waits for, and of agents that live.</summary>
    public async Task<IReadOnlySet<string>> KeptSessionsAsync() =>
        (await board.ReadAsync(PruneVerbs.ListKeptSessions).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);

    /// <summary>The directories in which agents live and runs are, and those that tasks which are not over name.</summary>
    public Task<IReadOnlyList<string>> UsedDirectoriesAsync() => board.ReadAsync(PruneVerbs.ListUsedDirectories);

    private async Task<IReadOnlySet<long>> AskAsync(
        IReadOnlyCollection<long> numbers, Func<Storage.BoardConnection, IReadOnlyCollection<long>, IReadOnlyList<long>> ask)
    {
        var found = new HashSet<long>();
        foreach (var some in numbers.Chunk(Asked))
            found.UnionWith(await board.ReadAsync(connection => ask(connection, some)).ConfigureAwait(false));
        return found;
    }
}
