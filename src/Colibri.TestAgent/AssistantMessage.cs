namespace Colibri.TestAgent;

/// <summary>One message of the assistant; <see cref="StopReason"/> is "pending" until it has been said.</summary>
internal sealed record AssistantMessage(string Provider, string Model, long Time)
{
    public string? Text { get; init; }
    public ToolCall? Call { get; init; }
    public TokenUsage Usage { get; init; }
    public string StopReason { get; init; } = "pending";
    public string? Error { get; init; }
}
