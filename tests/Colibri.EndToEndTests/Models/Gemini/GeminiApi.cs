using System.Text.Json;

namespace Colibri.EndToEndTests.Models.Gemini;

/// <summary>Google's Gemini API, streamed, as Gemini CLI asks for it. The model stands in the path.</summary>
internal sealed class GeminiApi : IModelApi
{
    public string Path => "/v1beta/models/";

    public bool IsAsked(string path) => path.StartsWith(Path, StringComparison.Ordinal) && path.EndsWith(":streamGenerateContent", StringComparison.Ordinal);

    public IEnumerable<Utterance> Read(JsonElement request)
    {
        foreach (var content in request.GetProperty("contents").EnumerateArray())
        {
            var isUsers = content.GetProperty("role").GetString() == "user";
            foreach (var part in content.GetProperty("parts").EnumerateArray())
                yield return new Utterance(isUsers && part.TryGetProperty("text", out var text) ? text.GetRawText() : null, part.TryGetProperty("functionResponse", out _));
        }
    }

    public IEnumerable<OfferedTool> Tools(JsonElement request) =>
        from tools in request.GetProperty("tools").EnumerateArray()
        where tools.TryGetProperty("functionDeclarations", out _)
        from tool in tools.GetProperty("functionDeclarations").EnumerateArray()
        select OfferedTool.Of(tool, tool.TryGetProperty("parametersJsonSchema", out var schema) ? schema : default);

    public string Refusal(int status, string message) =>
        JsonSerializer.Serialize(new { error = new { code = status, message, status = status == 401 ? "UNAUTHENTICATED" : "UNAVAILABLE" } });

    public IEnumerable<ServerEvent> Opening(Answer answer)
    {
        foreach (var text in answer.Words)
            yield return Candidate(new { text }, null, null);
        foreach (var call in answer.Calls)
        {
            var (name, args) = (answer with { DefaultShell = "run_shell_command", DefaultWriter = "write_file" }).CallOf(call);
            yield return Candidate(new { functionCall = new { name, args } }, null, null);
        }
    }

    public IEnumerable<ServerEvent> Ending(Answer answer)
    {
        yield return Candidate(
            new { text = "" }, answer.Ending switch { Models.Ending.Missing => null, Models.Ending.Length => "MAX_TOKENS", _ => "STOP" }, new
            {
                promptTokenCount = answer.Prompt,
                // What was thought is not among them.
                candidatesTokenCount = answer.Completion - answer.Reasoning,
                thoughtsTokenCount = answer.Reasoning,
                totalTokenCount = answer.Prompt + answer.Completion,
                cachedContentTokenCount = answer.Cached,
            });
    }

    private static ServerEvent Candidate(object part, string? finishReason, object? usageMetadata)
    {
        var content = new { role = "model", parts = new[] { part } };
        var candidates = new object[] { finishReason is null ? new { index = 0, content } : new { index = 0, content, finishReason } };
        return new ServerEvent(null, usageMetadata is null ? JsonSerializer.Serialize(new { candidates }) : JsonSerializer.Serialize(new { candidates, usageMetadata }));
    }
}
