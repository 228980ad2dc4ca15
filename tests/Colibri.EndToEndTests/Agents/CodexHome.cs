namespace Colibri.EndToEndTests.Agents;

internal sealed class CodexHome : AgentHome
{
    public override string Kind => "codex";

    public override (string Provider, string Model) Route => ("openai", "mock-1");

    public override string RefusedWords => "unexpected status 401 Unauthorized: invalid api key";

    protected override string KeyVariable => "OPENAI_API_KEY";

    protected override (string Name, string? Value)[] Furnish(string home, int port)
    {
        // No sandbox of its own: a container may have no namespaces to give.
        Write(home, ".codex/config.toml", $"""
            model_provider = "mock"
            sandbox_mode = "danger-full-access"
            approval_policy = "never"
            check_for_update_on_startup = false
            [features]
            plugins = false
            apps = false
            [analytics]
            enabled = false
            [model_providers.mock]
            name = "mock"
            base_url = "http://127.0.0.1:{port}/v1"
            env_key = "OPENAI_API_KEY"
            wire_api = "responses"
            request_max_retries = 0
            stream_max_retries = 1
            """);
        return [];
    }
}
