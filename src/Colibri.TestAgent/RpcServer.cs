using System.Diagnostics;
using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>
/// The agent of <c>--rpc</c>: a run for every prompt, and answers to commands while one is played. When stdin ends, the run under
/// way is played to its end without its pauses, so that what a closed stdin leaves of it does not depend on time.
/// </summary>
internal sealed class RpcServer(AgentOptions options, EventLines lines, CommandReader commands) : IInterlude
{
    private const string BusyText = "Agent is already processing.";

    private AgentCommand? _abort;
    private bool? _confirmed;
    private bool _isBusy;

    /// <summary>Returns when stdin has ended.</summary>
    public void Serve()
    {
        var performance = new Performance(options, lines, this);
        var isFirst = true;
        while (commands.TryTake(Timeout.InfiniteTimeSpan, out var command))
        {
            if (command is not { Type: "prompt", Message: { } prompt })
            {
                Answer(command);
                continue;
            }
            Respond(command, data: json => json.WriteString("disposition"u8, "started"u8));
            _isBusy = true;
            _confirmed = null;
            performance.Play(new LifeCycle(options, prompt, TimeProvider.System), isFirst);
            _isBusy = false;
            isFirst = false;
            if (_abort is { } abort)
                Respond(abort);
            _abort = null;
        }
    }

    public bool Wait(TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        TimeSpan left;
        do
        {
            left = duration - Stopwatch.GetElapsedTime(started);
            if (commands.TryTake(left > TimeSpan.Zero ? left : TimeSpan.Zero, out var command))
                Answer(command);
        }
        while (_abort is null && !commands.HasEnded && left > TimeSpan.Zero);
        return _abort is null;
    }

    public bool? WaitForAnswer()
    {
        // An answer may have come before its question, from a script that pipes in all its lines at once.
        while (_abort is null && _confirmed is null && commands.TryTake(Timeout.InfiniteTimeSpan, out var command))
            Answer(command);
        return _abort is null ? _confirmed ?? false : null;
    }

    public bool Stall()
    {
        while (_abort is null && commands.TryTake(Timeout.InfiniteTimeSpan, out var command))
            Answer(command);
        return _abort is not null;
    }

    private void Answer(AgentCommand command)
    {
        switch (command.Type)
        {
            case "extension_ui_response":
                if (command.Id is { ValueKind: JsonValueKind.String } id && id.ValueEquals(LifeCycle.QuestionId(options)))
                    _confirmed = command.Confirmed;
                break;
            case "abort" when _isBusy:
                // Answered when the run is over, as Pi does.
                _abort ??= command;
                break;
            case "abort":
                Respond(command);
                break;
            case "steer" when _isBusy && command.Message is not null:
                Respond(command);
                break;
            case "new_session" when !_isBusy:
                Respond(command, data: json => json.WriteBoolean("cancelled"u8, false));
                break;
            case "get_state":
                Respond(command, data: WriteState);
                break;
            case "prompt":
                Respond(command, error: _isBusy ? BusyText : "prompt needs a message");
                break;
            default:
                Respond(command, error: command.Error ?? $"Unknown command: {command.Type}");
                break;
        }
    }

    private void WriteState(Utf8JsonWriter json)
    {
        json.WriteStartObject("model"u8);
        json.WriteString("id"u8, options.Model);
        json.WriteString("provider"u8, options.Provider);
        json.WriteEndObject();
        json.WriteBoolean("isStreaming"u8, _isBusy);
        json.WriteString("sessionId"u8, options.SessionId);
    }

    private void Respond(AgentCommand command, string? error = null, Action<Utf8JsonWriter>? data = null) => lines.WriteResponse(json =>
    {
        if (command.Id is { } id)
        {
            json.WritePropertyName("id"u8);
            id.WriteTo(json);
        }
        json.WriteString("type"u8, "response"u8);
        json.WriteString("command"u8, command.Type);
        json.WriteBoolean("success"u8, error is null);
        if (error is not null)
            json.WriteString("error"u8, error);
        if (data is null)
            return;
        json.WriteStartObject("data"u8);
        data(json);
        json.WriteEndObject();
    });
}
