namespace Colibri.Core.Board;

/// <summary>Which runs a page has.</summary>
public sealed record RunQuery
{
    /// <summary>Only runs of this task, by its id or number; null for all.</summary>
    public string? TaskId { get; init; }

    /// <summary>At least 1.</summary>
    public required int Limit { get; init; }

    /// <summary>The id of the last run already seen; null for the newest.</summary>
    public string? Before { get; init; }

    /// <summary>
    /// The page ends before the run whose title, error and refused tools would bring the page above this many UTF-16 units. The first run is included
    /// whatever its length.
    /// </summary>
    public int MaxCharacters { get; init; } = int.MaxValue;
}
