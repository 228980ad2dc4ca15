using Colibri.Core.Agents;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about agents.</summary>
internal sealed class AgentCommands(TaskBoard board, AgentSupervisor supervisor, KindsView kinds, string host)
{
    private const int MaxArguments = 1_000;
    private const long MaxGraceMs = 10 * 60 * 1_000;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.SpawnAgent, SpawnAsync),
        new(WireCommand.SpawnLocal, SpawnLocalAsync),
        new(WireCommand.StopAgent, StopAsync),
        new(WireCommand.PromptAgent, PromptAsync),
        new(WireCommand.AnswerAgent, AnswerAsync),
        new(WireCommand.ListAgents, ListAsync),
        new(WireCommand.ListKinds, KindsAsync),
        new(WireCommand.RegisterAgent, RegisterAsync),
        new(WireCommand.Heartbeat, HeartbeatAsync),
    ];

    private async ValueTask<Reply> SpawnAsync(CommandContext context)
    {
        var request = context.Request;
        var task = CommandContext.OptionalName(request.TaskId, "task_id") is { } name ? await board.GetAsync(name).ConfigureAwait(false) : null;
        return await StartAsync(RequestOf(context, request.Binary, "binary") with
        {
            Runtime = KnownRuntime(request.Runtime),
            Provider = CommandContext.OptionalName(request.Provider, "provider"),
            Model = CommandContext.OptionalName(request.Model, "model"),
            // Where a number names no task, the claim says so.
            TaskId = task?.Id ?? request.TaskId,
            Tenant = task?.Tenant,
            Jail = JailOf(request.Jail),
            Rpc = request.Rpc,
            Transport = TransportOf(request),
            Prompt = CommandContext.Text(request.Prompt, "prompt"),
            Access = AccessOf(request),
        }).ConfigureAwait(false);
    }

    private static Transport? TransportOf(CommandRequest request)
    {
        if (request.Transport is not { } name)
            return null;
        var transport = TransportNames.Named(name) ?? throw CommandContext.Bad("transport", $"is '{name}'; it can be {string.Join(", ", TransportNames.All)}");
        var kind = AgentProfiles.For(request.Runtime, request.Binary);
        return kind.Transports.Contains(transport)
            ? transport
            : throw CommandContext.Bad("transport", $"is '{name}', and a {kind.Name} has {string.Join(", ", kind.Transports.Select(TransportNames.Of))}");
    }

    // Whether something holds the agent to it is known where its confinement and its transport are.
    private static Access? AccessOf(CommandRequest request) => request.Access switch
    {
        null => null,
        "read" => Access.Read,
        "edit" => Access.Edit,
        "full" => Access.Full,
        _ => throw CommandContext.Bad("access", $"is '{request.Access}'; it can be read, edit, full"),
    };

    private static JailRequest? JailOf(JailRequest? jail)
    {
        if (jail is null)
            return null;
        CommandContext.OptionalName(jail.Name, "jail.name");
        CommandContext.OptionalName(jail.Path, "jail.path", 4_096);
        CommandContext.OptionalName(jail.RootPath, "jail.root_path", 4_096);
        CommandContext.OptionalName(jail.Ip4, "jail.ip4");
        CommandContext.OptionalName(jail.User, "jail.user");
        return jail;
    }

    private ValueTask<Reply> SpawnLocalAsync(CommandContext context) =>
        StartAsync(RequestOf(context, context.Request.Path, "path") with { Runtime = "local" });

    private async ValueTask<Reply> StartAsync(SpawnRequest request)
    {
        await PromptRoom.RefuseTooLongAsync(request, board.GetAsync).ConfigureAwait(false);
        var agent = await supervisor.SpawnAsync(request).ConfigureAwait(false);
        return Reply.Of(agent.ToWire(), ProtocolJson.Wire.Agent);
    }

    private ValueTask<Reply> StopAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.AgentId, "agent_id");
        var grace = context.Request.GraceMs is { } ms
            ? ms is >= 0 and <= MaxGraceMs ? TimeSpan.FromMilliseconds(ms) : throw CommandContext.Bad("grace_ms", $"is {ms}; it can be 0 to {MaxGraceMs}")
            : AgentSupervisor.DefaultGrace;
        return supervisor.TryStop(id, grace) is { } agent
            ? ValueTask.FromResult(Reply.Of(agent.ToWire(), ProtocolJson.Wire.Agent))
            : throw new RequestException(ErrorCodes.NotFound, $"no agent {id} is running; colibri list-agents shows them");
    }

    private async ValueTask<Reply> PromptAsync(CommandContext context)
    {
        var agent = Living(context);
        var text = CommandContext.Text(context.Request.Text, "text");
        if (string.IsNullOrWhiteSpace(text))
            throw CommandContext.Bad("text", "is missing");
        var reply = await agent.TellAsync(text).ConfigureAwait(false);
        if (!reply.IsTaken)
        {
            throw new RequestException(
                reply.IsAnswered ? ErrorCodes.Conflict : ErrorCodes.Unavailable, $"agent {agent.Id} did not take the prompt: {reply.Problem}");
        }
        return Reply.Of(agent.ToWire(), ProtocolJson.Wire.Agent);
    }

    private ValueTask<Reply> AnswerAsync(CommandContext context)
    {
        var request = context.Request;
        var agent = Living(context);
        var id = CommandContext.Name(request.Request, "request");
        var value = CommandContext.Text(request.Value, "value");
        if (new[] { value is not null, request.Confirmed is not null, request.Cancelled is true }.Count(given => given) != 1)
            throw CommandContext.Bad("value", "or confirmed or cancelled is wanted, one of them");
        if (agent.Question is not { } question || question.Request != id)
        {
            throw new RequestException(
                ErrorCodes.Conflict, $"agent {agent.Id} asks nothing under {id}" + (agent.Question is { } open ? $"; it asks {open.Request}" : ""));
        }
        if (question.Method == AgentQuestion.Permission)
        {
            if (value is not null && question.Options?.Contains(value, StringComparer.OrdinalIgnoreCase) is not true)
                throw CommandContext.Bad("value", $"is none of {string.Join(", ", question.Options ?? [])}; answer with one of these, or with yes or no");
        }
        else if (question.Method == "confirm" ? value is not null : request.Confirmed is not null)
            throw CommandContext.Bad(value is null ? "confirmed" : "value", $"does not answer a {question.Method}, which wants {(value is null ? "a value" : "yes or no")}");
        if (!agent.TryAnswer(id, value, request.Confirmed))
            throw new RequestException(ErrorCodes.Conflict, $"agent {agent.Id} does not ask {id} any more, or does not read its standard input");
        return ValueTask.FromResult(Reply.Of(agent.ToWire(), ProtocolJson.Wire.Agent));
    }

    private SupervisedAgent Living(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.AgentId, "agent_id");
        return supervisor.Panes.Find(id) is { HasEnded: false } agent
            ? agent
            : throw new RequestException(ErrorCodes.NotFound, $"no agent {id} is running; colibri list-agents shows them");
    }

    private async ValueTask<Reply> ListAsync(CommandContext context)
    {
        var registered = await board.RegisteredAgentsAsync().ConfigureAwait(false);
        return Reply.Of(new AgentList([.. supervisor.Agents.Select(agent => agent.ToWire()), .. registered]), ProtocolJson.Wire.AgentList);
    }

    private async ValueTask<Reply> KindsAsync(CommandContext context)
    {
        var kind = KnownRuntime(context.Request.Runtime);
        return Reply.Of(await kinds.ReadAsync(kind).ConfigureAwait(false), ProtocolJson.Wire.KindList);
    }

    private async ValueTask<Reply> RegisterAsync(CommandContext context)
    {
        var request = context.Request;
        var agent = await board.RegisterAgentAsync(
            CommandContext.Name(request.Name, "name"),
            CommandContext.Names(request.Capabilities, "capabilities"),
            CommandContext.OptionalName(request.Host, "host") ?? host).ConfigureAwait(false);
        return Reply.Of(agent, ProtocolJson.Wire.Agent);
    }

    private async ValueTask<Reply> HeartbeatAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.AgentId, "agent_id");
        return await board.HeartbeatAsync(id).ConfigureAwait(false) is { } agent
            ? Reply.Of(agent, ProtocolJson.Wire.Agent)
            : throw new RequestException(ErrorCodes.NotFound, $"there is no registered agent {id}; register-agent makes one");
    }

    private static SpawnRequest RequestOf(CommandContext context, string? program, string field)
    {
        var request = context.Request;
        var binary = CommandContext.Name(program, field, 4_096);
        if (binary.Contains('/') && !binary.StartsWith('/'))
            throw CommandContext.Bad(field, $"is '{binary}'; use an absolute path or a bare name");
        if (request.SessionId is { } session && !Core.Sessions.SessionId.IsValid(session))
            throw CommandContext.Bad("session_id", "is no session id: 1 to 128 of A-Z a-z 0-9 . _ -, not starting with a dot");
        return new SpawnRequest
        {
            Binary = binary,
            Arguments = Arguments(request.Args),
            SessionId = request.SessionId,
            Cwd = Directory(request.Cwd),
            Environment = Variables(request.Env),
        };
    }

    private static IReadOnlyList<string> Arguments(IReadOnlyList<string>? arguments)
    {
        if (arguments is null)
            return [];
        if (arguments.Count > MaxArguments)
            throw CommandContext.Bad("args", $"has {arguments.Count} entries; the limit is {MaxArguments}");
        foreach (var argument in arguments)
        {
            if (CommandContext.Text(argument, "args") is null)
                throw CommandContext.Bad("args", "holds a null");
        }
        return arguments;
    }

    private static string? Directory(string? cwd) =>
        CommandContext.OptionalName(cwd, "cwd", 4_096) is not { } directory ? null
        : directory.StartsWith('/') ? directory
        : throw CommandContext.Bad("cwd", $"is '{directory}'; use an absolute path");

    private static IReadOnlyDictionary<string, string> Variables(IReadOnlyDictionary<string, string>? variables)
    {
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0') || CommandContext.Text(value, "env") is null)
                throw CommandContext.Bad("env", $"holds '{name}', which cannot be a variable");
        }
        return variables ?? new Dictionary<string, string>();
    }

    private static string? KnownRuntime(string? runtime) =>
        runtime is null || AgentProfiles.IsKnown(runtime)
            ? runtime
            : throw CommandContext.Bad("runtime", $"is '{runtime}'; it can be {string.Join(", ", AgentProfiles.Names)}");
}
