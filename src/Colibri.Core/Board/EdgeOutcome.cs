namespace Colibri.Core.Board;

/// <summary>What became of an asked-for change of state.</summary>
public enum EdgeOutcome
{
    Applied,
    NotFound,

    /// <summary>The task was not in a state the edge starts from; nothing was written.</summary>
    Conflict,
}
