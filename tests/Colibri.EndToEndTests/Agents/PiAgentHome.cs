using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests.Agents;

internal sealed class PiAgentHome : AgentHome
{
    public override string Kind => "pi";

    public override (string Provider, string Model) Route => ("mock", "mock-1");

    public override string RefusedWords => "401: {\"message\":\"invalid api key\"";

    // Its key stands in its own settings.
    protected override string KeyVariable => "MOCK_API_KEY";

    protected override (string Name, string? Value)[] Furnish(string home, int port) => PiHome.Furnish(home, port);
}
