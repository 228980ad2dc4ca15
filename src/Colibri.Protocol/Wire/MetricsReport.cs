namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>get-metrics</c>: what <c>status</c> and <c>snapshot</c> do not have. All of the board is of one instant.</summary>
public sealed record MetricsReport
{
    public required DateTimeOffset At { get; init; }

    /// <summary>Runs that are under way.</summary>
    public required long RunsOpen { get; init; }

    /// <summary>Queued tasks that wait for <c>release-task</c>.</summary>
    public required long TasksHeld { get; init; }

    /// <summary>Runs that have ended since the board was made, those of deleted tasks included. No number of a line ever falls.</summary>
    public required IReadOnlyList<RunTotal> Runs { get; init; }

    /// <summary>The ledger, by provider, model and profile.</summary>
    public required IReadOnlyList<UsageTotal> Usage { get; init; }

    /// <summary>Why the first queued tasks wait, by the first reason of each.</summary>
    public required IReadOnlyList<WaitTotal> Waits { get; init; }

    /// <summary>How many queued tasks were looked at for <see cref="Waits"/>, at most 1,000.</summary>
    public required long WaitsOf { get; init; }

    public required SessionTotal Sessions { get; init; }
}

/// <param name="Profile">The profile; <c>other</c> for runs without one.</param>
/// <param name="Verdict">What the runs ended with.</param>
/// <param name="Runs">How many.</param>
/// <param name="DurationMs">How long they took together.</param>
public sealed record RunTotal(string Profile, string Verdict, long Runs, long DurationMs);

/// <param name="Provider"><c>unknown</c> if neither agent nor request named it; <c>other</c> on the line of those beyond the first 1,000.</param>
/// <param name="Model">The same of the model.</param>
/// <param name="Profile">The profile; <c>other</c> outside of runs with one.</param>
/// <param name="Requests">Requests that were answered or billed.</param>
/// <param name="Usage">Their sum.</param>
public sealed record UsageTotal(string Provider, string Model, string Profile, long Requests, Usage Usage);

/// <param name="Code">A code of <c>blocked_by</c>; <c>none</c> for a task that is next.</param>
/// <param name="Tasks">How many.</param>
public sealed record WaitTotal(string Code, long Tasks);

/// <param name="Count">How many there are.</param>
/// <param name="Bytes">Of all their generations.</param>
public sealed record SessionTotal(long Count, long Bytes);
