using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;

namespace Colibri.Core.Agents.Transports;

/// <summary>
/// The standard input of a long-lived agent: lines to it, and the replies to those that bear an id. A queue feeds the one writer, so no lock is
/// held while an agent is slow to read. A command that finds no room is refused. An answer to what the agent asks is never dropped while the agent lives: it
/// would wait for it for ever, so an agent that leaves too many unread is ended.
/// </summary>
internal sealed class AgentInput(TimeProvider time)
{
    /// <summary>The most lines that wait to be read, and the most commands without a reply; a further one is refused.</summary>
    public const int MaxPending = 64;

    /// <summary>The most answers that wait to be read, beside those lines. At a further one the agent is ended.</summary>
    public const int MaxAnswers = 1_024;

    /// <summary>The most bytes of answers that wait to be read: some repeat what was asked. At more the agent is ended.</summary>
    public const int MaxAnswerBytes = 16 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, TaskCompletionSource<RpcReply>> _pending = new(StringComparer.Ordinal);
    private readonly Channel<Waiting> _lines = Channel.CreateUnbounded<Waiting>(new UnboundedChannelOptions { SingleReader = true });
    private int _underWay;
    private int _unread;
    private int _answers;
    private long _answerBytes;
    private volatile bool _isClosed;

    /// <summary>Called with the cause when answers find no room, more than once: the agent is to be ended.</summary>
    public Action<string>? Overflowed { get; init; }

    /// <summary>Writes the queued lines until <see cref="Close"/>.</summary>
    public async Task PumpAsync(Func<ReadOnlyMemory<byte>, Task> write)
    {
        await foreach (var (line, isAnswer) in _lines.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            Leave(line.Length, isAnswer);
            await write(line).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a line and waits for the reply to it.</summary>
    /// <param name="id">What the reply repeats.</param>
    /// <param name="write">Writes the properties of the line.</param>
    /// <param name="deadline">The time-out of the reply.</param>
    public async Task<RpcReply> AskAsync(string id, Action<Utf8JsonWriter> write, TimeSpan deadline)
    {
        var reply = new TaskCompletionSource<RpcReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Counted apart: the dictionary's own count takes all its locks.
        if (Interlocked.Increment(ref _underWay) > MaxPending)
        {
            Interlocked.Decrement(ref _underWay);
            return RpcReply.Unsent("it has not answered the commands before");
        }
        _pending[id] = reply;
        if (!TrySend(write))
        {
            var unread = _isClosed ? Gone : RpcReply.Unsent("it does not read its standard input");
            Complete(id, unread);
            return unread;
        }
        if (!await FairWait.IsDoneAsync(reply.Task, deadline, time).ConfigureAwait(false))
            Complete(id, RpcReply.Unanswered($"it did not answer within {deadline.TotalSeconds:0} s"));
        return await reply.Task.ConfigureAwait(false);
    }

    /// <summary>Sends a line that has no reply.</summary>
    /// <returns>False where the agent is gone, or reads nothing.</returns>
    public bool TrySend(Action<Utf8JsonWriter> write)
    {
        if (Interlocked.Increment(ref _unread) <= MaxPending && _lines.Writer.TryWrite(new Waiting(LineOf(write), IsAnswer: false)))
            return true;
        Interlocked.Decrement(ref _unread);
        return false;
    }

    /// <summary>Sends the answer to what the agent has asked, which it waits for.</summary>
    /// <returns>False where the agent is gone, or is ended because it reads nothing.</returns>
    public bool TryReply(Action<Utf8JsonWriter> write)
    {
        var line = LineOf(write);
        var (answers, bytes) = (Interlocked.Increment(ref _answers), Interlocked.Add(ref _answerBytes, line.Length));
        var fits = answers <= MaxAnswers && bytes <= MaxAnswerBytes;
        if (fits && _lines.Writer.TryWrite(new Waiting(line, IsAnswer: true)))
            return true;
        Leave(line.Length, isAnswer: true);
        if (!fits && !_isClosed)
            Overflowed?.Invoke(string.Create(CultureInfo.InvariantCulture, $"it does not read its standard input: {answers - 1} answers to what it has asked wait there"));
        return false;
    }

    private void Leave(int bytes, bool isAnswer)
    {
        if (!isAnswer)
        {
            Interlocked.Decrement(ref _unread);
            return;
        }
        Interlocked.Decrement(ref _answers);
        Interlocked.Add(ref _answerBytes, -bytes);
    }

    private static byte[] LineOf(Action<Utf8JsonWriter> write)
    {
        var line = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(line))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        line.Write("\n"u8);
        return line.WrittenSpan.ToArray();
    }

    /// <summary>The agent has replied to the line of that id.</summary>
    /// <returns>False where no reply of that id is awaited.</returns>
    public bool Replied(string id, RpcReply reply) => Complete(id, reply);

    /// <summary>The agent has ended, or was asked to: sends no more lines, and completes all waits for a reply.</summary>
    public void Close()
    {
        _isClosed = true;
        _lines.Writer.TryComplete();
        foreach (var id in _pending.Keys)
            Complete(id, Gone);
    }

    private static RpcReply Gone { get; } = RpcReply.Unanswered("it has ended") with { HasEnded = true };

    private bool Complete(string id, RpcReply reply)
    {
        if (!_pending.TryRemove(id, out var waiting))
            return false;
        Interlocked.Decrement(ref _underWay);
        waiting.TrySetResult(reply);
        return true;
    }

    private readonly record struct Waiting(byte[] Line, bool IsAnswer);
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

    /// <summary>The line of the reply, where whoever asked wants more of it than whether the command was taken; else empty.</summary>
    public ReadOnlyMemory<byte> Line { get; init; }

    /// <summary>The number of the error that the agent answered with; 0 without one.</summary>
    public long Code { get; init; }

    /// <summary>The agent has ended, or was asked to.</summary>
    public bool HasEnded { get; init; }

    public static RpcReply Unsent(string problem) => new(false, false, problem) { IsSent = false };

    public static RpcReply Unanswered(string problem) => new(false, false, problem);
}
