namespace Colibri.EndToEndTests.Agents;

internal sealed class CopilotHome : AgentHome
{
    public override string Kind => "copilot";

    public override (string Provider, string Model) Route => ("github", "mock-1");

    public override string RefusedWords => "Authentication failed with provider";

    protected override string KeyVariable => "COPILOT_PROVIDER_API_KEY";

    // It says behind it how the command ended.
    public override bool IsAnswerToEcho(string text) => text.StartsWith("hi\n", StringComparison.Ordinal);

    public override (string Name, string? Value)[] Forbid(string home) => [("COPILOT_ALLOW_ALL", null)];

    protected override (string Name, string? Value)[] Furnish(string home, int port) =>
    [
        ("COPILOT_PROVIDER_BASE_URL", $"http://127.0.0.1:{port}/v1"), ("COPILOT_OFFLINE", "true"), ("COPILOT_ALLOW_ALL", "true"),
    ];
}
