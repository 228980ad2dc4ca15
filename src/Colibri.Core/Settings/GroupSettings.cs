namespace Colibri.Core.Settings;

/// <summary>A group of tasks with a limit, <c>[groups.NAME]</c>. Tasks name it with <c>group</c>; a group that is not configured has no limit.</summary>
public sealed record GroupSettings
{
    /// <summary>The highest limit.</summary>
    public const int MaxLimit = 10_000;

    /// <summary>What tasks name: 1 to 64 of <c>a-z A-Z 0-9 . _ -</c>, beginning with a letter or a digit.</summary>
    public required string Name { get; init; }

    /// <summary>The most of its tasks that are claimed or started at once, 1 to <see cref="MaxLimit"/>.</summary>
    public int Limit { get; init; }

    /// <summary>The keys of the section, in the order in which they are printed.</summary>
    internal static IReadOnlyList<FileKey<GroupSettings>> Keys { get; } =
    [
        FileKey<GroupSettings>.Integer("limit", 1, MaxLimit, group => group.Limit, (group, limit) => group with { Limit = limit }),
    ];
}
