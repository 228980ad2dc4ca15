using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Settings;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Transports;

/// <summary>
/// The client's side of the Agent Client Protocol, version 1, and of version 2 where that is asked for: JSON-RPC 2.0, one message a line. It offers neither files nor terminals, so the agent does
/// its own work where it is confined. How what comes back is read is in <see cref="AcpDialect"/>.
/// </summary>
/// <remarks>Source: agentclientprotocol.com, docs/protocol/v1 and schema/v1; what agents do in fact is held by recordings.</remarks>
internal sealed class AcpTransport : IAgentTransport
{
    /// <summary>The version of the protocol that is stable.</summary>
    public const int Version = 1;

    /// <summary>The version that is a draft. The response to a prompt only takes it there; the session's state says when the turn is over.</summary>
    public const int DraftVersion = 2;

    /// <summary>The time from the start until a prompt can be sent. Some agents take twenty seconds to their first line.</summary>
    public static readonly TimeSpan OpeningDeadline = TimeSpan.FromMinutes(2);

    private const int AuthRequired = -32000;
    private const int MethodNotFound = -32601;
    private const int InternalError = -32603;

    private readonly AcpManners _manners;
    private readonly ITransportSite _site;
    private readonly AcpDialect _dialect;
    private readonly PermissionDesk _desk = new();
    private readonly Lock _gate = new();
    private ConversationWish _wish = new("/");
    private Task<Opening>? _opened;
    private string? _session;
    private long _requests;
    private ReadOnlyMemory<byte> _choices;
    private volatile string _step = "initialize";
    private TaskCompletionSource<string>? _turn;

    public AcpTransport(AcpManners manners, ITransportSite site, TimeProvider time)
    {
        (_manners, _site, Input, Time) = (manners, site, new AgentInput(time) { Overflowed = site.EndUnread }, time);
        _dialect = new AcpDialect(manners, _desk, this, time);
    }

    public IDialect Dialect => _dialect;

    public AgentInput Input { get; }

    private TimeProvider Time { get; }

    /// <summary>The request that opens the conversation and was sent last.</summary>
    internal string Step => _step;

    public void Prepare(ConversationWish wish) => (_wish, _desk.Access) = (wish, wish.Access);

    public Task<Opening> OpenAsync()
    {
        lock (_gate)
            return _opened ??= OpenInTimeAsync();
    }

    public async Task<RpcReply> PromptAsync(string text)
    {
        var opening = await OpenAsync().ConfigureAwait(false);
        if (opening.Problem is not null)
            return opening.ToReply();
        TaskCompletionSource<string> turn;
        lock (_gate)
        {
            if (_turn is { Task.IsCompleted: false })
                return RpcReply.Refused("it is at work, and takes no words until its run is over");
            _turn = turn = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        var id = NextId();
        _dialect.Prompted(id, turn);
        var isSent = Send(id, "session/prompt", writer =>
        {
            writer.WriteString("sessionId"u8, _session);
            writer.WriteStartArray("prompt"u8);
            writer.WriteStartObject();
            writer.WriteString("type"u8, "text"u8);
            writer.WriteString("text"u8, text);
            writer.WriteEndObject();
            writer.WriteEndArray();
        });
        if (!isSent)
        {
            _dialect.Unprompted(id);
            turn.TrySetResult("");
            return RpcReply.Unsent("it does not read its standard input");
        }
        _site.Poke();
        return RpcReply.Taken;
    }

    public Task<RpcReply> AddAsync(string text, bool isAtWork) => isAtWork
        ? Task.FromResult(RpcReply.Refused("it takes no words until its run is over: the protocol has no request for that"))
        : PromptAsync(text);

    public async Task<RpcReply> ForgetAsync(string? model)
    {
        _wish = _wish with { Model = model };
        var opening = await OpenAsync().ConfigureAwait(false);
        if (opening.Problem is null)
            opening = await MakeSessionAsync([]).ConfigureAwait(false);
        return opening.ToReply();
    }

    public bool TryAnswer(AgentQuestion question, QuestionAnswer answer)
    {
        if (_desk.Take(question.Request) is not { } permission)
            return false;
        var option = permission.OptionFor(answer, question.Options);
        if (option is not { Allows: true })
            _dialect.Rejecting();
        if ((option is null && answer.Value is not null) || !Input.TrySend(AnswerTo(permission, option)))
        {
            _desk.Return(permission);
            return false;
        }
        if (option is not { Allows: true })
            _dialect.Rejected(permission, answer.IsCancelled ? "nobody answered" : "the operator refused it");
        _dialect.ShowNext();
        _site.Poke();
        return true;
    }

    public async Task<string?> CancelAsync(TimeSpan limit)
    {
        TaskCompletionSource<string>? turn;
        lock (_gate)
            turn = _turn;
        if (turn is null or { Task.IsCompleted: true } || _session is not { } session)
            return null;
        _dialect.Cancelling();
        var isSent = Input.TrySend(writer =>
        {
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WriteString("method"u8, "session/cancel"u8);
            writer.WriteStartObject("params"u8);
            writer.WriteString("sessionId"u8, session);
            writer.WriteEndObject();
        });
        if (!isSent)
            return null;
        foreach (var open in _desk.TakeAll())
            Answer(open, null);
        return await FairWait.IsDoneAsync(turn.Task, limit, Time).ConfigureAwait(false) ? await turn.Task.ConfigureAwait(false) : null;
    }

    public void Replied(string id, string? error)
    {
        // The dialect hands replies on itself, with their lines.
    }

    /// <summary>Answers a permission that nobody is asked about.</summary>
    /// <param name="permission">The permission.</param>
    /// <param name="option">The option; null says that its turn is cancelled, or that it has no option to reject.</param>
    internal void Answer(Permission permission, PermissionOption? option) => Input.TryReply(AnswerTo(permission, option));

    private static Action<Utf8JsonWriter> AnswerTo(Permission permission, PermissionOption? option) => Response(permission.Request, writer =>
    {
        writer.WriteStartObject("result"u8);
        writer.WriteStartObject("outcome"u8);
        writer.WriteString("outcome"u8, option is null ? "cancelled"u8 : "selected"u8);
        if (option is not null)
            writer.WriteString("optionId"u8, option.Id);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>The agent's words as they may be shown.</summary>
    internal string Redact(string words) => _site.Redact(words);

    /// <summary>Answers a permission once it is known where its files lie.</summary>
    internal void DecideByPlace(Permission permission) => _ = _site.Watched("answering", DecideByPlaceAsync(permission));

    private async Task DecideByPlaceAsync(Permission permission)
    {
        var outside = await _site.FirstOutsideAsync(permission.Paths).ConfigureAwait(false);
        if (outside is not null)
            _dialect.Rejecting();
        Answer(permission, permission.OptionFor(new QuestionAnswer(null, Confirmed: outside is null)));
        if (outside is null)
            return;
        _dialect.Rejected(permission, PermissionDesk.Outside(outside));
        _site.Poke();
    }

    /// <summary>Says that a request asks for what was not offered.</summary>
    internal void RefuseRequest(string request) => Fail(request, MethodNotFound, "method not found");

    /// <summary>
    /// Writes a file for an agent that asks for it although nobody offered: such an agent takes it for written, so it must be, or the agent must hear why not.
    /// </summary>
    internal void WriteFile(string request, string path, string text) => _ = _site.Watched("writing a file for", WriteFileAsync(request, path, text));

    private async Task WriteFileAsync(string request, string path, string text)
    {
        var problem = _desk.Access == Access.Read ? "access = \"read\" allows no writes" : await _site.WriteFileAsync(path, text).ConfigureAwait(false);
        if (problem is null)
            Input.TryReply(Response(request, static writer => writer.WriteNull("result"u8)));
        else
            Fail(request, InternalError, $"{path} was not written: {problem}");
    }

    private async Task<Opening> OpenInTimeAsync()
    {
        var steps = OpenNowAsync();
        if (await FairWait.IsDoneAsync(steps, OpeningDeadline, Time).ConfigureAwait(false))
            return await steps.ConfigureAwait(false);
        return new Opening($"it opened no conversation within {OpeningDeadline.TotalSeconds:0} s: {_step} is not answered");
    }

    private async Task<Opening> OpenNowAsync()
    {
        var begun = await AskAsync("initialize", writer =>
        {
            writer.WriteNumber("protocolVersion"u8, _wish.AcpVersion);
            WriteInfo(writer, "clientInfo"u8);
            // The draft's names, beside those of version 1: the agent may answer that it speaks that.
            if (_wish.AcpVersion == DraftVersion)
            {
                WriteInfo(writer, "info"u8);
                writer.WriteStartObject("capabilities"u8);
                writer.WriteEndObject();
            }
            writer.WriteStartObject("clientCapabilities"u8);
            writer.WriteStartObject("fs"u8);
            writer.WriteBoolean("readTextFile"u8, false);
            writer.WriteBoolean("writeTextFile"u8, false);
            writer.WriteEndObject();
            writer.WriteBoolean("terminal"u8, false);
            writer.WriteEndObject();
        }).ConfigureAwait(false);
        if (!begun.IsTaken)
            return Failed("it did not begin the Agent Client Protocol", begun);
        var offer = AcpReplies.ReadOffer(begun.Line);
        if (offer.Version != Version && offer.Version != _wish.AcpVersion)
            return new Opening(string.Create(CultureInfo.InvariantCulture, $"it speaks version {offer.Version} of the Agent Client Protocol, and Colibri speaks {Version}")
                + (offer.Version == DraftVersion ? "; acp_version = 2 in its profile tries version 2" : ""));
        _dialect.IsDraft = offer.Version == DraftVersion;
        if (_manners.AuthMethod is { } method)
            await AskAsync("authenticate", writer => writer.WriteString("methodId"u8, method)).ConfigureAwait(false);
        if (_wish.Earlier is { } earlier && offer.LoadsSessions && await LoadAsync(earlier).ConfigureAwait(false))
            return await ChooseAsync().ConfigureAwait(false) with { IsResumed = true };
        return await MakeSessionAsync(offer.AuthMethods).ConfigureAwait(false);
    }

    private void WriteInfo(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteStartObject(name);
        writer.WriteString("name"u8, "colibri"u8);
        writer.WriteString("title"u8, "Colibri"u8);
        writer.WriteString("version"u8, _site.ClientVersion);
        writer.WriteEndObject();
    }

    private static Opening Failed(string what, RpcReply reply) => new($"{what}: {reply.Problem}") { HasEnded = reply.HasEnded };

    private async Task<bool> LoadAsync(string earlier)
    {
        _dialect.BeginReplay();
        var loaded = await AskAsync("session/load", writer =>
        {
            writer.WriteString("sessionId"u8, earlier);
            WritePlace(writer);
        }).ConfigureAwait(false);
        _dialect.EndReplay(isLate: loaded.IsTaken && _manners.ReplaysLate);
        if (!loaded.IsTaken)
            return false;
        SetSession(earlier, loaded.Line);
        return true;
    }

    private async Task<Opening> MakeSessionAsync(IReadOnlyList<string> authMethods)
    {
        var made = await AskAsync("session/new", WritePlace).ConfigureAwait(false);
        if (!made.IsTaken)
        {
            return made.Code == AuthRequired && authMethods.Count > 0
                ? new Opening($"it wants to be signed in, and nobody can do that here: {made.Problem}; sign in as its user by one of: {Listed(authMethods)}")
                : Failed("it made no session", made);
        }
        if (AcpReplies.ReadSession(made.Line) is not { } session)
            return new Opening("it made a session and did not name it");
        SetSession(session, made.Line);
        return await ChooseAsync().ConfigureAwait(false);
    }

    private void SetSession(string session, ReadOnlyMemory<byte> line)
    {
        (_session, _choices) = (session, line);
        _dialect.Opened(session);
        _site.Poke();
    }

    /// <summary>Sets mode and model of the session, where they are not those wished for.</summary>
    private async Task<Opening> ChooseAsync()
    {
        var choices = AcpReplies.ReadChoices(_choices);
        _choices = default;
        if (_manners.AskingMode is { } mode && _wish.Access is not (null or Access.Full) && choices.Mode != mode)
        {
            if (!choices.Modes.Contains(mode))
                return new Opening($"it has no mode {mode}, in which it asks before it acts: it has {Listed(choices.Modes)}");
            var set = await AskAsync("session/set_mode", writer =>
            {
                writer.WriteString("sessionId"u8, _session);
                writer.WriteString("modeId"u8, mode);
            }).ConfigureAwait(false);
            if (!set.IsTaken)
                return Failed($"it did not take the mode {mode}, in which it asks before it acts", set);
        }
        if (_wish.Model is not { } model || _manners.ModelByArgument || choices.Model == model)
            return Opening.New;
        var chosen = choices.ModelOption is { } option
            ? await AskAsync("session/set_config_option", writer =>
            {
                writer.WriteString("sessionId"u8, _session);
                writer.WriteString("configId"u8, option);
                writer.WriteString("value"u8, model);
            }).ConfigureAwait(false)
            : await AskAsync("session/set_model", writer =>
            {
                writer.WriteString("sessionId"u8, _session);
                writer.WriteString("modelId"u8, model);
            }).ConfigureAwait(false);
        return chosen.IsTaken ? Opening.New : Failed($"it did not take the model {model}", chosen);
    }

    // What an agent lists is its words, as all that it says.
    private string Listed(IReadOnlyList<string> ids) => _site.Redact(string.Join(", ", ids));

    private void WritePlace(Utf8JsonWriter writer)
    {
        writer.WriteString("cwd"u8, _wish.Directory);
        writer.WriteStartArray("mcpServers"u8);
        writer.WriteEndArray();
    }

    private Task<RpcReply> AskAsync(string method, Action<Utf8JsonWriter> parameters)
    {
        _step = method;
        var id = NextId();
        return Input.AskAsync(id, writer => WriteRequest(writer, id, method, parameters), OpeningDeadline);
    }

    private bool Send(string id, string method, Action<Utf8JsonWriter> parameters) => Input.TrySend(writer => WriteRequest(writer, id, method, parameters));

    private static void WriteRequest(Utf8JsonWriter writer, string id, string method, Action<Utf8JsonWriter> parameters)
    {
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(id);
        writer.WriteString("method"u8, method);
        writer.WriteStartObject("params"u8);
        parameters(writer);
        writer.WriteEndObject();
    }

    private static Action<Utf8JsonWriter> Response(string request, Action<Utf8JsonWriter> write) => writer =>
    {
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(request);
        write(writer);
    };

    private void Fail(string request, int code, string message) => Input.TryReply(Response(request, writer =>
    {
        writer.WriteStartObject("error"u8);
        writer.WriteNumber("code"u8, code);
        writer.WriteString("message"u8, message);
        writer.WriteEndObject();
    }));

    private string NextId() => Interlocked.Increment(ref _requests).ToString(CultureInfo.InvariantCulture);
}
