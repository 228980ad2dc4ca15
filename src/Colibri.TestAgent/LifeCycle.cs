using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>The events of one run in the order in which Pi 1.5 prints them, each made when it is asked for.</summary>
internal sealed partial class LifeCycle(AgentOptions options, string prompt, TimeProvider time)
{
    private const string FailureText = "503: a failure was asked for";
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
}
