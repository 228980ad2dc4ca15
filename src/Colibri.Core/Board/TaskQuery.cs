using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>Which tasks a page has.</summary>
public sealed record TaskQuery
{
    /// <summary>Only tasks in this state; null for all.</summary>
    public TaskState? Status { get; init; }

    /// <summary>Only queued tasks that are held, or that are not; null for all.</summary>
    public bool? Held { get; init; }
    public string? Agent { get; init; }
    public string? Workspace { get; init; }
    public string? Group { get; init; }
    public string? Tag { get; init; }

    /// <summary>Only those that a schedule of this name has made.</summary>
    public string? Schedule { get; init; }

    /// <summary>The latest created first; else the first created.</summary>
    public bool NewestFirst { get; init; }

    /// <summary>At least 1.</summary>
    public required int Limit { get; init; }

    /// <summary>The id or number of the last task already seen, whatever its state is by now.</summary>
    public string? After { get; init; }

    /// <summary>
    /// The page ends before the task whose title and description would bring the page above this many UTF-16 units. The first task is included
    /// whatever its length. At most one task beyond the page is read.
    /// </summary>
    public int MaxCharacters { get; init; } = int.MaxValue;
}
