namespace Colibri.Core.Board;

/// <summary>
/// A queued task as the scheduler chooses among them. Title and description are not in it: an agent is told what the statement that
/// claims the task returns.
/// </summary>
/// <param name="Id">The task.</param>
/// <param name="Capabilities">What it requires.</param>
public sealed record ReadyTask(string Id, IReadOnlyList<string> Capabilities);
