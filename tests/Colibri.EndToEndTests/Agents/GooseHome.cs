namespace Colibri.EndToEndTests.Agents;

internal sealed class GooseHome : AgentHome
{
    public override string Kind => "goose";

    public override (string Provider, string Model) Route => ("openai", "mock-1");

    public override string RefusedWords => "Authentication failed. Status: 401 Unauthorized. Response: invalid api key";

    // It does not tell what was cached.
    public override (long Input, long Output, long CacheRead) ToolUsage => (2500, 52, 0);

    public override bool TellsSession => false;

    protected override string KeyVariable => "OPENAI_API_KEY";

    protected override (string Name, string? Value)[] Furnish(string home, int port) => [("OPENAI_HOST", $"http://127.0.0.1:{port}")];
}
