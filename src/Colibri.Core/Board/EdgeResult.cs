using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>The answer to an asked-for change of state.</summary>
/// <param name="Outcome">Whether it happened.</param>
/// <param name="Task">The task after it, or as it is when refused; null when not found, or when no task was concerned.</param>
/// <param name="Reason">Only of a refusal: one line for a person.</param>
public sealed record EdgeResult(EdgeOutcome Outcome, BoardTask? Task = null, string? Reason = null);

/// <summary>What became of an asked-for change of state.</summary>
public enum EdgeOutcome
{
    Applied,
    NotFound,

    /// <summary>The task was not in a state the edge starts from; nothing was written.</summary>
    Conflict,
}
