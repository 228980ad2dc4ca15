namespace Colibri.Core.Board;

/// <summary>A task to put on the board.</summary>
public sealed record NewTask
{
    public required string Title { get; init; }
    public string Description { get; init; } = "";
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Higher starts first.</summary>
    public int Priority { get; init; }

    /// <summary>At least 1.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Idempotency key, unique over tasks and intake: the first use of a key wins, later ones answer with it.</summary>
    public string? Key { get; init; }
    public string? SessionId { get; init; }

    /// <summary>Kept from starting until it is released.</summary>
    public bool Hold { get; init; }
}

/// <summary>
/// A queued task with what the scheduler needs to choose. It has no title and no description, because the prompt is made from the row that
/// the claim returns.
/// </summary>
/// <param name="Id">The task.</param>
/// <param name="Capabilities">What it requires; one list for all tasks of one reading that require the same.</param>
/// <param name="Place">Its place in the queue.</param>
/// <param name="RunsApart">
/// The next interruption holds it: only one such task runs at a time, so that the one that kills the daemon takes no other with it.
/// </param>
public sealed record ReadyTask(string Id, IReadOnlyList<string> Capabilities, QueuePlace Place, bool RunsApart);

/// <summary>A place in the queue, which goes by priority, highest first, and then by the order of creation.</summary>
public readonly record struct QueuePlace(int Priority, long Sequence);
