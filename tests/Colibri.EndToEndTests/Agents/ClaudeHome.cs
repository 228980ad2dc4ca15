namespace Colibri.EndToEndTests.Agents;

internal sealed class ClaudeHome : AgentHome
{
    public override string Kind => "claude";

    // Of known price: 3, 15 and 0.3 dollars for a million tokens sent, answered and read from the cache.
    public override (string Provider, string Model) Route => ("anthropic", "claude-sonnet-4-5");

    public override string RefusedWords => "API Error: 401 invalid api key";

    protected override string KeyVariable => "ANTHROPIC_API_KEY";

    public override (string Name, string? Value)[] Forbid(string home)
    {
        Write(home, ".claude/settings.json", "{}");
        return [];
    }

    protected override (string Name, string? Value)[] Furnish(string home, int port)
    {
        Write(home, ".claude/settings.json", """{"permissions":{"allow":["Bash"]}}""");
        return
        [
            ("ANTHROPIC_BASE_URL", $"http://127.0.0.1:{port}"), ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"), ("DISABLE_AUTOUPDATER", "1"),
            ("DISABLE_TELEMETRY", "1"), ("CLAUDE_CODE_MAX_RETRIES", "1"),
        ];
    }
}
