using System.Collections.Immutable;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>What of a group is under way.</summary>
/// <param name="Queued">How many of its tasks are queued.</param>
/// <param name="Running">The numbers of those that are claimed or started.</param>
public sealed record GroupLoad(long Queued, ImmutableSortedSet<long> Running)
{
    public static GroupLoad None { get; } = new(0, []);

    internal GroupLoad With(TaskState state, long number) => state switch
    {
        TaskState.Queued => this with { Queued = Queued + 1 },
        TaskState.Claimed or TaskState.Started => this with { Running = Running.Add(number) },
        _ => this,
    };

    internal GroupLoad Without(TaskState state, long number) => state switch
    {
        TaskState.Queued => this with { Queued = Math.Max(0, Queued - 1) },
        TaskState.Claimed or TaskState.Started => this with { Running = Running.Remove(number) },
        _ => this,
    };
}
