using Colibri.Jsonl;

namespace Colibri.Core.Panes.Dialects;

/// <summary>Translates the lines of one kind of agent into events. It has no state; one instance serves every agent.</summary>
public interface IDialect
{
    /// <summary>Reads a line and passes its events to the sink: at least one for a well-formed line, none for a malformed one.</summary>
    /// <param name="line">One line without its newline.</param>
    /// <param name="truncated">Something was left out of the line, because it was too long to keep: what can still be read of it counts.</param>
    /// <param name="sink">Called before this returns.</param>
    /// <param name="look">What the framing has learned of the line; of a truncated one, from which level on items are missing.</param>
    /// <returns>False if the line is malformed, or truncated and nothing could be read of it.</returns>
    bool Read(ReadOnlySpan<byte> line, bool truncated, IEventSink sink, LineLook look = default);
}

/// <summary>Receives the events of a line from a dialect.</summary>
public interface IEventSink
{
    /// <param name="line">The line the event's slices point into.</param>
    /// <param name="agentEvent">Not kept beyond the call.</param>
    void On(ReadOnlySpan<byte> line, in AgentEvent agentEvent);
}
