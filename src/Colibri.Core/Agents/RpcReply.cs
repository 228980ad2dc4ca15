namespace Colibri.Core.Agents;

/// <summary>What became of a command to an agent.</summary>
/// <param name="IsTaken">The agent has taken it.</param>
/// <param name="IsAnswered">The agent has answered at all.</param>
/// <param name="Problem">Why not, in the agent's words or in ours; null when it was taken.</param>
public sealed record RpcReply(bool IsTaken, bool IsAnswered, string? Problem)
{
    public static RpcReply Taken { get; } = new(true, true, null);

    public static RpcReply Refused(string problem) => new(false, true, problem);

    public static RpcReply Unanswered(string problem) => new(false, false, problem);
}
