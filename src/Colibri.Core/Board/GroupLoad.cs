using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>What of a group is under way.</summary>
/// <param name="Queued">How many of its tasks are queued.</param>
/// <param name="Running">The numbers of those that are claimed or started, the lowest first.</param>
public sealed record GroupLoad(long Queued, IReadOnlyList<long> Running)
{
    public static GroupLoad None { get; } = new(0, []);

    internal GroupLoad With(TaskState state, long number) => state switch
    {
        TaskState.Queued => this with { Queued = Queued + 1 },
        TaskState.Claimed or TaskState.Started => this with { Running = Changed(number, isThere: true) },
        _ => this,
    };

    internal GroupLoad Without(TaskState state, long number) => state switch
    {
        TaskState.Queued => this with { Queued = Math.Max(0, Queued - 1) },
        TaskState.Claimed or TaskState.Started => this with { Running = Changed(number, isThere: false) },
        _ => this,
    };

    // A list of its own for each change, which readers keep: it is as short as the agents are few.
    private List<long> Changed(long number, bool isThere)
    {
        var numbers = new List<long>(Running.Count + 1);
        foreach (var other in Running)
        {
            if (isThere && other > number)
            {
                numbers.Add(number);
                isThere = false;
            }
            if (other != number)
                numbers.Add(other);
        }
        if (isThere)
            numbers.Add(number);
        return numbers;
    }
}
