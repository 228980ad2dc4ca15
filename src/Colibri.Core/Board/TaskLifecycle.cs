using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>The life cycle of a task as a total table. Every guarded statement of the board is generated from it.</summary>
public static class TaskLifecycle
{
    private const int States = 6;

    // Rows are where from, columns where to, both in the order queued, claimed, started, done, failed, cancelled.
    private static ReadOnlySpan<byte> Edges =>
    [
        0, 1, 0, 0, 0, 1,
        1, 0, 1, 0, 0, 1,
        1, 0, 0, 1, 1, 1,
        0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0,
    ];

    /// <summary>Whether a task may go from one state to the other in one step. From a state to itself there is no step.</summary>
    public static bool Allows(TaskState from, TaskState to) => Edges[((int)from * States) + (int)to] == 1;

    /// <summary>Every state with an edge into this one, in life cycle order.</summary>
    public static IReadOnlyList<TaskState> Sources(TaskState to) => [.. Enum.GetValues<TaskState>().Where(from => Allows(from, to))];

    /// <summary>Done, failed and cancelled: nothing leads out of them, but an operator's <c>retry-task</c> back to queued, which is a new beginning.</summary>
    public static bool IsFinal(TaskState state) => Edges.Slice((int)state * States, States).IndexOf((byte)1) < 0;
}
