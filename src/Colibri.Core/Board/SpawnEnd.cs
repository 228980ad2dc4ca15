using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>The end of a spawned agent.</summary>
public sealed record SpawnEnd
{
    public required RunEnding Ending { get; init; }
    public string? Verdict { get; init; }
    public TaskError? Error { get; init; }
    public ProcessExit? Exit { get; init; }

    /// <summary>The last of the agent's stderr; the board keeps at most its last 8 KiB.</summary>
    public string? StderrTail { get; init; }

    /// <summary>All that the agent used, over what was booked while it ran; the task keeps the sum over its attempts.</summary>
    public IReadOnlyList<UsageRow> Usage { get; init; } = [];

    /// <summary>Only of <see cref="RunEnding.Failed"/>: when the next attempt may start; null means there is none.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}
