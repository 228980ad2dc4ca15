namespace Colibri.Core.Panes;

/// <summary>What a pane is about, before its agent has said anything.</summary>
/// <param name="Id">The agent's id.</param>
/// <param name="Agent">Its name.</param>
/// <param name="Runtime">The name of the agent's kind.</param>
public sealed record PaneIdentity(string Id, string Agent, string Runtime)
{
    public string? TaskId { get; init; }

    public string? SessionId { get; init; }

    /// <summary>Where it was started; shown until the agent says where it is.</summary>
    public string? Cwd { get; init; }
}
