namespace Colibri.EndToEndTests.Agents;

internal sealed class DroidHome : AgentHome
{
    public override string Kind => "droid";

    public override (string Provider, string Model) Route => ("factory", "custom:mock-1");

    public override string RefusedWords => "401 invalid api key";

    // It tells Factory of each session, whoever's model it is.
    public override bool IsKnownStray(string request) => request.Split(' ') is [_, var target, ..] && (target.StartsWith("/api/", StringComparison.Ordinal) || target.Contains("factory.ai", StringComparison.Ordinal));

    protected override string KeyVariable => "FACTORY_API_KEY";

    protected override (string Name, string? Value)[] Furnish(string home, int port)
    {
        Write(home, ".factory/settings.json", $$"""
            {"customModels":[{"model":"mock-1","displayName":"mock","baseUrl":"http://127.0.0.1:{{port}}/v1","apiKey":"sk-mock",
              "provider":"generic-chat-completion-api","maxOutputTokens":4096}]}
            """);
        return [("FACTORY_API_BASE_URL", $"http://127.0.0.1:{port}")];
    }
}
