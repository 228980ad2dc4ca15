using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>What is to be told. An episode of a task begins in the transaction that changes the task; the others are begun here.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Episode">What it is about: it begins once, until it has ended.</param>
/// <param name="Message">One line, redacted and cut.</param>
public sealed record NewNotice(NoticeKind Kind, string Episode, string Message)
{
    public long? TaskNumber { get; init; }
    public string? AgentId { get; init; }

    /// <summary>Of a provider.</summary>
    public string? Name { get; init; }
}

/// <summary>A sink as the board knows it.</summary>
internal sealed record SinkRow(string Name, long Delivered, DateTimeOffset? LastAt, string? LastError, DateTimeOffset DigestedUntil, long Pending, long Dead);

/// <summary>
/// The outbox of a board: what is to be told to whom. Beginnings and ends outlive the process when they are answered. A delivery is noted after it
/// was made, so a process that is killed in between makes it once more, with the same id.
/// </summary>
/// <param name="board">The board.</param>
public sealed class BoardOutbox(TaskBoard board)
{
    /// <summary>Attempts after which a delivery is given up.</summary>
    public const int MostAttempts = 20;

    /// <summary>Notices beyond so many go, the oldest first, once they are over and told.</summary>
    public const int MostNotices = 10_000;

    /// <summary>The age after which they go.</summary>
    public static TimeSpan Age { get; } = TimeSpan.FromDays(30);

    /// <summary>Sets who is told of what.</summary>
    internal Task SetSinksAsync(IReadOnlyList<(string Name, string Kinds)> sinks) => board.WriteAsync(scope => OutboxVerbs.SetSinks(scope, sinks));

    /// <summary>Begins an episode.</summary>
    /// <returns>Whether it has begun: false where it lasts already.</returns>
    public Task<bool> BeginAsync(NewNotice notice) => board.CommitAsync(scope => OutboxVerbs.Begin(scope, notice));

    /// <summary>Ends an episode.</summary>
    public Task<bool> EndAsync(string episode) => board.CommitAsync(scope => OutboxVerbs.EndOf(scope, episode));

    /// <summary>Ends the episodes that were about the agents of an earlier daemon.</summary>
    public Task EndOfAgentsAsync() => board.CommitAsync(OutboxVerbs.EndOfAgents);

    /// <summary>The episodes about budget, disk and providers that last.</summary>
    public Task<IReadOnlyList<Notice>> OpenAsync() => board.ReadAsync(OutboxVerbs.ListOpen);

    internal Task<IReadOnlyList<Notice>> PendingAsync(string sink, int limit) => board.ReadAsync(connection => OutboxVerbs.ListPending(connection, sink, limit));

    internal Task DeliveredAsync(string sink, IReadOnlyList<long> ids) => board.CommitAsync(scope => OutboxVerbs.Delivered(scope, sink, ids));

    internal Task WithdrawAsync(string sink, IReadOnlyList<long> ids) => board.CommitAsync(scope => OutboxVerbs.Withdraw(scope, sink, ids));

    internal Task FailedAsync(string sink, IReadOnlyList<long> ids, string error) => board.CommitAsync(scope => OutboxVerbs.Failed(scope, sink, ids, error, MostAttempts));

    /// <summary>Makes dead letters of one sink, or of all, due again.</summary>
    public Task<int> RetryAsync(string? sink) => board.WriteAsync(scope => OutboxVerbs.Retry(scope, sink));

    internal Task<SinkRow?> SinkAsync(string sink) => board.ReadAsync(connection => OutboxVerbs.ReadSink(connection, sink));

    /// <summary>What has begun or ended since, in that order, and the mark for the next question.</summary>
    internal Task<(IReadOnlyList<Notice> Notices, long Last)> SinceAsync(long after) => board.ReadAsync(connection => OutboxVerbs.ReadSince(connection, after));

    internal Task<long> LatestAsync() => board.ReadAsync(OutboxVerbs.ReadLatest);

    /// <summary>The latest notices, with what of them is still to be told.</summary>
    public Task<IReadOnlyList<Notice>> ListAsync(string? sink, int limit) => board.ReadAsync(connection => OutboxVerbs.ListAll(connection, sink, limit));

    internal Task<NoticeDigest> DigestAsync(DateTimeOffset from, DateTimeOffset to) => board.ReadAsync(connection => OutboxVerbs.ReadDigest(connection, from, to));

    internal Task<bool> AddDigestAsync(string sink, NoticeDigest digest, string message, string detail) => board.WriteAsync(scope => OutboxVerbs.AddDigest(scope, sink, digest, message, detail));

    internal Task<int> PruneAsync(DateTimeOffset before) => board.WriteAsync(scope => OutboxVerbs.PruneBefore(scope, before, MostNotices));
}
