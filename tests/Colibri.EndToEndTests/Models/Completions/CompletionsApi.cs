using System.Text.Json;

namespace Colibri.EndToEndTests.Models.Completions;

/// <summary>OpenAI's chat completions, streamed, as Pi, opencode, droid, goose and Cline ask for them.</summary>
internal sealed class CompletionsApi : IModelApi
{
    public string Path => "/v1/chat/completions";

    public IEnumerable<Utterance> Read(JsonElement request)
    {
        foreach (var message in request.GetProperty("messages").EnumerateArray())
        {
            var role = message.GetProperty("role").GetString();
            // The content is a text or a list of parts; its raw JSON holds the words either way.
            var said = role == "user" && message.TryGetProperty("content", out var content) ? content.GetRawText() : null;
            yield return new Utterance(said, role == "tool");
        }
    }

    public IEnumerable<OfferedTool> Tools(JsonElement request) =>
        from tool in request.GetProperty("tools").EnumerateArray()
        where tool.TryGetProperty("function", out _)
        select tool.GetProperty("function") into function
        select OfferedTool.Of(function, function.TryGetProperty("parameters", out var schema) ? schema : default);

    public IEnumerable<ServerEvent> Opening(Answer answer)
    {
        foreach (var content in answer.Words)
            yield return Choice(answer, new { content }, null);
        foreach (var (index, call) in answer.Calls.Index())
        {
            var (name, arguments) = answer.CallOf(call) is var (tool, given) ? (tool, JsonSerializer.Serialize(given)) : default;
            yield return Choice(answer, new { tool_calls = new[] { new { index, id = call.Id, type = "function", function = new { name, arguments } } } }, null);
        }
    }

    public IEnumerable<ServerEvent> Ending(Answer answer)
    {
        if (answer.Ending != Models.Ending.Missing)
            yield return Choice(answer, new { }, answer.Ending switch { Models.Ending.Tools => "tool_calls", Models.Ending.Length => "length", _ => "stop" });
        yield return Chunk(answer, Array.Empty<object>(), new
        {
            prompt_tokens = answer.Prompt,
            completion_tokens = answer.Completion,
            total_tokens = answer.Prompt + answer.Completion,
            prompt_tokens_details = new { cached_tokens = answer.Cached },
            completion_tokens_details = new { reasoning_tokens = answer.Reasoning },
        });
        if (answer.Ending != Models.Ending.Missing)
            yield return new ServerEvent(null, "[DONE]");
    }

    private static ServerEvent Choice(Answer answer, object delta, string? finishReason) =>
        Chunk(answer, new object[] { new { index = 0, delta, finish_reason = finishReason } }, null);

    private static ServerEvent Chunk(Answer answer, object choices, object? usage)
    {
        var (id, created, model) = ($"chatcmpl-mock-{answer.Number}", DateTimeOffset.UtcNow.ToUnixTimeSeconds(), answer.Model);
        return new ServerEvent(null, usage is null
            ? JsonSerializer.Serialize(new { id, @object = "chat.completion.chunk", created, model, choices })
            : JsonSerializer.Serialize(new { id, @object = "chat.completion.chunk", created, model, choices, usage }));
    }
}
