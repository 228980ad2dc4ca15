using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>One thing that was told, or is to be told: the beginning of an episode, such as one question or one failure.</summary>
/// <param name="Id">Its number on this board: a receiver that gets it twice knows it by that.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Episode">What it is about; of one episode there is one notice at a time.</param>
/// <param name="At">When it began.</param>
/// <param name="Message">What is to be known of it, in one line of at most 1,000 characters.</param>
public sealed record Notice(long Id, NoticeKind Kind, string Episode, DateTimeOffset At, string Message)
{
    /// <summary>When it was over; absent while it lasts.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    public string? TaskId { get; init; }
    public long? TaskNumber { get; init; }

    /// <summary>The title of the task.</summary>
    public string? Title { get; init; }
    public string? AgentId { get; init; }
    public string? Label { get; init; }

    /// <summary>Of a provider or a schedule: its name.</summary>
    public string? Name { get; init; }

    /// <summary>Of a digest: its numbers as JSON, on the board alone.</summary>
    [JsonIgnore]
    public string? Detail { get; init; }

    /// <summary>In the answer to <c>list-notices</c>: to whom it is still to be delivered, and who gave up.</summary>
    public IReadOnlyList<NoticeDelivery>? Deliveries { get; init; }
}

/// <summary>A notice on its way to one sink.</summary>
/// <param name="Sink">The sink.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="IsDead">It is not tried any more, until <c>retry-notices</c>.</param>
/// <param name="Error">Why the latest attempt failed.</param>
public sealed record NoticeDelivery(string Sink, int Attempts, bool IsDead, string? Error);

/// <summary>The kinds of notices, as <c>on</c> of <c>[notify.NAME]</c> has them.</summary>
[JsonConverter(typeof(KebabEnumConverter<NoticeKind>))]
public enum NoticeKind
{
    /// <summary>An agent waits for an answer.</summary>
    Question,

    /// <summary>A task has failed.</summary>
    Failed,

    /// <summary>A change waits for a person: it can land, or it is in conflict with its base.</summary>
    Review,

    /// <summary>The daemon holds a task, because its runs were interrupted too often.</summary>
    Held,

    /// <summary>The day's budget is used up.</summary>
    Budget,

    /// <summary>An agent is silent for long while its process lives.</summary>
    Stalled,

    /// <summary>A file system is low on room.</summary>
    Disk,

    /// <summary>A provider does not serve: its key is refused or missing, or it rests after failures.</summary>
    Provider,

    /// <summary>A schedule cannot make its task: its zone, its workspace or something else that it names is gone.</summary>
    Schedule,

    /// <summary>A task is done.</summary>
    Done,

    /// <summary>What a period brought: what ran, what failed, what it cost.</summary>
    Digest,

    /// <summary>A test of a sink.</summary>
    Test,
}

/// <summary>The answer to <c>list-notices</c>.</summary>
/// <param name="Notices">The latest first.</param>
public sealed record NoticeList(IReadOnlyList<Notice> Notices);

/// <summary>The answer to <c>test-sink</c> and <c>retry-notices</c>, and a part of <c>status</c>.</summary>
/// <param name="Sinks">In the order of the configuration.</param>
public sealed record SinkReport(IReadOnlyList<SinkStatus> Sinks);

/// <summary>Who is told, and how that goes.</summary>
/// <param name="Name">Of <c>[notify.NAME]</c>.</param>
/// <param name="State"><c>ready</c>, <c>waiting</c> after a failure, <c>quiet</c> in its quiet hours, or <c>dead-letters</c> where notices were given up.</param>
/// <param name="Pending">Notices that it is still to be told.</param>
/// <param name="Dead">Notices that it was not told in 20 attempts.</param>
/// <param name="Delivered">Notices that it was told, over all starts.</param>
public sealed record SinkStatus(string Name, string State, long Pending, long Dead, long Delivered)
{
    /// <summary>When something was last delivered.</summary>
    public DateTimeOffset? LastAt { get; init; }

    /// <summary>Why the latest attempt failed; absent once one has gone well.</summary>
    public string? LastError { get; init; }
}

/// <summary>What a sink is told: one JSON object, on standard input or as the body of a POST.</summary>
/// <param name="Schema">Always <see cref="CurrentSchema"/>.</param>
/// <param name="Id">Of this delivery: a delivery that is repeated has the same.</param>
/// <param name="Host">The daemon's host.</param>
/// <param name="Sink">Who is told.</param>
/// <param name="Kind">That of its notice; <c>summary</c> where it tells of several.</param>
/// <param name="At">When its notice began; of a summary, that of the latest.</param>
/// <param name="Text">All of it in one line.</param>
/// <param name="Notices">What is told, the earliest first, at most 50.</param>
public sealed record SinkMessage(string Schema, string Id, string Host, string Sink, string Kind, DateTimeOffset At, string Text, IReadOnlyList<Notice> Notices)
{
    public const string CurrentSchema = "colibri.notice.v1";

    /// <summary>How many notices it tells of beside those in <see cref="Notices"/>.</summary>
    public long? More { get; init; }

    /// <summary>Of a digest alone.</summary>
    public NoticeDigest? Digest { get; init; }
}

/// <summary>What a period brought.</summary>
/// <param name="From">Its beginning.</param>
/// <param name="To">Its end.</param>
/// <param name="Done">Tasks that are done.</param>
/// <param name="Failed">Tasks that have failed.</param>
/// <param name="Cancelled">Tasks that were cancelled.</param>
/// <param name="Runs">Runs that have ended.</param>
/// <param name="CostMicrocents">What those runs cost, as far as it is known.</param>
/// <param name="UnpricedTokens">Tokens of those runs whose cost is not known.</param>
/// <param name="Waiting">What waits for a person at its end.</param>
public sealed record NoticeDigest(DateTimeOffset From, DateTimeOffset To, long Done, long Failed, long Cancelled, long Runs, long CostMicrocents, long UnpricedTokens, long Waiting);
