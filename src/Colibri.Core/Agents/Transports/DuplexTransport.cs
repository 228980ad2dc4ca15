using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Transports;

/// <summary>
/// The long-lived mode of agents that print Claude's events: they take messages as JSON lines on standard input, and ask there before they use a tool
/// (<c>control_request</c>, <c>can_use_tool</c>). Everything else they print is read as in their one-shot mode.
/// </summary>
internal sealed class DuplexTransport : IAgentTransport, IDialect, IOwnEvents
{
    /// <summary>The time-out of a reply to a control request.</summary>
    public static readonly TimeSpan ReplyDeadline = TimeSpan.FromMinutes(2);

    private static readonly JsonFields RequestFields = new JsonFields("request_id", "request").With(
        "request", new("subtype", "tool_name", "tool_use_id", "input", "description", "display_name"));
    private static readonly JsonFields ReplyFields = new JsonFields("response").With("response", new("subtype", "request_id", "error"));
    private static readonly JsonFields Paths = new("file_path", "path", "notebook_path", "command");
    private static readonly IReadOnlyList<PermissionOption> Options = [new("allow", "Allow", "allow_once"), new("deny", "Deny", "reject_once")];

    private readonly IDialect _kind;
    private readonly DuplexManners _manners;
    private readonly ITransportSite _site;
    private readonly TimeProvider _time;
    private readonly PermissionDesk _desk = new();
    private readonly ConcurrentQueue<(string Call, string Tool, string Why)> _denied = new();
    private readonly EndWatch _ends;
    private readonly Lock _gate = new();
    private Task<Opening>? _opened;
    private TaskCompletionSource? _turn;
    private long _requests;
    private int _isNextDue;

    public DuplexTransport(IDialect kind, DuplexManners manners, ITransportSite site, TimeProvider time)
    {
        (_kind, _manners, _site, _time, Input) = (kind, manners, site, time, new AgentInput(time) { Overflowed = site.EndUnread });
        _ends = new EndWatch(EndTurn);
    }

    public IDialect Dialect => this;

    public AgentInput Input { get; }

    public void Prepare(ConversationWish wish) => _desk.Access = wish.Access;

    public Task<Opening> OpenAsync()
    {
        lock (_gate)
            return _opened ??= OpenNowAsync();
    }

    public async Task<RpcReply> PromptAsync(string text)
    {
        if (await OpenAsync().ConfigureAwait(false) is { Problem: not null } opening)
            return opening.ToReply();
        lock (_gate)
            _turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ends.HasAdded = false;
        return Say(text);
    }

    /// <summary>It reads them when its present request is answered, or begins another turn with them after the end of this one.</summary>
    public Task<RpcReply> AddAsync(string text, bool isAtWork)
    {
        if (!isAtWork) return PromptAsync(text);
        _ends.HasAdded = true;
        return Task.FromResult(Say(text));
    }

    public Task<RpcReply> ForgetAsync(string? model) => Task.FromResult(RpcReply.Refused("it cannot begin another conversation"));

    public bool TryAnswer(AgentQuestion question, QuestionAnswer answer)
    {
        if (_desk.Take(question.Request) is not { } permission)
            return false;
        var why = answer.IsCancelled ? "nobody answered" : "the operator refused it";
        if (permission.OptionFor(answer, question.Options) is not { } option || !Input.TrySend(AnswerTo(permission, option.Allows, why)))
        {
            _desk.Return(permission);
            return false;
        }
        if (!option.Allows)
            _denied.Enqueue((permission.Call, permission.Tool, why));
        Volatile.Write(ref _isNextDue, 1);
        _site.Poke();
        return true;
    }

    public async Task<string?> CancelAsync(TimeSpan limit)
    {
        TaskCompletionSource? turn;
        lock (_gate)
            turn = _turn;
        if (turn is null or { Task.IsCompleted: true })
            return null;
        foreach (var open in _desk.TakeAll())
            Answer(open, allows: false, "the run was stopped");
        // Its reply comes first, and then the result of the run, which tells what it has cost.
        var interrupted = ControlAsync("interrupt", "x", limit);
        var isOver = await FairWait.IsDoneAsync(turn.Task, limit, _time).ConfigureAwait(false);
        return (await interrupted.ConfigureAwait(false)).IsTaken && isOver ? "interrupted" : null;
    }

    public void Replied(string id, string? error) => Input.Replied(id, error is null ? RpcReply.Taken : RpcReply.Refused(error));

    public bool Read(ReadOnlySpan<byte> line, bool truncated, IEventSink sink, LineLook look = default)
    {
        Tell(sink);
        if (JsonLine.TryReadFirstType(line, look, out var type) && type.StartsWith("control_"u8))
        {
            if (type.SequenceEqual("control_request"u8)) return ReadRequest(line, truncated, look, sink);
            if (type.SequenceEqual("control_response"u8)) return ReadReply(line, truncated, look, sink);
            if (type.SequenceEqual("control_cancel_request"u8)) return ReadWithdrawal(line, truncated, look, sink);
        }
        return _kind.Read(line, truncated, _ends.Over(sink), look);
    }

    public bool Tell(IEventSink sink)
    {
        var any = false;
        while (_denied.TryDequeue(out var denied))
        {
            any = true;
            EmitDenied(denied, sink);
        }
        if (Interlocked.Exchange(ref _isNextDue, 0) == 0 || _desk.First is not { } next) return any;
        sink.On(default, new AgentEvent { Kind = EventKind.Asked, Name = "can_use_tool", Question = next.ToQuestion() });
        return true;
    }

    public void Complete(IEventSink sink) => Tell(sink);

    private bool ReadRequest(ReadOnlySpan<byte> line, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[8];
        if (!(truncated ? RequestFields.TryRead(line, fields) || fields[0].IsString : RequestFields.TryRead(line, look, fields))) return false;
        if (fields[0].GetString(line) is not { } request) return Emit(line, sink, new AgentEvent { Name = "control_request" });
        if (!fields[2].StringEquals(line, "can_use_tool"u8) || truncated)
        {
            Refuse(request, truncated ? "the request was too long to be read" : "this request was not offered");
            return Emit(line, sink, new AgentEvent { Name = "control_request" });
        }
        var tool = fields[3].GetString(line) ?? "tool";
        Span<JsonValue> input = stackalloc JsonValue[4];
        Paths.TryRead(line, fields[5], input);
        var permission = new Permission(request, fields[4].GetString(line) ?? "", tool, _manners.NatureOf(tool))
        {
            Title = input[3].GetString(line) ?? FirstPath(line, input) ?? fields[6].GetString(line),
            Detail = tool,
            Paths = PermissionPaths.Of(line, default, default, fields[5], isMove: false),
            Options = Options,
            Input = fields[5].Exists ? fields[5].Raw(line).ToArray() : default,
        };
        if (_desk.GoesByPlace(permission))
        {
            _ = _site.Watched("answering", DecideByPlaceAsync(permission));
            return Emit(line, sink, new AgentEvent { Name = "control_request" });
        }
        switch (_desk.Decide(permission))
        {
            case true:
                Answer(permission, allows: true, "");
                break;
            case false:
                Deny(permission, PermissionDesk.ReadAlone, sink);
                break;
            default:
                if (_desk.Add(permission) is not { } isShown) Deny(permission, "too many calls ask at once", sink);
                else if (isShown) return Emit(line, sink, new AgentEvent { Kind = EventKind.Asked, Name = "can_use_tool", Question = permission.ToQuestion() });
                break;
        }
        return Emit(line, sink, new AgentEvent { Name = "control_request" });
    }

    private async Task DecideByPlaceAsync(Permission permission)
    {
        var outside = await _site.FirstOutsideAsync(permission.Paths).ConfigureAwait(false);
        var why = outside is null ? "" : PermissionDesk.Outside(outside);
        Answer(permission, allows: outside is null, why);
        if (outside is null)
            return;
        _denied.Enqueue((permission.Call, permission.Tool, why));
        _site.Poke();
    }

    private void Deny(Permission permission, string why, IEventSink sink)
    {
        Answer(permission, allows: false, why);
        EmitDenied((permission.Call, permission.Tool, why), sink);
    }

    private bool ReadReply(ReadOnlySpan<byte> line, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[4];
        if (!(truncated ? ReplyFields.TryRead(line, fields) || fields[0].Exists : ReplyFields.TryRead(line, look, fields))) return false;
        if (fields[2].GetString(line) is { } id)
            Input.Replied(id, fields[1].StringEquals(line, "success"u8) ? RpcReply.Taken : RpcReply.Refused(fields[3].GetString(line) is { } words ? _site.Redact(words) : "it does not say why"));
        return Emit(line, sink, new AgentEvent { Name = "control_response" });
    }

    private bool ReadWithdrawal(ReadOnlySpan<byte> line, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[8];
        if (!(truncated ? RequestFields.TryRead(line, fields) || fields[0].IsString : RequestFields.TryRead(line, look, fields))) return false;
        var wasFirst = fields[0].GetString(line) is { } id && _desk.First?.Request == id;
        if (fields[0].GetString(line) is { } request) _desk.Take(request);
        if (wasFirst) Volatile.Write(ref _isNextDue, 1);
        // Nobody waits for the answer any more: the agent goes on.
        Emit(line, sink, new AgentEvent { Kind = wasFirst ? EventKind.RunResumed : EventKind.Ignored, Name = "control_cancel_request" });
        Tell(sink);
        return true;
    }

    private async Task<Opening> OpenNowAsync()
    {
        if (!_manners.Initializes)
            return Opening.New;
        var begun = await ControlAsync("initialize", "i", ReplyDeadline).ConfigureAwait(false);
        return begun.IsTaken ? Opening.New : new Opening($"it did not begin to take messages: {begun.Problem}") { HasEnded = begun.HasEnded };
    }

    private Task<RpcReply> ControlAsync(string subtype, string prefix, TimeSpan limit)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{prefix}{Interlocked.Increment(ref _requests)}");
        return Input.AskAsync(
            id,
            writer =>
            {
                writer.WriteString("type"u8, "control_request"u8);
                writer.WriteString("request_id"u8, id);
                writer.WriteStartObject("request"u8);
                writer.WriteString("subtype"u8, subtype);
                writer.WriteEndObject();
            },
            limit);
    }

    private RpcReply Say(string text) => Input.TrySend(writer =>
    {
        writer.WriteString("type"u8, "user"u8);
        writer.WriteStartObject("message"u8);
        writer.WriteString("role"u8, "user"u8);
        writer.WriteString("content"u8, text);
        writer.WriteEndObject();
        writer.WriteNull("parent_tool_use_id"u8);
        writer.WriteString("session_id"u8, ""u8);
    }) ? RpcReply.Taken : RpcReply.Unsent("it does not read its standard input");

    private void Answer(Permission permission, bool allows, string why) => Input.TryReply(AnswerTo(permission, allows, why));

    private static Action<Utf8JsonWriter> AnswerTo(Permission permission, bool allows, string why) => Response(writer =>
    {
        writer.WriteString("subtype"u8, "success"u8);
        writer.WriteString("request_id"u8, permission.Request);
        writer.WriteStartObject("response"u8);
        writer.WriteString("behavior"u8, allows ? "allow"u8 : "deny"u8);
        if (!allows)
        {
            writer.WriteString("message"u8, why);
        }
        else
        {
            writer.WritePropertyName("updatedInput"u8);
            if (permission.Input.IsEmpty)
                writer.WriteRawValue("{}"u8);
            else
                writer.WriteRawValue(permission.Input.Span);
        }
        writer.WriteEndObject();
    });

    private void Refuse(string request, string why) => Input.TryReply(Response(writer =>
    {
        writer.WriteString("subtype"u8, "error"u8);
        writer.WriteString("request_id"u8, request);
        writer.WriteString("error"u8, why);
    }));

    private static Action<Utf8JsonWriter> Response(Action<Utf8JsonWriter> write) => writer =>
    {
        writer.WriteString("type"u8, "control_response"u8);
        writer.WriteStartObject("response"u8);
        write(writer);
        writer.WriteEndObject();
    };

    private void EndTurn()
    {
        _desk.TakeAll();
        TaskCompletionSource? turn;
        lock (_gate)
            turn = _turn;
        turn?.TrySetResult();
    }

    private static string? FirstPath(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> input)
    {
        for (var i = 0; i < 3; i++)
            if (input[i].IsString) return input[i].GetString(line);
        return null;
    }

    private static void EmitDenied((string Call, string Tool, string Why) denied, IEventSink sink) => OwnLine.Emit(
        denied.Call, denied.Tool, denied.Why, sink, new AgentEvent { Kind = EventKind.Denied, Name = "can_use_tool" },
        static (ref AgentEvent e, ReadOnlySpan<JsonValue> fields) => (e.ToolId, e.ToolName, e.Error) = (fields[0], fields[1], fields[2]));

    private static bool Emit(ReadOnlySpan<byte> line, IEventSink sink, in AgentEvent agentEvent)
    {
        sink.On(line, agentEvent);
        return true;
    }

    // Sees the ends of runs, whatever the kind calls them.
    private sealed class EndWatch(Action ended) : IEventSink
    {
        private IEventSink? _sink;
        private int _hasAdded;

        /// <summary>Words were added: a turn of their own may follow the next end, which is final once nothing does.</summary>
        public bool HasAdded
        {
            set => Volatile.Write(ref _hasAdded, value ? 1 : 0);
        }

        public EndWatch Over(IEventSink sink)
        {
            _sink = sink;
            return this;
        }

        public void On(ReadOnlySpan<byte> line, in AgentEvent agentEvent)
        {
            if (agentEvent.Kind is not (EventKind.Settled or EventKind.Failed))
            {
                _sink!.On(line, agentEvent);
                return;
            }
            var mayGoOn = Interlocked.Exchange(ref _hasAdded, 0) == 1;
            _sink!.On(line, mayGoOn ? agentEvent with { Kind = agentEvent.Kind == EventKind.Settled ? EventKind.RunEnded : EventKind.RunFailed } : agentEvent);
            if (!mayGoOn) ended();
        }
    }
}

/// <summary>What differs between the agents that have this mode.</summary>
/// <param name="Initializes">It wants to be greeted before the first message.</param>
/// <param name="NatureOf">What a tool of its does, by its name.</param>
public sealed record DuplexManners(bool Initializes, Func<string, ToolNature> NatureOf);
