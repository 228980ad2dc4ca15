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

    /// <summary>The profile that alone may take it; null for any.</summary>
    public string? Agent { get; init; }

    /// <summary>The model in place of the profile's.</summary>
    public string? Model { get; init; }

    /// <summary>The workspace in which its runs work; not with <see cref="Cwd"/>.</summary>
    public string? Workspace { get; init; }

    /// <summary>The directory in which its runs work, absolute.</summary>
    public string? Cwd { get; init; }

    /// <summary>Ids or numbers of the tasks that must be done before it starts.</summary>
    public IReadOnlyList<string> After { get; init; } = [];

    /// <summary>What becomes of it when one of those is over without being done.</summary>
    public OnFailed OnFailed { get; init; }
    public string? Group { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>A shell command that must pass before a run counts as done.</summary>
    public string? Check { get; init; }

    /// <summary>Of each of its runs; null for the profile's or the daemon's.</summary>
    public TimeSpan? RunTimeout { get; init; }

    /// <summary>What it may cost over all its runs; null for the profile's or the daemon's.</summary>
    public long? BudgetMicrocents { get; init; }

    /// <summary>The tenant in whose root its runs are confined.</summary>
    public string? Tenant { get; init; }

    /// <summary>It does not start before; null for at once.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The schedule that makes it. The board alone states it, at a firing.</summary>
    internal string? Schedule { get; init; }
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
public sealed record ReadyTask(string Id, IReadOnlyList<string> Capabilities, QueuePlace Place, bool RunsApart)
{
    /// <summary>Its number on the board.</summary>
    public long Number { get; init; }

    /// <summary>The profile that alone may take it; null for any.</summary>
    public string? Agent { get; init; }

    /// <summary>Where it works: a workspace, or a directory, or with neither one of its own.</summary>
    public string? Workspace { get; init; }
    public string? Cwd { get; init; }
    public string? Group { get; init; }

    /// <summary>The tenant in whose root it is confined.</summary>
    public string? Tenant { get; init; }
}

/// <summary>A place in the queue, which goes by priority, highest first, and then by the order of creation.</summary>
public readonly record struct QueuePlace(int Priority, long Sequence);

/// <summary>A task cannot be as it was asked for. Nothing is written.</summary>
/// <param name="field">The field that is wrong, as the wire names it.</param>
/// <param name="problem">What is wrong with it: the rest of a line that begins with the field.</param>
public sealed class TaskRefusedException(string field, string problem) : Exception($"{field} {problem}")
{
    public string Field { get; } = field;
}
