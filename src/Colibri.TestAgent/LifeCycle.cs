using System.Globalization;
using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>The events of one run in the order in which Pi 1.5 prints them, each made when it is asked for.</summary>
internal sealed class LifeCycle(AgentOptions options, string prompt, TimeProvider time)
{
    private const string FailureText = "a failure was asked for";
    private const string OverloadText = "529: an overload was asked for";

    private readonly List<Action<Utf8JsonWriter>> _messages = [];
    private AssistantMessage? _message;
    private ToolCall? _call;
    private bool _isMessageOpen;
    private bool _isTurnOpen;
    private bool _isRetrying;

    /// <summary>The answer to the question of <c>--ask</c>, set before the run goes on after it.</summary>
    public bool Confirmed { get; set; } = true;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The run, from the first event to the one after which Pi does nothing more.</summary>
    /// <param name="isFirst">Whether this process said nothing before: then the system's message comes first.</param>
    public IEnumerable<Step> Run(bool isFirst)
    {
        // Pi's RPC mode prints no session line; its get_state has the id.
        if (!options.Rpc)
            yield return Session();
        yield return new Step("agent_start");
        yield return TurnStart();
        if (isFirst)
        {
            foreach (var step in Said(Messages.System(options.WorkingDirectory, Now)))
                yield return step;
        }
        foreach (var step in Said(Messages.User(prompt, Now)))
            yield return step;
        if (options.Stall)
        {
            yield return MessageStart(new AssistantMessage(options.Provider, options.Model, Now)) with { Stalls = true };
            yield break;
        }
        if (options.Retry)
        {
            foreach (var step in FailedAttempt())
                yield return step;
        }
        for (var turn = 1; turn <= options.Turns; turn++)
        {
            if (turn > 1)
                yield return TurnStart();
            foreach (var step in turn < options.Turns ? ToolTurn(turn) : LastTurn())
                yield return step;
        }
        yield return AgentEnd(willRetry: false);
        if (_isRetrying)
            yield return RetryEnd(success: false);
        yield return Settled(aborted: false);
    }

    /// <summary>How a run ends that was cut short after the event last asked for.</summary>
    public IEnumerable<Step> Abort()
    {
        var message = (_message ?? new AssistantMessage(options.Provider, options.Model, Now)) with
        {
            StopReason = "aborted",
            Error = "Request was aborted",
            Usage = default,
        };
        if (_isMessageOpen)
            yield return MessageEnd(message);
        if (_call is { } call)
            yield return ToolEnd(call with { Output = "aborted", IsError = true });
        if (_isTurnOpen)
            yield return TurnEnd(message, result: null);
        yield return AgentEnd(willRetry: false);
        yield return Settled(aborted: true);
    }

    private IEnumerable<Step> FailedAttempt()
    {
        foreach (var step in ErrorTurn(OverloadText))
            yield return step;
        yield return AgentEnd(willRetry: true);
        _isRetrying = true;
        yield return RetryStart();
        yield return new Step("agent_start");
        yield return TurnStart();
    }

    private IEnumerable<Step> ToolTurn(int turn)
    {
        var call = new ToolCall($"call_{turn}", $"echo step {turn}", $"step {turn}\n");
        string[] said = [$"Step {turn} of {options.Turns - 1} for \"", prompt, "\": running a command."];
        foreach (var step in Speak(said, call))
            yield return step;
        if (_isRetrying)
            yield return RetryEnd(success: true);
        if (options.Ask && turn == 1)
        {
            yield return Question(call);
            if (!Confirmed)
                call = call with { Output = "declined by the user", IsError = true };
        }
        yield return ToolStart(call);
        yield return ToolUpdate(call, "");
        yield return ToolUpdate(call, call.Output);
        yield return ToolEnd(call);
        var result = Messages.ToolResult(call, Now);
        foreach (var step in Said(result))
            yield return step;
        yield return TurnEnd(_message!, result);
    }

    private IEnumerable<Step> LastTurn()
    {
        if (options.Fail)
        {
            foreach (var step in ErrorTurn(FailureText, options.Hold))
                yield return step;
            yield break;
        }
        if (options.Ask && options.Turns == 1)
            yield return Question(call: null);
        foreach (var step in Speak(["Done: \"", prompt, "\"."], call: null))
            yield return step;
        if (_isRetrying)
            yield return RetryEnd(success: true);
        yield return TurnEnd(_message!, result: null) with { HoldAfter = options.Hold };
    }

    private IEnumerable<Step> ErrorTurn(string error, TimeSpan hold = default)
    {
        var message = new AssistantMessage(options.Provider, options.Model, Now) { StopReason = "error", Error = error };
        yield return MessageStart(message);
        yield return MessageEnd(message);
        yield return TurnEnd(message, result: null) with { HoldAfter = hold };
    }

    private IEnumerable<Step> Speak(string[] parts, ToolCall? call)
    {
        var message = new AssistantMessage(options.Provider, options.Model, Now);
        yield return MessageStart(message);
        yield return Update("text_start", contentIndex: 0);
        foreach (var part in parts)
            yield return Update("text_delta", contentIndex: 0, json => json.WriteString("delta"u8, part));
        if (call is not null)
        {
            yield return Update("toolcall_start", contentIndex: 1, json =>
            {
                json.WriteString("id"u8, call.Id);
                json.WriteString("toolName"u8, "bash"u8);
            });
            yield return Update("toolcall_delta", contentIndex: 1, json => json.WriteString("delta"u8, $"{{\"command\":\"{call.Command}\"}}"));
        }
        var text = string.Concat(parts);
        yield return Update("text_end", contentIndex: 0, json => json.WriteString("content"u8, text));
        if (call is not null)
        {
            yield return Update("toolcall_end", contentIndex: 1, json =>
            {
                json.WritePropertyName("toolCall"u8);
                call.WriteContent(json);
            });
        }
        yield return MessageEnd(message with { Text = text, Call = call, Usage = options.Usage, StopReason = call is null ? "stop" : "toolUse" });
    }

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

/// <summary>What happens between two events of a run.</summary>
internal interface IInterlude
{
    /// <summary>Lets the time pass. False: the run is to be aborted.</summary>
    bool Wait(TimeSpan duration);

    /// <summary>Waits for the answer to a question. Null: the run is to be aborted.</summary>
    bool? WaitForAnswer();

    /// <summary>Does nothing more. True: the run is to be aborted; false: the program ends.</summary>
    bool Stall();
}

/// <summary>The pauses of an agent that reads no commands: each lasts its full time, and no question is ever answered.</summary>
internal sealed class DeafInterlude : IInterlude
{
    public bool Wait(TimeSpan duration)
    {
        if (duration > TimeSpan.Zero)
            Thread.Sleep(duration);
        return true;
    }

    public bool? WaitForAnswer()
    {
        Lingering.Stay();
        return false;
    }

    public bool Stall()
    {
        Lingering.Stay();
        return false;
    }
}

/// <summary>
/// One event to print, and what is waited for after it. <see cref="Body"/> writes the members after "type".
/// </summary>
internal sealed record Step(string Type, Action<Utf8JsonWriter>? Body = null)
{
    /// <summary>Waited for besides the pause that follows every event.</summary>
    public TimeSpan HoldAfter { get; init; }

    /// <summary>This event is a question: the run goes on when it is answered.</summary>
    public bool Asks { get; init; }

    /// <summary>The next event belongs to this one: no pause and no abort comes between them.</summary>
    public bool HasSequel { get; init; }

    /// <summary>Nothing comes after this event, and the run does not end.</summary>
    public bool Stalls { get; init; }
}

/// <summary>Being there and doing nothing, as a stalled agent or a process it left behind does.</summary>
internal static class Lingering
{
    /// <summary>Long enough for every test, short enough that one which was forgotten goes away by itself.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    public static void Stay()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(Limit);
    }
}
