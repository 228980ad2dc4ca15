using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>The answer to a request for a change of state.</summary>
/// <param name="Outcome">Whether it happened.</param>
/// <param name="Task">The task after the change, or unchanged after a refusal; null when not found, or when no task was concerned.</param>
/// <param name="Reason">Why it was refused, in one line for a person; else null.</param>
public sealed record EdgeResult(EdgeOutcome Outcome, BoardTask? Task = null, string? Reason = null);

/// <summary>The outcome of a request for a change of state.</summary>
public enum EdgeOutcome
{
    Applied,
    NotFound,

    /// <summary>The task was not in a state the edge starts from; nothing was written.</summary>
    Conflict,
}
