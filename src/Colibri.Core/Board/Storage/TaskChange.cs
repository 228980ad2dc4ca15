using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Storage;

/// <param name="Task">The task after the change.</param>
/// <param name="From">The state it was in, the same one where only its fields changed; null when it is new.</param>
internal readonly record struct TaskChange(BoardTask Task, TaskState? From);
