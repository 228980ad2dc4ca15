using System.Text.Json;

namespace Colibri.EndToEndTests.Models.Responses;

/// <summary>OpenAI's responses, streamed, as Codex asks for them.</summary>
internal sealed class ResponsesApi : IModelApi
{
    public string Path => "/v1/responses";

    public IEnumerable<Utterance> Read(JsonElement request)
    {
        foreach (var item in request.GetProperty("input").EnumerateArray())
        {
            var said = item.TryGetProperty("role", out var role) && role.GetString() == "user" ? item.GetProperty("content").GetRawText() : null;
            yield return new Utterance(said, item.TryGetProperty("type", out var type) && type.GetString() == "function_call_output");
        }
    }

    public IEnumerable<ServerEvent> Opening(Answer answer)
    {
        yield return Event("response.created", new { response = new { id = Id(answer) } });
        var output_index = 0;
        if (answer.Words.Length > 0)
        {
            yield return Event("response.output_item.done", new
            {
                output_index = output_index++,
                item = new { type = "message", role = "assistant", id = $"msg_{answer.Number}", content = new[] { new { type = "output_text", text = string.Concat(answer.Words) } } },
            });
        }
        foreach (var call in answer.Calls)
        {
            yield return Event("response.output_item.done", new
            {
                output_index = output_index++,
                item = new { type = "function_call", id = $"fc_{call.Id}", call_id = call.Id, name = "exec_command", arguments = JsonSerializer.Serialize(new { cmd = call.Command }) },
            });
        }
    }

    public IEnumerable<ServerEvent> Ending(Answer answer)
    {
        var usage = new
        {
            input_tokens = answer.Prompt,
            input_tokens_details = new { cached_tokens = answer.Cached },
            output_tokens = answer.Completion,
            output_tokens_details = new { reasoning_tokens = answer.Reasoning },
            total_tokens = answer.Prompt + answer.Completion,
        };
        yield return answer.Ending == Models.Ending.Length
            ? Event("response.incomplete", new { response = new { id = Id(answer), incomplete_details = new { reason = "max_output_tokens" }, usage } })
            : Event("response.completed", new { response = new { id = Id(answer), usage } });
    }

    private static string Id(Answer answer) => $"resp_{answer.Number}";

    private static ServerEvent Event(string type, object fields)
    {
        var data = JsonSerializer.SerializeToNode(fields)!.AsObject();
        data["type"] = type;
        return new ServerEvent(type, data.ToJsonString());
    }
}
