namespace Colibri.Core.Panes;

/// <summary>Hears what an agent answers to commands. Called on the thread that feeds the pane, between reads, with no lock held; must not block.</summary>
public interface IAgentReplies
{
    /// <param name="id">The command's id.</param>
    /// <param name="error">The agent's words why it did not take the command; null when it did.</param>
    void Replied(string id, string? error);
}
