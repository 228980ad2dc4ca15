namespace Colibri.Core.Settings;

/// <summary>What is kept and for how long, <c>[retention]</c>. What waits for a person is kept whatever it says.</summary>
public sealed record RetentionSettings
{
    /// <summary>Ended tasks, from their end.</summary>
    public TimeSpan Tasks { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Sessions, from their last entry.</summary>
    public TimeSpan Sessions { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Bytes of all sessions together; null is no limit.</summary>
    public long? SessionsBytes { get; init; } = 20L << 30;

    /// <summary>Free bytes of the file system below which no run starts.</summary>
    public long MinFreeBytes { get; init; } = 1L << 30;

    /// <summary>Whether the file states <see cref="MinFreeBytes"/>. The default is held to a part of the file system, because a small one never has so much.</summary>
    public bool StatesMinFree { get; init; }
}
