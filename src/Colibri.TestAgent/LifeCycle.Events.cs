using System.Globalization;
using System.Text.Json;

namespace Colibri.TestAgent;

// Every event's own members, and what is open after it.
internal sealed partial class LifeCycle
{
    /// <summary>The id of the question that <c>--ask</c> makes a run ask, and that its answer carries.</summary>
    public static string QuestionId(AgentOptions options) => $"question-{options.SessionId}";

    private Step Session() => new("session", json =>
    {
        json.WriteNumber("version"u8, 3);
        json.WriteString("id"u8, options.SessionId);
        json.WriteString("timestamp"u8, time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteString("cwd"u8, options.WorkingDirectory);
    });

    private Step TurnStart()
    {
        _isTurnOpen = true;
        _message = null;
        return new Step("turn_start");
    }

    private Step TurnEnd(AssistantMessage message, Action<Utf8JsonWriter>? result)
    {
        _isTurnOpen = false;
        return new Step("turn_end", json =>
        {
            json.WritePropertyName("message"u8);
            Messages.Assistant(message)(json);
            json.WriteStartArray("toolResults"u8);
            result?.Invoke(json);
            json.WriteEndArray();
        });
    }

    // A message of the system, the user or a tool: it starts and ends with the same content.
    private IEnumerable<Step> Said(Action<Utf8JsonWriter> message)
    {
        _messages.Add(message);
        yield return AboutMessage("message_start", message) with { HasSequel = true };
        yield return AboutMessage("message_end", message);
    }

    private Step MessageStart(AssistantMessage message)
    {
        _message = message;
        _isMessageOpen = true;
        return AboutMessage("message_start", Messages.Assistant(message));
    }

    private Step MessageEnd(AssistantMessage message)
    {
        _message = message;
        _isMessageOpen = false;
        var body = Messages.Assistant(message);
        _messages.Add(body);
        return AboutMessage("message_end", body);
    }

    private static Step AboutMessage(string type, Action<Utf8JsonWriter> message) => new(type, json =>
    {
        json.WritePropertyName("message"u8);
        message(json);
    });

    // Like Pi's, every update repeats the message's whole usage: a reader that adds them up counts it many times.
    private Step Update(string kind, int contentIndex, Action<Utf8JsonWriter>? body = null) => new("message_update", json =>
    {
        Messages.WriteUsage(json, options.Usage);
        json.WriteStartObject("assistantMessageEvent"u8);
        json.WriteString("type"u8, kind);
        json.WriteNumber("contentIndex"u8, contentIndex);
        body?.Invoke(json);
        json.WriteEndObject();
    });

    private Step Question(ToolCall? call)
    {
        return new Step("extension_ui_request", json =>
        {
            json.WriteString("id"u8, QuestionId(options));
            json.WriteString("method"u8, "confirm"u8);
            json.WriteString("title"u8, "Go on?"u8);
            json.WriteString("message"u8, call is null ? "Answer the prompt" : $"Run: {call.Command}");
        })
        {
            Asks = true,
        };
    }

    private Step ToolStart(ToolCall call)
    {
        _call = call;
        return new Step("tool_execution_start", json =>
        {
            call.WriteNames(json);
            call.WriteArguments(json, "args");
        });
    }

    private static Step ToolUpdate(ToolCall call, string output) => new("tool_execution_update", json =>
    {
        call.WriteNames(json);
        call.WriteArguments(json, "args");
        ToolCall.WriteOutput(json, "partialResult", output);
    });

    private Step ToolEnd(ToolCall call)
    {
        _call = null;
        return new Step("tool_execution_end", json =>
        {
            call.WriteNames(json);
            ToolCall.WriteOutput(json, "result", call.Output);
            json.WriteBoolean("isError"u8, call.IsError);
        });
    }

    private static Step RetryStart() => new("auto_retry_start", json =>
    {
        json.WriteNumber("attempt"u8, 1);
        json.WriteNumber("maxAttempts"u8, 3);
        json.WriteNumber("delayMs"u8, 0);
        json.WriteString("errorMessage"u8, OverloadText);
    });

    private Step RetryEnd(bool success)
    {
        _isRetrying = false;
        return new Step("auto_retry_end", json =>
        {
            json.WriteBoolean("success"u8, success);
            json.WriteNumber("attempt"u8, 1);
            if (!success)
                json.WriteString("finalError"u8, FailureText);
        });
    }

    // The whole conversation since the last agent_end, as Pi repeats it there.
    private Step AgentEnd(bool willRetry)
    {
        var messages = _messages.ToArray();
        _messages.Clear();
        return new Step("agent_end", json =>
        {
            json.WriteStartArray("messages"u8);
            foreach (var message in messages)
                message(json);
            json.WriteEndArray();
            json.WriteBoolean("willRetry"u8, willRetry);
        });
    }

    private static Step Settled(bool aborted) => new("agent_settled", json => json.WriteBoolean("aborted"u8, aborted));
}
