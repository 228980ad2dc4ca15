using System.Text.Json;

namespace Colibri.EndToEndTests.Models.Messages;

/// <summary>Anthropic's messages, streamed, as Claude Code asks for them.</summary>
internal sealed class MessagesApi : IModelApi
{
    public string Path => "/v1/messages";

    public IEnumerable<Utterance> Read(JsonElement request)
    {
        foreach (var message in request.GetProperty("messages").EnumerateArray())
        {
            if (message.GetProperty("role").GetString() != "user")
                continue;
            var content = message.GetProperty("content");
            // What a tool answered is a message of the user's, too.
            var isToolResult = content.ValueKind == JsonValueKind.Array && content.EnumerateArray().Any(part => part.GetProperty("type").GetString() == "tool_result");
            yield return new Utterance(isToolResult ? null : content.GetRawText(), isToolResult);
        }
    }

    public IEnumerable<ServerEvent> Opening(Answer answer)
    {
        yield return Event("message_start", new
        {
            message = new
            {
                id = $"msg_{answer.Number}",
                type = "message",
                role = "assistant",
                model = answer.Model,
                content = Array.Empty<object>(),
                stop_reason = (string?)null,
                usage = new { input_tokens = answer.Prompt - answer.Cached, cache_read_input_tokens = answer.Cached, cache_creation_input_tokens = 0, output_tokens = 1 },
            },
        });
        var index = 0;
        if (answer.Words.Length > 0)
        {
            yield return Event("content_block_start", new { index, content_block = new { type = "text", text = "" } });
            foreach (var text in answer.Words)
                yield return Event("content_block_delta", new { index, delta = new { type = "text_delta", text } });
            yield return Event("content_block_stop", new { index });
            index++;
        }
        foreach (var call in answer.Calls)
        {
            yield return Event("content_block_start", new { index, content_block = new { type = "tool_use", id = call.Id, name = "Bash", input = new { } } });
            yield return Event("content_block_delta", new { index, delta = new { type = "input_json_delta", partial_json = Input(call) } });
            yield return Event("content_block_stop", new { index });
            index++;
        }
    }

    public IEnumerable<ServerEvent> Ending(Answer answer)
    {
        var stop_reason = answer.Ending switch { Models.Ending.Tools => "tool_use", Models.Ending.Length => "max_tokens", _ => "end_turn" };
        yield return Event("message_delta", new { delta = new { stop_reason }, usage = new { output_tokens = answer.Completion } });
        yield return Event("message_stop", new { });
    }

    private static string Input(ToolCall call) => call.InBackground
        ? JsonSerializer.Serialize(new { command = call.Command, description = "late work", run_in_background = true })
        : JsonSerializer.Serialize(new { command = call.Command });

    private static ServerEvent Event(string type, object fields)
    {
        var data = JsonSerializer.SerializeToNode(fields)!.AsObject();
        data["type"] = type;
        return new ServerEvent(type, data.ToJsonString());
    }
}
