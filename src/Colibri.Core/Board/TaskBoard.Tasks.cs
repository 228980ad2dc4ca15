using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

public sealed partial class TaskBoard
{
    /// <summary>Puts a task on the board, queued. A known key answers the task it was first used for, unchanged.</summary>
    /// <exception cref="ArgumentException">No title, or fewer than one attempt.</exception>
    public Task<BoardTask> CreateAsync(NewTask task)
    {
        Check(task);
        return WriteAsync(scope => TaskVerbs.Create(scope, task));
    }

    /// <summary>Takes a task in, to be put on the board at the next drain. The answer is its id now and then; a known key answers its id.</summary>
    /// <exception cref="ArgumentException">No title, or fewer than one attempt.</exception>
    public Task<string> IntakeAsync(NewTask task)
    {
        Check(task);
        return WriteAsync(scope => TaskVerbs.TakeIn(scope, task));
    }

    /// <summary>Puts up to so many tasks that were taken in onto the board, oldest first, and answers them.</summary>
    public Task<IReadOnlyList<BoardTask>> DrainIntakeAsync(int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        return WriteAsync(scope => TaskVerbs.DrainIntake(scope, max));
    }

    public Task<BoardTask?> GetAsync(string id) => ReadAsync(connection => TaskVerbs.Get(connection, id));

    /// <summary>A page in order of creation.</summary>
    /// <param name="status">Only tasks in this state; null for all.</param>
    /// <param name="limit">At least 1.</param>
    /// <param name="after">The id of the last task already seen, in whatever state it is by now.</param>
    /// <param name="maxCharacters">
    /// The page ends before the task whose title and description would bring those of the page above this many UTF-16 units; its first
    /// task is there whatever its length. No more than that one task is read beyond it.
    /// </param>
    /// <returns>The page, and the id to continue after; without one at the end.</returns>
    /// <exception cref="ArgumentException">No task has the id <paramref name="after"/>.</exception>
    public Task<TaskList> ListAsync(TaskState? status, int limit, string? after, int maxCharacters = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return ReadAsync(connection => TaskVerbs.List(connection, status, limit, after, maxCharacters));
    }

    /// <summary>Queued tasks whose back-off is over, highest priority first, then oldest first; only what it takes to choose among them.</summary>
    public Task<IReadOnlyList<ReadyTask>> ReadyAsync(int limit, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return ReadAsync(connection => TaskVerbs.ListReady(connection, limit, now));
    }

    /// <summary>When the next back-off after <paramref name="now"/> is over; null when no queued task waits for one.</summary>
    public Task<DateTimeOffset?> NextReadyAtAsync(DateTimeOffset now) => ReadAsync(connection => TaskVerbs.NextReadyAt(connection, now));

    /// <summary>Queued to claimed, as one more attempt. Of any number of claimants one wins.</summary>
    public Task<EdgeResult> ClaimAsync(string taskId, string agentId)
    {
        ArgumentException.ThrowIfNullOrEmpty(agentId);
        return WriteAsync(scope => EdgeVerbs.Claim(scope, taskId, agentId));
    }

    /// <summary>
    /// A step that an outside claimant or the operator asks for: claimed to started, started to done or failed, either back to queued,
    /// any of the three to cancelled. Everything else is a conflict, and so is all but cancelling while the daemon itself runs the task.
    /// </summary>
    /// <param name="taskId">The task.</param>
    /// <param name="to">The state wanted.</param>
    /// <param name="error">Kept with the task; without one, done and failed clear the latest error and the other states keep it.</param>
    /// <param name="agentId">Who asks: a conflict unless it holds the task. Null does not look; cancelling never does.</param>
    public Task<EdgeResult> TransitionAsync(string taskId, TaskState to, TaskError? error, string? agentId = null) =>
        WriteAsync(scope => EdgeVerbs.Transition(scope, taskId, to, error, agentId));

    /// <summary>As a transition to cancelled. A run that is open stays so until its agent's end is told.</summary>
    public Task<EdgeResult> CancelAsync(string taskId) => TransitionAsync(taskId, TaskState.Cancelled, null);

    /// <summary>
    /// Queues again, with error <c>agent-lost</c>, what is held by registered agents not heard of since the cutoff. A task that the
    /// daemon itself runs is never among them.
    /// </summary>
    /// <param name="leaseCutoff">Agents whose latest sign of life is older have lost their tasks.</param>
    /// <param name="unknownBefore">Also what is held under a name that is no registered agent's id and has not changed since; the least value for none.</param>
    /// <returns>The tasks, queued, in order of creation.</returns>
    public Task<IReadOnlyList<BoardTask>> ReleaseLostAsync(DateTimeOffset leaseCutoff, DateTimeOffset unknownBefore) =>
        WriteAsync(scope => EdgeVerbs.ReleaseLost(scope, leaseCutoff, unknownBefore));

    private static void Check(NewTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentException.ThrowIfNullOrWhiteSpace(task.Title);
        ArgumentOutOfRangeException.ThrowIfLessThan(task.MaxAttempts, 1);
    }
}
