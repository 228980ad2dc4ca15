using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Transports;

/// <summary>
/// What an agent says in the Agent Client Protocol. A run is the time from a prompt to its response; what comes outside of it changes nothing. A message
/// comes in chunks, and is told whole at its end. A tool call is told once, whether it is announced, asked about or only updated. Long because the
/// messages of one protocol change the same state.
/// </summary>
/// <remarks>One thread at a time reads; the methods that tell of what was sent may be called from any.</remarks>
internal sealed class AcpDialect(AcpManners manners, PermissionDesk desk, AcpTransport transport, TimeProvider time) : IDialect, IOwnEvents
{
    /// <summary>The most calls of one run that are told apart; beyond it the oldest is forgotten.</summary>
    public const int MaxCalls = 512;

    /// <summary>The most bytes of a message that are collected, as they stand in the lines; a longer one is told in parts.</summary>
    public const int MaxMessageBytes = 1 << 20;

    /// <summary>How long after its session was loaded an agent may tell of its history that comes late. What it says then is work.</summary>
    public static readonly TimeSpan LateReplay = TimeSpan.FromSeconds(5);

    private const int MaxIdChars = 256;
    private const int Cancelled = -32800;

    private static readonly JsonFields Top = new("id", "method", "params", "result", "error");
    private static readonly JsonFields UpdateParams = new("sessionId", "update");
    private static readonly JsonFields Chunk = new JsonFields("sessionUpdate", "content", "messageId", "_meta", "cost").With("content", new("type", "text"));
    private static readonly JsonFields Meta = new("usage", "quota");
    private static readonly JsonFields Plan = new("entries");
    private static readonly JsonFields Step = new("content", "status");
    private static readonly JsonFields Called = new("toolCallId", "title", "kind", "status", "rawInput", "rawOutput", "content", "locations", "name", "_meta");
    private static readonly JsonFields Block = new JsonFields("type", "content").With("content", new("type", "text"));
    private static readonly JsonFields Ask = new("sessionId", "toolCall", "options");
    private static readonly JsonFields Option = new("optionId", "name", "kind");
    private static readonly JsonFields File = new("path", "content");
    private static readonly JsonFields Command = new("command");
    private static readonly JsonFields Outcome = new("stopReason", "usage", "_meta");
    private static readonly JsonFields Usage = new("inputTokens", "outputTokens", "cachedReadTokens", "cachedWriteTokens");
    private static readonly JsonFields Quota = new JsonFields("token_count").With("token_count", new("input_tokens", "output_tokens"));
    private static readonly JsonFields State = new("state");
    private static readonly JsonFields Cost = new("amount");
    private static readonly JsonFields Error = new JsonFields("code", "message", "data").With("data", new("errorKind", "details"));

    private readonly byte[][] _failures = Bytes(manners.Failures);
    private readonly byte[][] _retries = Bytes(manners.Retries);
    private readonly byte[][] _notices = Bytes(manners.Notices);
    private readonly JsonFields[] _toolName = [.. manners.ToolName.Select(name => new JsonFields(name))];
    private readonly ConcurrentQueue<OwnEvent> _own = new();
    private readonly Dictionary<string, Call> _calls = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly ArrayBufferWriter<byte> _message = new();
    private ulong _messageId;
    private StopReason _stop;
    private byte[] _failure = [];
    private long? _cost;
    private Turn? _begun;
    private volatile Turn? _turn;
    private volatile bool _isReplaying;
    private volatile bool _isDraft;
    private long _loadedAt;
    private volatile string? _session;

    /// <summary>Version 2 is spoken: the response to a prompt takes it, and the state of the session says when its turn is over.</summary>
    public bool IsDraft
    {
        get => _isDraft;
        set => _isDraft = value;
    }

    /// <summary>A session is asked for: what comes until it is loaded is its history, which is no work.</summary>
    public void BeginReplay()
    {
        Volatile.Write(ref _loadedAt, 0);
        _isReplaying = true;
    }

    /// <summary>The agent has answered that request.</summary>
    /// <param name="isLate">The history may still come.</param>
    public void EndReplay(bool isLate)
    {
        if (isLate) Volatile.Write(ref _loadedAt, time.GetTimestamp());
        else _isReplaying = false;
    }

    /// <summary>A conversation stands.</summary>
    public void Opened(string session)
    {
        (_session, _cost) = (session, null);
        _own.Enqueue(new OwnEvent(OwnEventKind.Opened, session, "", ""));
    }

    /// <summary>A prompt is about to be sent. Its run begins with the first sign of it.</summary>
    /// <param name="id">The id of its request.</param>
    /// <param name="over">Completed with the reason of its end when that is read.</param>
    public void Prompted(string id, TaskCompletionSource<string> over) => _turn = new Turn(id, over);

    /// <summary>It could not be sent.</summary>
    public void Unprompted(string id)
    {
        if (_turn?.Id == id) _turn = null;
    }

    /// <summary>The run was asked to end.</summary>
    public void Cancelling()
    {
        if (_turn is { } turn) turn.IsCancelled = true;
    }

    /// <summary>A permission is about to be refused: what the agent says of its turn then may be read before this caller goes on.</summary>
    public void Rejecting()
    {
        if (_turn is { } turn) turn.HasRejected = true;
    }

    /// <summary>A permission was refused.</summary>
    public void Rejected(Permission permission, string why)
    {
        Rejecting();
        _own.Enqueue(new OwnEvent(OwnEventKind.Denied, permission.Call, permission.Tool, why));
    }

    /// <summary>A permission was answered: the next one is to be shown.</summary>
    public void ShowNext() => _own.Enqueue(new OwnEvent(OwnEventKind.Next, "", "", ""));

    public bool Read(ReadOnlySpan<byte> line, bool truncated, IEventSink sink, LineLook look = default)
    {
        Span<JsonValue> top = stackalloc JsonValue[5];
        if (!(truncated ? Top.TryRead(line, top) || top[1].IsString || top[0].Exists : Top.TryRead(line, look, top))) return false;
        Tell(sink);
        if (top[1].StringEquals(line, "session/update"u8)) return ReadUpdate(line, top[2], truncated, sink);
        if (top[1].IsString)
        {
            if (top[0].Exists && top[0].Kind != ValueKind.Null) ReadRequest(line, IdOf(line, top[0]), top[1], top[2], sink);
            return Emit(line, sink, new AgentEvent { UnknownName = top[1], IsPartial = truncated });
        }
        return top[0].Exists ? ReadReply(line, top, sink) : Emit(line, sink, new AgentEvent { IsPartial = truncated });
    }

    public bool Tell(IEventSink sink)
    {
        var any = false;
        while (_own.TryDequeue(out var own))
        {
            any = true;
            switch (own.Kind)
            {
                case OwnEventKind.Opened:
                    OwnLine.Emit(own.Id, own.Name, own.Text, sink, new AgentEvent { Kind = EventKind.SessionOpened, Name = "session/new" }, static (ref AgentEvent e, ReadOnlySpan<JsonValue> fields) => e.SessionId = fields[0]);
                    break;
                case OwnEventKind.Denied:
                    Deny(own, sink);
                    break;
                case OwnEventKind.Next when desk.First is { } next:
                    sink.On(default, new AgentEvent { Kind = EventKind.Asked, Name = "session/request_permission", Question = next.ToQuestion() });
                    break;
            }
        }
        return any;
    }

    public void Complete(IEventSink sink)
    {
        Tell(sink);
        EndMessage(sink);
    }

    private void BeginRun(Turn turn, IEventSink sink)
    {
        if (_begun == turn) return;
        _begun = turn;
        _calls.Clear();
        _order.Clear();
        _message.ResetWrittenCount();
        (_messageId, _stop, _failure) = (0, StopReason.None, []);
        sink.On(default, new AgentEvent { Kind = EventKind.RunStarted, Name = "session/prompt" });
    }

    private bool ReadUpdate(ReadOnlySpan<byte> line, JsonValue parameters, bool truncated, IEventSink sink)
    {
        Span<JsonValue> update = stackalloc JsonValue[2];
        UpdateParams.TryRead(line, parameters, update);
        Span<JsonValue> fields = stackalloc JsonValue[7];
        Chunk.TryRead(line, update[1], fields);
        var name = fields[0];
        // What a sub-agent does in a session of its own is part of the run, and its words are not the agent's.
        var isNested = update[0].IsString && _session is { } own && update[0].GetString(line) != own;
        if (_isDraft && !isNested && name.StringEquals(line, "state_update"u8)) return ReadState(line, update[1], truncated, sink);
        if (name.StringEquals(line, "usage_update"u8)) return ReadCost(line, isNested || _isReplaying ? default : fields[4], sink);
        if (_isReplaying && Volatile.Read(ref _loadedAt) is > 0 and var loaded && (name.StringEquals(line, "available_commands_update"u8) || time.GetElapsedTime(loaded) > LateReplay))
            _isReplaying = false;
        var isCall = name.StringEquals(line, "tool_call"u8);
        var isWork = isCall || name.StringEquals(line, "tool_call_update"u8) || name.StringEquals(line, "plan"u8)
            || name.StringEquals(line, "agent_message_chunk"u8) || name.StringEquals(line, "agent_thought_chunk"u8);
        // What comes late belongs to a run that is over.
        if (!isWork || _turn is not { } turn || _isReplaying) return Emit(line, sink, new AgentEvent { UnknownName = name, IsPartial = truncated });
        BeginRun(turn, sink);
        if (name.StringEquals(line, "agent_message_chunk"u8)) return ReadChunk(line, fields, isNested, truncated, sink);
        if (name.StringEquals(line, "agent_thought_chunk"u8))
        {
            EndMessage(sink);
            return Emit(line, sink, new AgentEvent { Kind = EventKind.Working, Name = "agent_thought_chunk" });
        }
        if (name.StringEquals(line, "plan"u8)) return Emit(line, sink, new AgentEvent { Kind = EventKind.Working, Name = "plan", Plan = isNested ? null : ReadPlan(line, update[1]) });
        EndMessage(sink);
        ReadCall(line, update[1], isCall ? "tool_call" : "tool_call_update", isNested, truncated, sink);
        return true;
    }

    /// <summary>How far a plan has come: an update tells it whole.</summary>
    private static PlanProgress? ReadPlan(ReadOnlySpan<byte> line, JsonValue told)
    {
        Span<JsonValue> plan = stackalloc JsonValue[1];
        Plan.TryRead(line, told, plan);
        if (plan[0].Kind != ValueKind.Array) return null;
        var (done, total, current) = (0, 0, (string?)null);
        Span<JsonValue> step = stackalloc JsonValue[2];
        var steps = new JsonElements(line, plan[0]);
        while (steps.Next())
        {
            total++;
            if (!Step.TryRead(line, steps.Current, step)) continue;
            if (step[1].StringEquals(line, "completed"u8)) done++;
            else if (current is null && step[1].StringEquals(line, "in_progress"u8) && step[0].IsString) current = step[0].GetString(line);
        }
        return new PlanProgress(done, total, current);
    }

    // Idle before the agent has taken the prompt, or told anything of it, is the rest before it.
    private bool ReadState(ReadOnlySpan<byte> line, JsonValue told, bool truncated, IEventSink sink)
    {
        Span<JsonValue> state = stackalloc JsonValue[1];
        State.TryRead(line, told, state);
        if (_turn is { } turn && (turn.IsTaken || _begun == turn) && state[0].StringEquals(line, "idle"u8))
        {
            EndRun(line, turn, [default, default, default, told, default], new JsonValue[5], sink);
            return true;
        }
        return Emit(line, sink, new AgentEvent { Name = "state_update", IsPartial = truncated });
    }

    private bool ReadChunk(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> fields, bool isNested, bool truncated, IEventSink sink)
    {
        ReadRequestUsage(line, fields[3], sink);
        if (!isNested) EndCalls(sink);
        var text = fields[5].StringEquals(line, "text"u8) ? fields[6] : default;
        var id = fields[2].IsString ? RunningTools.Hash(fields[2].Raw(line)) : 0;
        var raw = text.IsString ? text.Raw(line) : default;
        if (id != _messageId || IsOneOf(raw, _failures) || IsOneOf(raw, _retries)) EndMessage(sink);
        _messageId = id;
        if (isNested) return Emit(line, sink, new AgentEvent { Kind = EventKind.Working, Name = "agent_message_chunk" });
        if (IsOneOf(raw, _retries)) return Emit(line, sink, new AgentEvent { Kind = EventKind.Retrying, Name = "agent_message_chunk", WillRetry = true });
        if (raw.Length > 0)
        {
            if (_message.WrittenCount == 0) _message.Write("\""u8);
            _message.Write(raw);
            if (_message.WrittenCount > MaxMessageBytes) EndMessage(sink);
        }
        return Emit(line, sink, new AgentEvent { Kind = EventKind.Working, Name = "agent_message_chunk", IsPartial = truncated });
    }

    /// <summary>Tells the message that was collected, whole.</summary>
    private void EndMessage(IEventSink sink)
    {
        if (_message.WrittenCount == 0) return;
        _message.Write("\""u8);
        var line = _message.WrittenSpan;
        var text = new JsonValue(ValueKind.String, HasEscapes: line.Contains((byte)'\\'), 1, line.Length - 2);
        var isFailure = IsOneOf(text.Raw(line), _failures);
        (_stop, _failure) = isFailure ? (StopReason.Error, line.ToArray()) : (StopReason.None, []);
        var said = new AgentEvent { Kind = EventKind.MessageEnded, Name = "agent_message_chunk", Text = text, Stop = isFailure ? StopReason.Error : StopReason.Stop };
        if (isFailure) said.Error = text;
        else said.IsAnswer = !IsOneOf(text.Raw(line), _notices);
        sink.On(line, said);
        _message.ResetWrittenCount();
    }

    private Call? ReadCall(ReadOnlySpan<byte> line, JsonValue told, string name, bool isNested, bool truncated, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[10];
        if (!Called.TryRead(line, told, fields) || fields[0].GetString(line) is not { Length: <= MaxIdChars } id)
        {
            sink.On(line, new AgentEvent { Kind = EventKind.Working, Name = name, IsPartial = truncated });
            return null;
        }
        var hasInput = fields[4] is { Kind: ValueKind.Object, Length: > 2 } or { IsString: true, Length: > 0 };
        var isNew = !_calls.TryGetValue(id, out var call);
        if (call is null)
        {
            if (_order.Count == MaxCalls) _calls.Remove(_order.Dequeue());
            _order.Enqueue(id);
            _calls[id] = call = new Call();
        }
        if (fields[2].IsString) (call.Nature, call.IsMove) = (NatureOf(line, fields[2]), fields[2].StringEquals(line, "move"u8));
        var read = new AgentEvent { Kind = EventKind.ToolProgress, Name = name, ToolId = fields[0], IsNested = isNested };
        NameTool(line, fields, ref read);
        read.Arguments = hasInput ? fields[4] : fields[1];
        if (isNew)
        {
            call.LacksArguments = !hasInput;
            sink.On(line, read with { Kind = EventKind.ToolStarted, ArgumentsFollow = !hasInput });
        }
        else if (hasInput && call is { LacksArguments: true, HasEnded: false })
        {
            call.LacksArguments = false;
            sink.On(line, read with { Kind = EventKind.ToolCalled });
        }
        var hasFailed = fields[3].StringEquals(line, "failed"u8);
        if (!call.HasEnded && (hasFailed || fields[3].StringEquals(line, "completed"u8)) && desk.Drop(id)) Withdraw(sink);
        if (call.HasEnded || !(hasFailed || fields[3].StringEquals(line, "completed"u8)))
        {
            if (!isNew) sink.On(line, read with { IsPartial = truncated && !fields[3].Exists });
            return call;
        }
        call.HasEnded = true;
        EmitEnd(line, read with { Kind = EventKind.ToolEnded, IsError = hasFailed }, fields[6], fields[5], sink);
        return call;
    }

    // Nobody waits for the answer to the permission that is shown: the agent goes on, or asks for the next one.
    private void Withdraw(IEventSink sink)
    {
        sink.On(default, new AgentEvent { Kind = EventKind.RunResumed, Name = "session/request_permission" });
        ShowNext();
        Tell(sink);
    }

    private void EndCalls(IEventSink sink)
    {
        if (!manners.OmitsEnds) return;
        foreach (var (id, call) in _calls)
        {
            if (call.HasEnded) continue;
            call.HasEnded = true;
            OwnLine.Emit(id, "", "", sink, new AgentEvent { Kind = EventKind.ToolEnded, Name = "tool_call" }, static (ref AgentEvent e, ReadOnlySpan<JsonValue> fields) => e.ToolId = fields[0]);
        }
    }

    // The last words of a call: the text of its content, else what it printed.
    private static void EmitEnd(ReadOnlySpan<byte> line, AgentEvent end, JsonValue content, JsonValue output, IEventSink sink)
    {
        Span<JsonValue> block = stackalloc JsonValue[4];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
        {
            if (!Block.TryRead(line, blocks.Current, block) || !block[2].StringEquals(line, "text"u8) || !block[3].IsString) continue;
            end.Text = block[3];
            break;
        }
        if (!end.Text.Exists && output.IsString) end.Text = output;
        sink.On(line, end);
    }

    // The tool's own name where the agent tells it, else what kind of tool it is, else what people are shown.
    private void NameTool(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> fields, ref AgentEvent read)
    {
        read.ToolName = fields[8];
        if (!read.ToolName.IsString && _toolName.Length > 0)
        {
            Span<JsonValue> inner = stackalloc JsonValue[1];
            read.ToolName = fields[9];
            foreach (var name in _toolName)
                read.ToolName = name.TryRead(line, read.ToolName, inner) ? inner[0] : default;
        }
        if (read.ToolName.IsString) return;
        read.ToolName = fields[2].IsString && !fields[2].StringEquals(line, "other"u8) ? fields[2] : fields[1];
    }

    private void ReadRequest(ReadOnlySpan<byte> line, string request, JsonValue method, JsonValue parameters, IEventSink sink)
    {
        if (method.StringEquals(line, "session/request_permission"u8))
        {
            ReadPermission(line, request, parameters, sink);
            return;
        }
        Span<JsonValue> file = stackalloc JsonValue[2];
        if (method.StringEquals(line, "fs/write_text_file"u8) && File.TryRead(line, parameters, file) && file[0].IsString && file[1].IsString)
            transport.WriteFile(request, file[0].GetString(line)!, file[1].GetString(line)!);
        else
            transport.RefuseRequest(request);
    }

    // Whatever session it is asked for: one that nobody answers waits for ever.
    private void ReadPermission(ReadOnlySpan<byte> line, string request, JsonValue parameters, IEventSink sink)
    {
        if (_turn is { } turn) BeginRun(turn, sink);
        EndMessage(sink);
        Span<JsonValue> asked = stackalloc JsonValue[3];
        Span<JsonValue> fields = stackalloc JsonValue[10];
        Ask.TryRead(line, parameters, asked);
        var call = ReadCall(line, asked[1], "session/request_permission", isNested: false, truncated: false, sink);
        Called.TryRead(line, asked[1], fields);
        AgentEvent named = default;
        NameTool(line, fields, ref named);
        var permission = new Permission(
            request,
            fields[0].GetString(line) ?? "",
            named.ToolName.GetString(line) ?? "tool",
            call?.Nature is null or ToolNature.Other ? manners.NatureOf(named.ToolName.GetString(line) ?? "") : call.Nature)
        {
            Title = fields[1].GetString(line),
            Detail = DetailOf(line, fields),
            Paths = PermissionPaths.Of(line, fields[7], fields[6], fields[4], (call?.IsMove ?? false) || fields[2].StringEquals(line, "move"u8)),
            Options = OptionsOf(line, asked[2]),
        };
        _isReplaying = false;
        if (_turn is { IsCancelled: true })
        {
            transport.Answer(permission, null);
            return;
        }
        if (desk.GoesByPlace(permission))
        {
            transport.DecideByPlace(permission);
            return;
        }
        switch (desk.Decide(permission))
        {
            case true:
                transport.Answer(permission, permission.OptionFor(new QuestionAnswer(null, Confirmed: true)));
                break;
            case false:
                Refuse(permission, PermissionDesk.ReadAlone, sink);
                break;
            default:
                if (desk.Add(permission) is not { } isShown) Refuse(permission, "too many calls ask at once", sink);
                else if (isShown) sink.On(line, new AgentEvent { Kind = EventKind.Asked, Name = "session/request_permission", Question = permission.ToQuestion() });
                break;
        }
    }

    private void Refuse(Permission permission, string why, IEventSink sink)
    {
        transport.Answer(permission, permission.OptionFor(new QuestionAnswer(null, Confirmed: false)));
        Rejected(permission, why);
        Tell(sink);
    }

    private void Deny(OwnEvent denied, IEventSink sink)
    {
        if (_calls.TryGetValue(denied.Id, out var call)) call.HasEnded = true;
        OwnLine.Emit(denied.Id, denied.Name, denied.Text, sink, new AgentEvent { Kind = EventKind.ToolEnded, Name = "session/request_permission", IsDenied = true, IsError = true }, static (ref AgentEvent e, ReadOnlySpan<JsonValue> fields) =>
        {
            (e.ToolId, e.ToolName, e.Text) = (fields[0], fields[1], fields[2]);
        });
    }

    private bool ReadReply(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> top, IEventSink sink)
    {
        var id = top[0].IsString ? top[0].GetString(line)! : IdOf(line, top[0]);
        Span<JsonValue> error = stackalloc JsonValue[5];
        Error.TryRead(line, top[4], error);
        if (_turn is { } turn && turn.Id == id)
        {
            if (_isDraft && top[4].Kind != ValueKind.Object)
            {
                turn.IsTaken = true;
                return Emit(line, sink, new AgentEvent { Name = "response" });
            }
            EndRun(line, turn, top, error, sink);
            return true;
        }
        var reply = top[4].Kind == ValueKind.Object
            ? RpcReply.Refused(transport.Redact(Words(line, error))) with { Code = error[0].Int64OrZero(line) }
            : RpcReply.Taken with { Line = line.ToArray() };
        transport.Input.Replied(id, reply);
        return Emit(line, sink, new AgentEvent { Name = "response" });
    }

    private void EndRun(ReadOnlySpan<byte> line, Turn turn, ReadOnlySpan<JsonValue> top, ReadOnlySpan<JsonValue> error, IEventSink sink)
    {
        var isFirst = _begun != turn;
        BeginRun(turn, sink);
        EndMessage(sink);
        if (top[3].Kind == ValueKind.Object) EndCalls(sink);
        _turn = null;
        _isReplaying = false;
        desk.TakeAll();
        Span<JsonValue> result = stackalloc JsonValue[3];
        Outcome.TryRead(line, top[3], result);
        var end = new AgentEvent { Kind = EventKind.Settled, Name = "response", Stop = StopReason.Stop };
        var reason = result[0].GetString(line) ?? "error";
        if (top[4].Kind == ValueKind.Object)
        {
            var code = error[0].Int64OrZero(line);
            end.Kind = EventKind.Failed;
            // The answer to a request that was cancelled is no failure of the agent.
            end.Stop = code == Cancelled || turn.IsCancelled ? StopReason.Aborted : error[3].StringEquals(line, "max_output_tokens"u8) ? StopReason.Length : StopReason.Error;
            if (end.Stop == StopReason.Error) end.Error = error[1].IsString && !(error[1].StringEquals(line, "Internal error"u8) && error[4].IsString) ? error[1] : error[4];
            end.IsPromptRefusal = isFirst && end.Stop == StopReason.Error;
            if (code is >= 100 and <= 599) end.Refusal = new ProviderRefusal((int)code);
            if (code == Cancelled || turn.IsCancelled) reason = "cancelled";
        }
        else if (result[0].StringEquals(line, "max_tokens"u8) || result[0].StringEquals(line, "max_turn_requests"u8))
        {
            (end.Kind, end.Stop, end.Error) = (EventKind.Failed, StopReason.Length, result[0]);
        }
        else if (result[0].StringEquals(line, "refusal"u8))
        {
            (end.Kind, end.Stop, end.Error) = (EventKind.Failed, StopReason.Error, result[0]);
        }
        // Some say so of a turn in which a permission was refused: nobody has cancelled it.
        else if (result[0].StringEquals(line, "cancelled"u8) && (turn.IsCancelled || !turn.HasRejected))
        {
            (end.Kind, end.Stop) = (EventKind.Failed, StopReason.Aborted);
        }
        if (end.Kind == EventKind.Settled && _stop == StopReason.Error)
        {
            ReadUsage(line, result, ref end);
            if (end.Usage is not null) sink.On(line, new AgentEvent { Kind = EventKind.UsageReported, Name = "response", Usage = end.Usage, Totals = end.Totals });
            sink.On(_failure, new AgentEvent
            {
                Kind = EventKind.Failed,
                Name = "response",
                Stop = StopReason.Error,
                Error = new JsonValue(ValueKind.String, HasEscapes: true, 1, _failure.Length - 2),
            });
        }
        else
        {
            ReadUsage(line, result, ref end);
            sink.On(line, end);
        }
        turn.Over.TrySetResult(reason);
    }

    // The cost is told beside, as a total of the session.
    private void ReadUsage(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> result, ref AgentEvent end)
    {
        Span<JsonValue> usage = stackalloc JsonValue[4];
        Span<JsonValue> meta = stackalloc JsonValue[2];
        Span<JsonValue> quota = stackalloc JsonValue[3];
        long input, output, cached = 0, written = 0;
        if (Usage.TryRead(line, result[1], usage))
        {
            (input, output) = (LineDialect.Count(line, usage[0]), LineDialect.Count(line, usage[1]));
            (cached, written) = (LineDialect.Count(line, usage[2]), LineDialect.Count(line, usage[3]));
            if (manners.CountsCached) input = Math.Max(0, input - cached - written);
        }
        else if (Meta.TryRead(line, result[2], meta) && Quota.TryRead(line, meta[1], quota) && quota[1].Exists)
        {
            (input, output) = (LineDialect.Count(line, quota[1]), LineDialect.Count(line, quota[2]));
        }
        else
        {
            return;
        }
        end.Usage = UsageReport.Of(input, output, cached, written, _cost);
        if (_cost is not null) end.Totals = UsageTotals.Cost;
    }

    private void ReadRequestUsage(ReadOnlySpan<byte> line, JsonValue told, IEventSink sink)
    {
        Span<JsonValue> meta = stackalloc JsonValue[2];
        Span<JsonValue> usage = stackalloc JsonValue[4];
        if (!Meta.TryRead(line, told, meta) || !Usage.TryRead(line, meta[0], usage) || !usage[0].Exists) return;
        var cached = LineDialect.Count(line, usage[2]);
        sink.On(line, new AgentEvent
        {
            Kind = EventKind.UsageReported,
            Name = "agent_message_chunk",
            Usage = UsageReport.Of(Math.Max(0, LineDialect.Count(line, usage[0]) - cached), LineDialect.Count(line, usage[1]), cached, 0, microcents: null),
        });
    }

    private bool ReadCost(ReadOnlySpan<byte> line, JsonValue told, IEventSink sink)
    {
        Span<JsonValue> cost = stackalloc JsonValue[1];
        var read = new AgentEvent { Kind = EventKind.Ignored, Name = "usage_update" };
        if (Cost.TryRead(line, told, cost) && LineDialect.Microcents(line, cost[0]) is { } microcents)
        {
            _cost = Math.Max(_cost ?? 0, microcents);
            read.Kind = EventKind.UsageReported;
            read.Usage = UsageReport.Of(0, 0, 0, 0, microcents);
            read.Totals = UsageTotals.Cost;
        }
        return Emit(line, sink, read);
    }

    private static ToolNature NatureOf(ReadOnlySpan<byte> line, JsonValue kind)
    {
        if (kind.StringEquals(line, "read"u8) || kind.StringEquals(line, "search"u8) || kind.StringEquals(line, "think"u8)) return ToolNature.Reads;
        if (kind.StringEquals(line, "edit"u8) || kind.StringEquals(line, "delete"u8) || kind.StringEquals(line, "move"u8)) return ToolNature.Writes;
        return kind.StringEquals(line, "execute"u8) || kind.StringEquals(line, "fetch"u8) ? ToolNature.Executes : ToolNature.Other;
    }

    private static string? DetailOf(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> fields)
    {
        Span<JsonValue> command = stackalloc JsonValue[1];
        var words = Command.TryRead(line, fields[4], command) ? command[0].GetString(line) : null;
        if (words is null || fields[1].StringEquals(line, Encoding.UTF8.GetBytes(words))) words = null;
        var kind = fields[2].GetString(line);
        return (kind, words) switch
        {
            (null, null) => null,
            (null, _) => words,
            (_, null) => kind,
            _ => $"{kind}: {words}",
        };
    }

    private static List<PermissionOption> OptionsOf(ReadOnlySpan<byte> line, JsonValue options)
    {
        const int MaxOptions = 32;
        List<PermissionOption> read = [];
        Span<JsonValue> fields = stackalloc JsonValue[3];
        var all = new JsonElements(line, options);
        while (all.Next() && read.Count < MaxOptions)
        {
            if (Option.TryRead(line, all.Current, fields) && fields[0].GetString(line) is { } id)
                read.Add(new PermissionOption(id, fields[1].GetString(line) ?? id, fields[2].GetString(line) ?? ""));
        }
        return read;
    }

    private static string Words(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> error)
    {
        var (message, details) = (error[1].GetString(line), error[4].GetString(line));
        return (message, details) switch
        {
            (null, null) => "it does not say why",
            (_, null) => message!,
            (null, _) => details,
            _ => message!.Contains(details, StringComparison.Ordinal) ? message : $"{message}: {details}",
        };
    }

    private static bool Emit(ReadOnlySpan<byte> line, IEventSink sink, in AgentEvent agentEvent)
    {
        sink.On(line, agentEvent);
        return true;
    }

    private static byte[][] Bytes(IReadOnlyList<string> texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    private static bool IsOneOf(ReadOnlySpan<byte> text, byte[][] beginnings)
    {
        foreach (var beginning in beginnings)
            if (text.StartsWith(beginning)) return true;
        return false;
    }

    private static string IdOf(ReadOnlySpan<byte> line, JsonValue id) =>
        id.IsString ? $"\"{Encoding.UTF8.GetString(id.Raw(line))}\"" : Encoding.UTF8.GetString(id.Raw(line));

    private sealed class Call
    {
        public ToolNature Nature { get; set; }
        public bool IsMove { get; set; }
        public bool LacksArguments { get; set; }
        public bool HasEnded { get; set; }
    }

    private sealed class Turn(string id, TaskCompletionSource<string> over)
    {
        private volatile bool _isCancelled;
        private volatile bool _hasRejected;

        public string Id => id;

        public TaskCompletionSource<string> Over => over;

        public bool IsTaken { get; set; }

        public bool IsCancelled
        {
            get => _isCancelled;
            set => _isCancelled = value;
        }

        public bool HasRejected
        {
            get => _hasRejected;
            set => _hasRejected = value;
        }
    }

    private enum OwnEventKind
    {
        Opened,
        Denied,
        Next,
    }

    private readonly record struct OwnEvent(OwnEventKind Kind, string Id, string Name, string Text);
}
