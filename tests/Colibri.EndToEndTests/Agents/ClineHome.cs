namespace Colibri.EndToEndTests.Agents;

internal sealed class ClineHome : AgentHome
{
    public override string Kind => "cline";

    public override (string Provider, string Model) Route => ("openai-compatible", "mock-1");

    public override string RefusedWords => "invalid api key";

    public override bool TellsSession => false;

    public override string? OnDemand => "with droid and goose there are two large downloads already";

    public override bool IsKnownStray(string request) => request.StartsWith("CONNECT ", StringComparison.Ordinal) && request.Contains("cline.bot", StringComparison.Ordinal);

    protected override string KeyVariable => "OPENAI_COMPATIBLE_API_KEY";

    protected override (string Name, string? Value)[] Furnish(string home, int port)
    {
        // As `cline auth` writes it.
        Write(home, ".cline/data/settings/providers.json", $$$"""
            {"version":1,"lastUsedProvider":"openai-compatible","modes":{},"providers":{"openai-compatible":{"tokenSource":"manual",
              "updatedAt":"2026-11-28T03:24:30.163Z",
              "settings":{"provider":"openai-compatible","apiKey":"sk-mock","model":"mock-1","baseUrl":"http://127.0.0.1:{{{port}}}/v1"} } } }
            """);
        return [];
    }
}
