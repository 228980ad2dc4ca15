using Colibri.Core.Retention;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;

namespace Colibri.Core.Processes;

/// <summary>How much memory the processes of a tree may hold together.</summary>
/// <param name="Bytes">The limit.</param>
/// <param name="Name">Where it is set, for a person, such as "memory of the profile claude".</param>
internal sealed record MemoryLimit(long Bytes, string Name);

/// <summary>A limit of memory that a tree has reached.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="Peak">The most that is known to have been held, in bytes; null where it is not known.</param>
/// <param name="IsByKernel">The kernel kept the limit and ended the tree; else a look found it.</param>
internal sealed record MemoryExcess(MemoryLimit Limit, long? Peak, bool IsByKernel)
{
    /// <summary>What happened and what can be done, after a subject such as "the check".</summary>
    public string Words
    {
        get
        {
            var limit = $"{ByteWords.Of(Limit.Bytes)} of memory";
            var held = Peak is { } peak ? $"; at most {ByteWords.Of(peak)} {(IsByKernel ? "was held" : "was seen")}" : "";
            var what = IsByKernel
                ? $"reached the limit of {limit} ({Limit.Name}, kept by its cgroup) and was ended by the kernel{held}"
                : $"went over the limit of {limit} ({Limit.Name}, looked at each second) and was ended{held}";
            return $"{what}; larger work needs a higher {Limit.Name}";
        }
    }
}

/// <summary>When looks at a tree's memory say that it is over its limit: two in a row, or one that finds half as much again.</summary>
/// <param name="limit">Bytes.</param>
internal sealed class MemoryLooks(long limit)
{
    private bool _wasOver;

    /// <summary>Adds a look.</summary>
    /// <param name="held">Bytes.</param>
    /// <returns>Whether the tree has to end.</returns>
    public bool Add(long held)
    {
        var isOver = held > limit;
        // The limit is at most 2^50, so its half fits.
        var ends = held > limit + (limit / 2) || (isOver && _wasOver);
        _wasOver = isOver;
        return ends;
    }
}

/// <summary>
/// Holds a tree to its limit of memory. Where its cgroup has the limit, the kernel ends the tree, and this only tells of it afterwards. Else a look each
/// second adds up what the tree's processes hold.
/// </summary>
/// <param name="tree">The tree.</param>
/// <param name="limit">Its limit.</param>
/// <param name="limited">The tree's cgroup, where it has the limit; else null.</param>
/// <param name="time">For the looks.</param>
internal sealed class MemoryGuard(ProcessTree tree, MemoryLimit limit, Cgroup? limited, TimeProvider time)
{
    /// <summary>From one look to the next.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly MemoryLooks _looks = new(limit.Bytes);
    private volatile MemoryExcess? _found;

    /// <summary>What a look has found.</summary>
    public MemoryExcess? Found => _found;

    /// <summary>Looks until the tree is over its limit or <paramref name="stopping"/>.</summary>
    /// <param name="over">Called once, when it is.</param>
    /// <param name="stopping">No further look.</param>
    public async Task WatchAsync(Action over, CancellationToken stopping)
    {
        var peak = 0L;
        while (limited is null && !stopping.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested || await HeldAsync().ConfigureAwait(false) is not { } held)
                continue;
            peak = Math.Max(peak, held);
            if (!_looks.Add(held))
                continue;
            _found = new MemoryExcess(limit, peak, IsByKernel: false);
            over();
            return;
        }
    }

    /// <summary>Whether the tree was over its limit. To be asked when the tree has ended and its cgroup is there still.</summary>
    public MemoryExcess? AtEnd()
    {
        try
        {
            return limited is null ? _found : limited.HasReachedMemoryLimit ? new MemoryExcess(limit, limited.PeakMemory, IsByKernel: true) : null;
        }
        catch (IOException)
        {
            // Descriptors are short. Then the verdict is that of the signal.
            return null;
        }
    }

    /// <summary>Null where it cannot be told now.</summary>
    private async Task<long?> HeldAsync()
    {
        try
        {
            return tree.MemoryHeld(limit.Bytes, tree.IsToldByCgroup ? null : await SharedLooks.OfTheSystem.NextAsync().ConfigureAwait(false));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
