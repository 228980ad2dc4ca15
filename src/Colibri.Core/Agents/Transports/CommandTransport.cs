using System.Globalization;
using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Transports;

/// <summary>Commands of the form that Pi and zot take: a type, an id that the response repeats, and a message.</summary>
/// <param name="dialect">How the kind is read.</param>
/// <param name="commands">What the kind calls its commands.</param>
/// <param name="time">For the time-outs of responses.</param>
internal sealed class CommandTransport(IDialect dialect, CommandNames commands, TimeProvider time) : IAgentTransport
{
    /// <summary>The time-out of a response, which says that a command was accepted, not that its work is done.</summary>
    public static readonly TimeSpan ReplyDeadline = TimeSpan.FromSeconds(30);

    private long _commands;
    private int _isStateDue = 1;

    public IDialect Dialect => dialect;

    public AgentInput Input { get; } = new(time);

    public void Prepare(ConversationWish wish)
    {
        // Its arguments say it all.
    }

    public Task<Opening> OpenAsync() => Task.FromResult(Opening.New);

    /// <summary>Asks behind the prompt for the id of the session that it is in, which some print no event of.</summary>
    public Task<RpcReply> PromptAsync(string text)
    {
        var asked = AskAsync("prompt", text);
        if (commands.State is { } state && Interlocked.Exchange(ref _isStateDue, 0) == 1)
            AskForState(state);
        return asked;
    }

    public Task<RpcReply> AddAsync(string text, bool isAtWork) => AskAsync(isAtWork && commands.Steer is { } steer ? steer : "prompt", text);

    public Task<RpcReply> ForgetAsync(string? model)
    {
        Volatile.Write(ref _isStateDue, 1);
        return commands.Forget is { } forget ? AskAsync(forget, null) : Task.FromResult(RpcReply.Taken);
    }

    public bool TryAnswer(AgentQuestion question, QuestionAnswer answer) => Input.TrySend(writer =>
    {
        writer.WriteString("type"u8, "extension_ui_response"u8);
        writer.WriteString("id"u8, question.Request);
        if (answer.Confirmed is { } yes)
            writer.WriteBoolean("confirmed"u8, yes);
        else if (answer.Value is { } value)
            writer.WriteString("value"u8, value);
        else
            writer.WriteBoolean("cancelled"u8, true);
    });

    /// <summary>The end of its input says the same, and is what it is told next.</summary>
    public Task<string?> CancelAsync(TimeSpan limit) => Task.FromResult<string?>(null);

    public void Replied(string id, string? error) => Input.Replied(id, error is null ? RpcReply.Taken : RpcReply.Refused(error));

    private void AskForState(string state)
    {
        var id = NextId();
        Input.TrySend(writer =>
        {
            writer.WriteString("id"u8, id);
            writer.WriteString("type"u8, state);
        });
    }

    private Task<RpcReply> AskAsync(string type, string? message)
    {
        var id = NextId();
        return Input.AskAsync(
            id,
            writer =>
            {
                writer.WriteString("id"u8, id);
                writer.WriteString("type"u8, type);
                if (message is not null)
                    writer.WriteString("message"u8, message);
            },
            ReplyDeadline);
    }

    private string NextId() => Interlocked.Increment(ref _commands).ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a kind calls its commands, beside <c>prompt</c>.</summary>
/// <param name="Steer">Adds to a run under way; null where the kind knows none.</param>
/// <param name="Forget">Makes it forget its conversation; null where the kind knows none.</param>
/// <param name="State">Tells its session's id; null where the kind knows none, or prints the id anyway.</param>
public sealed record CommandNames(string? Steer, string? Forget, string? State = null);
