using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;

namespace Colibri.Core.Agents;

/// <summary>
/// Commands to a long-lived agent on its standard input, each with an id that its response repeats. A queue feeds the one writer, so no lock is
/// held while an agent is slow to read.
/// </summary>
internal sealed class RpcChannel(TimeProvider time)
{
    /// <summary>The most commands without a response; a further one is refused.</summary>
    public const int MaxPending = 64;

    /// <summary>The time-out of a response, which says that a command was accepted, not that its work is done.</summary>
    public static readonly TimeSpan ReplyDeadline = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<RpcReply>> _pending = new(StringComparer.Ordinal);
    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxPending) { SingleReader = true });
    private long _commands;
    private int _underWay;

    /// <summary>Writes the queued lines until <see cref="Close"/>.</summary>
    public async Task PumpAsync(Func<ReadOnlyMemory<byte>, Task> write)
    {
        await foreach (var line in _lines.Reader.ReadAllAsync().ConfigureAwait(false))
            await write(line).ConfigureAwait(false);
    }

    /// <summary>Sends a command and waits for its response.</summary>
    /// <param name="type">The command's name.</param>
    /// <param name="message">Its message, or null.</param>
    public async Task<RpcReply> AskAsync(string type, string? message)
    {
        var id = Interlocked.Increment(ref _commands).ToString(CultureInfo.InvariantCulture);
        var reply = new TaskCompletionSource<RpcReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Counted apart: the dictionary's own count takes all its locks.
        if (Interlocked.Increment(ref _underWay) > MaxPending)
        {
            Interlocked.Decrement(ref _underWay);
            return RpcReply.Unsent("it has not answered the commands before");
        }
        _pending[id] = reply;
        if (!TrySend(writer =>
        {
            writer.WriteString("id"u8, id);
            writer.WriteString("type"u8, type);
            if (message is not null)
                writer.WriteString("message"u8, message);
        }))
        {
            var unread = RpcReply.Unsent("it does not read its standard input");
            Complete(id, unread);
            return unread;
        }
        if (!await FairWait.IsDoneAsync(reply.Task, ReplyDeadline, time).ConfigureAwait(false))
            Complete(id, RpcReply.Unanswered($"it did not answer within {ReplyDeadline.TotalSeconds:0} s"));
        return await reply.Task.ConfigureAwait(false);
    }

    /// <summary>Sends a line that has no response.</summary>
    /// <returns>False where the agent is gone, or reads nothing.</returns>
    public bool TrySend(Action<Utf8JsonWriter> write)
    {
        var line = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(line))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        line.Write("\n"u8);
        return _lines.Writer.TryWrite(line.WrittenSpan.ToArray());
    }

    /// <summary>Sends the answer to a question. The agent does not acknowledge it; it goes on.</summary>
    /// <returns>False where the agent is gone, or reads nothing.</returns>
    public bool TryAnswer(string request, string? value, bool? confirmed) => TrySend(writer =>
    {
        writer.WriteString("type"u8, "extension_ui_response"u8);
        writer.WriteString("id"u8, request);
        if (confirmed is { } yes)
            writer.WriteBoolean("confirmed"u8, yes);
        else if (value is not null)
            writer.WriteString("value"u8, value);
        else
            writer.WriteBoolean("cancelled"u8, true);
    });

    /// <summary>The agent has answered the command of that id.</summary>
    public void Replied(string id, string? error) => Complete(id, error is null ? RpcReply.Taken : RpcReply.Refused(error));

    /// <summary>The agent has ended, or was asked to: sends no more lines, and completes all waits for a response.</summary>
    public void Close()
    {
        _lines.Writer.TryComplete();
        foreach (var id in _pending.Keys)
            Complete(id, RpcReply.Unanswered("it has ended"));
    }

    private void Complete(string id, RpcReply reply)
    {
        if (!_pending.TryRemove(id, out var waiting))
            return;
        Interlocked.Decrement(ref _underWay);
        waiting.TrySetResult(reply);
    }
}

/// <summary>What became of a command to an agent.</summary>
/// <param name="IsTaken">The agent has taken it.</param>
/// <param name="IsAnswered">The agent has answered at all.</param>
/// <param name="Problem">Why not, in the agent's words or in ours; null when it was taken.</param>
public sealed record RpcReply(bool IsTaken, bool IsAnswered, string? Problem)
{
    public static RpcReply Taken { get; } = new(true, true, null);

    public static RpcReply Refused(string problem) => new(false, true, problem);

    /// <summary>Whether the agent can have read it.</summary>
    public bool IsSent { get; private init; } = true;

    public static RpcReply Unsent(string problem) => new(false, false, problem) { IsSent = false };

    public static RpcReply Unanswered(string problem) => new(false, false, problem);
}
