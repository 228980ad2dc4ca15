using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>
/// What an agent's events show of its work, beside the end that it states. The counters only grow over the agent's life; those of one run of a
/// long-lived agent are the difference of two (<see cref="Since"/>).
/// </summary>
public record struct RunSigns
{
    /// <summary>They were counted. Without it the zeros say nothing.</summary>
    public bool AreCounted { get; set; }

    /// <summary>Messages and results with words in them; reasoning alone has none.</summary>
    public long Words { get; set; }

    /// <summary>Tool calls that succeeded.</summary>
    public long Successes { get; set; }

    /// <summary>Lines that look like events and could not be read whole: whatever is missed may have been in them.</summary>
    public long Unread { get; set; }

    /// <summary>Refused tool calls; null for none.</summary>
    public IReadOnlyList<DeniedTool>? Denied { get; set; }

    /// <summary>The value of <see cref="Moves"/> at the latest refusal.</summary>
    public long MovesAtDenial { get; set; }

    /// <summary>The tool of the latest call that had not ended at a run's end, nor since.</summary>
    public string? Unended { get; set; }

    /// <summary>The number of events before that call.</summary>
    public long UnendedAt { get; set; }

    /// <summary>The latest error before a run that ended well.</summary>
    public string? Overcome { get; set; }

    /// <summary>The number of events before that error.</summary>
    public long OvercomeAt { get; set; }

    /// <summary>The first line of standard output that is no event at all.</summary>
    public string? Printed { get; set; }

    /// <summary>Standard output ended in the middle of an event.</summary>
    public bool IsCut { get; set; }

    /// <summary>Whatever shows that work went on: calls that succeeded, and lines in which one may have.</summary>
    public readonly long Moves => Successes + Unread;

    /// <summary>Neither words nor a successful tool call.</summary>
    public readonly bool IsEmpty => AreCounted && Words == 0 && Moves == 0;

    /// <summary>Calls were refused, and none has succeeded since the last refusal.</summary>
    public readonly bool EndsDenied => Denied is { Count: > 0 } && Moves <= MovesAtDenial;

    /// <summary>Those since the run began.</summary>
    /// <param name="before">All signs when it began.</param>
    /// <param name="events">The number of events by then.</param>
    public readonly RunSigns Since(in RunSigns before, long events) => this with
    {
        Words = Words - before.Words,
        Successes = Successes - before.Successes,
        Unread = Unread - before.Unread,
        Denied = DeniedCalls.Since(Denied, before.Denied),
        MovesAtDenial = MovesAtDenial - before.Moves,
        Unended = UnendedAt >= events ? Unended : null,
        Overcome = OvercomeAt >= events ? Overcome : null,
    };
}
