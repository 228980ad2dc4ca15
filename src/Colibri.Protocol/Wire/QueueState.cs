namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>pause-queue</c> and <c>resume-queue</c>.</summary>
/// <param name="Queue">As <c>status</c> shows it too.</param>
public sealed record QueueAnswer(QueueState Queue);

/// <summary>The queue of the scheduler.</summary>
/// <param name="Paused">What operators have paused, the whole queue first.</param>
public sealed record QueueState(IReadOnlyList<QueuePause> Paused);

/// <summary>A pause by hand: no task of it starts until <c>resume-queue</c>.</summary>
/// <param name="Provider">The provider; absent for any.</param>
/// <param name="Agent">The agent; absent for any. Without any of the three it is the whole queue.</param>
/// <param name="Since">When it began.</param>
/// <param name="Reason">The operator's words; absent where there are none.</param>
/// <param name="Workspace">The workspace; absent for any.</param>
public sealed record QueuePause(string? Provider, string? Agent, DateTimeOffset Since, string? Reason = null, string? Workspace = null);
