using System.Text.Json;

namespace Colibri.EndToEndTests.Pi;

/// <summary>The chunks of one streamed chat completion, as an OpenAI-style server sends them.</summary>
internal sealed class CompletionChunks(string id, string model)
{
    public string Words(string content) => Choice(new { content }, null);

    public string ToolCall(int index, string call, string tool, string arguments) => Choice(
        new { tool_calls = new[] { new { index, id = call, type = "function", function = new { name = tool, arguments } } } }, null);

    public string End(string finishReason) => Choice(new { }, finishReason);

    /// <param name="prompt">Tokens sent, cached ones included.</param>
    /// <param name="cached">Of those, read from the cache.</param>
    /// <param name="completion">Tokens answered, reasoning included.</param>
    /// <param name="reasoning">Of those, reasoning.</param>
    public string Usage(int prompt, int cached, int completion, int reasoning) => Chunk(Array.Empty<object>(), new
    {
        prompt_tokens = prompt,
        completion_tokens = completion,
        total_tokens = prompt + completion,
        prompt_tokens_details = new { cached_tokens = cached },
        completion_tokens_details = new { reasoning_tokens = reasoning },
    });

    private string Choice(object delta, string? finishReason) => Chunk(new object[] { new { index = 0, delta, finish_reason = finishReason } }, null);

    private string Chunk(object choices, object? usage)
    {
        var created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return usage is null
            ? JsonSerializer.Serialize(new { id, @object = "chat.completion.chunk", created, model, choices })
            : JsonSerializer.Serialize(new { id, @object = "chat.completion.chunk", created, model, choices, usage });
    }
}
