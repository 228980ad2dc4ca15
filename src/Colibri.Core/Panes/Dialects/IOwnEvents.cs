namespace Colibri.Core.Panes.Dialects;

/// <summary>
/// A dialect with a state of its own: it has events that no line brings, such as the start of a run that Colibri has asked for. It belongs to one agent.
/// </summary>
public interface IOwnEvents
{
    /// <summary>Passes the events that wait to the sink. Called by the one thread that reads the agent at that time.</summary>
    /// <returns>Whether there were any.</returns>
    bool Tell(IEventSink sink);

    /// <summary>The agent says nothing more: passes what was kept for the next line.</summary>
    void Complete(IEventSink sink);
}
