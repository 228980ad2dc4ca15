namespace Colibri.EndToEndTests.Agents;

internal sealed class GeminiHome : AgentHome
{
    private const string Settings = """
        {"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false},"general":{"enableAutoUpdate":false}@ALLOWED@}
        """;

    public override string Kind => "gemini";

    public override (string Provider, string Model) Route => ("google", "mock-1");

    public override string RefusedWords => "invalid api key";

    protected override string KeyVariable => "GEMINI_API_KEY";

    public override (string Name, string? Value)[] Forbid(string home)
    {
        Write(home, ".gemini/settings.json", Settings.Replace("@ALLOWED@", "", StringComparison.Ordinal));
        return [];
    }

    protected override (string Name, string? Value)[] Furnish(string home, int port)
    {
        Write(home, ".gemini/settings.json", Settings.Replace("@ALLOWED@", ""","tools":{"allowed":["run_shell_command"]}""", StringComparison.Ordinal));
        return [("GOOGLE_GEMINI_BASE_URL", $"http://127.0.0.1:{port}")];
    }
}
