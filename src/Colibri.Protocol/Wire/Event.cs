namespace Colibri.Protocol.Wire;

/// <summary>One line of a subscription, or of a session that is followed. Which member is set follows from <see cref="Kind"/>.</summary>
public sealed record Event
{
    /// <summary><c>task</c>, <c>pane</c>, <c>cost</c>, <c>budget</c>, <c>notice</c>, <c>missed</c>, or <c>entry</c> of a session that is followed.</summary>
    public required string Kind { get; init; }

    /// <summary><c>tasks</c>, <c>panes</c>, <c>cost</c> or <c>notices</c>; absent on <c>missed</c> and <c>entry</c>.</summary>
    public string? Topic { get; init; }
    public required DateTimeOffset At { get; init; }
    public BoardTask? Task { get; init; }
    public Pane? Pane { get; init; }
    public CostState? Cost { get; init; }

    /// <summary>Only on <c>budget</c>, of topic <c>cost</c>.</summary>
    public BudgetState? Budget { get; init; }

    /// <summary>Only on <c>notice</c>: what has begun to wait for a person, or waits no longer.</summary>
    public Notice? Notice { get; init; }

    /// <summary>Only on <c>entry</c>: the session, and the entry as it is in its file.</summary>
    public string? SessionId { get; init; }
    public SessionEntry? Entry { get; init; }

    /// <summary>Only on <c>missed</c>: events dropped because the subscriber read too slowly.</summary>
    public long? Missed { get; init; }
}

/// <summary>Every pane at one instant.</summary>
public sealed record Snapshot(string Schema, string Host, DateTimeOffset Timestamp, IReadOnlyList<Pane> Panes)
{
    public const string CurrentSchema = "clawdie.glasspane.snapshot.v1";
}

/// <summary>The <c>error</c> of a reply.</summary>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Message">One line that names the thing, the value and the next step.</param>
public sealed record WireError(string Code, string Message);
