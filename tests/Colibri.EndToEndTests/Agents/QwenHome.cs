namespace Colibri.EndToEndTests.Agents;

internal sealed class QwenHome : AgentHome
{
    public override string Kind => "qwen";

    public override (string Provider, string Model) Route => ("openai", "mock-1");

    public override string RefusedWords => "[API Error: 401 invalid api key]";

    protected override string KeyVariable => "OPENAI_API_KEY";

    // A command that is over at once may be told without what it has printed.
    public override bool IsAnswerToEcho(string text) => text == "hi" || text.StartsWith("Command: echo hi\n", StringComparison.Ordinal);

    public override (string Name, string? Value)[] Forbid(string home)
    {
        Write(home, ".qwen/settings.json", """{"privacy":{"usageStatisticsEnabled":false},"general":{"enableAutoUpdate":false}}""");
        return [];
    }

    protected override (string Name, string? Value)[] Furnish(string home, int port)
    {
        Write(home, ".qwen/settings.json", """{"privacy":{"usageStatisticsEnabled":false},"general":{"enableAutoUpdate":false},"permissions":{"allow":["run_shell_command"]}}""");
        return [("OPENAI_BASE_URL", $"http://127.0.0.1:{port}/v1")];
    }
}
