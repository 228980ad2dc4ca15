namespace Colibri.Core.Board;

/// <summary>A task that an agent which already runs is to work on.</summary>
/// <param name="RunId">The id of the new run.</param>
/// <param name="AgentId">The agent; it must be on record as living.</param>
/// <param name="TaskId">The task to claim for it.</param>
/// <param name="SessionId">The agent's session, where the run is logged.</param>
public sealed record RunStart(string RunId, string AgentId, string TaskId, string SessionId);
