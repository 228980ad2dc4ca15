namespace Colibri.EndToEndTests.Agents;

internal sealed class OpencodeHome : AgentHome
{
    public override string Kind => "opencode";

    public override (string Provider, string Model) Route => ("mock", "mock-1");

    public override string RefusedWords => "invalid api key";

    // It fetches the types of its plugins into every folder of settings.
    public override bool IsKnownStray(string request) => request.StartsWith("CONNECT registry.", StringComparison.Ordinal);

    protected override string KeyVariable => "MOCK_API_KEY";

    protected override (string Name, string? Value)[] Furnish(string home, int port)
    {
        Write(home, ".config/opencode/opencode.json", $$$"""
            {"autoupdate":false,"share":"disabled","snapshot":false,"lsp":false,"formatter":false,"permission":"allow",
             "enabled_providers":["mock"],"small_model":"mock/mock-1",
             "provider":{"mock":{"npm":"@ai-sdk/openai-compatible","name":"mock",
               "options":{"baseURL":"http://127.0.0.1:{{{port}}}/v1","apiKey":"{env:MOCK_API_KEY}"},
               "models":{"mock-1":{"name":"mock-1","limit":{"context":128000,"output":4096},
                 "cost":{"input":3,"output":15,"cache_read":0.3,"cache_write":3.75}
                 } } } } }
            """);
        return
        [
            ("OPENCODE_DISABLE_AUTOUPDATE", "1"), ("OPENCODE_DISABLE_MODELS_FETCH", "1"), ("OPENCODE_DISABLE_DEFAULT_PLUGINS", "1"), ("OPENCODE_PURE", "1"),
            ("OPENCODE_DISABLE_CLAUDE_CODE", "1"), ("OPENCODE_DISABLE_SHARE", "1"), ("OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER", "1"),
        ];
    }
}
