namespace Colibri.Core.Panes.Dialects;

/// <summary>Takes the events a dialect reads out of a line.</summary>
public interface IEventSink
{
    /// <param name="line">The line the event's slices point into.</param>
    /// <param name="agentEvent">Not kept beyond the call.</param>
    void On(ReadOnlySpan<byte> line, in AgentEvent agentEvent);
}
