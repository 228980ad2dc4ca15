namespace Colibri.Core.Scheduling;

/// <summary>The scheduler at a glance.</summary>
/// <param name="LastTickAt">Null before the first tick.</param>
/// <param name="Ticks">Since the daemon started.</param>
/// <param name="Unmatched">Queued tasks that no agent can take, seen when the queue was last looked through.</param>
/// <param name="MissingAgent">The configured agent's program, where it is not there to be started: tasks wait for it.</param>
public sealed record SchedulerStatus(DateTimeOffset? LastTickAt, long Ticks, int Unmatched, string? MissingAgent = null);
