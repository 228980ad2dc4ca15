using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>Agents: those the daemon starts, and those that come from outside.</summary>
internal sealed class AgentCommands(BoundCommand bound)
{
    private static readonly PositionalSpec Kind = PositionalSpec.Of(WireCommand.ListKinds.Field("runtime")) with
    {
        Value = "KIND",
        Choices = [.. Runtimes.All.Where(kind => kind != "local")],
    };

    private static readonly PositionalSpec AgentId = PositionalSpec.Of(WireCommand.StopAgent.Field("agent_id"));

    public static readonly CommandSpec[] All =
    [
        new(WireCommand.SpawnAgent, CommandGroup.Agents)
        {
            Positional = PositionalSpec.Of(WireCommand.SpawnAgent.Field("binary")) with { IsPath = true },
            Options =
            [
                OptionSpec.Text(WireCommand.SpawnAgent.Field("task_id"), "TASK_ID"),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("session_id"), "ID"),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("prompt"), "TEXT").OrStdin(),
                OptionSpec.OneOf(WireCommand.SpawnAgent.Field("runtime"), "NAME", Runtimes.All),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("provider"), "NAME"),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("model"), "NAME"),
                OptionSpec.PathOf("--cwd", "DIR", "where it runs (here)"),
                OptionSpec.Pairs(WireCommand.SpawnAgent.Field("env")),
                OptionSpec.Flag(WireCommand.SpawnAgent.Field("rpc")),
                OptionSpec.OneOf(WireCommand.SpawnAgent.Field("transport"), "NAME", Runtimes.Transports),
                OptionSpec.OneOf(WireCommand.SpawnAgent.Field("access"), "NAME", Choices.Accesses),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("jail.name"), "NAME"),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("jail.path"), "DIR"),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("jail.root_path"), "DIR"),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("jail.ip4"), "ADDRESS"),
                OptionSpec.Text(WireCommand.SpawnAgent.Field("jail.user"), "USER"),
            ],
            TakesRest = true,
            Example = "spawn-agent pi --task-id 019a8b1c-… -- --mode json",
        },
        new(WireCommand.SpawnLocal, CommandGroup.Agents)
        {
            IsSeldom = true,
            Positional = PositionalSpec.Of(WireCommand.SpawnLocal.Field("path")) with { IsPath = true },
            Options = [OptionSpec.Text(WireCommand.SpawnLocal.Field("session_id"), "ID")],
            TakesRest = true,
            Example = "spawn-local ./colibri-test-agent -- --step-ms 50",
        },
        new(WireCommand.StopAgent, CommandGroup.Agents)
        {
            Positional = AgentId,
            Options = [OptionSpec.Number(WireCommand.StopAgent.Field("grace_ms"))],
            Example = "stop-agent 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 --grace-ms 2000",
        },
        new(WireCommand.PromptAgent, CommandGroup.Agents)
        {
            Positional = AgentId,
            Second = PositionalSpec.Of(WireCommand.PromptAgent.Field("text")).OrStdin(),
            Example = "prompt 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 'Run the tests as well'",
            Note = "An agent at rest begins a run; one that works takes it in before its next step.",
        },
        new(WireCommand.AnswerAgent, CommandGroup.Agents)
        {
            Positional = AgentId,
            Options =
            [
                OptionSpec.Text(WireCommand.AnswerAgent.Field("request"), "ID") with
                {
                    Required = false,
                    Summary = "the question, as snapshot shows it (the one that is open)",
                },
                OptionSpec.Text(WireCommand.AnswerAgent.Field("value"), "TEXT"),
                OptionSpec.Flag("--yes", "to a confirm, or allows a permission once"),
                OptionSpec.Flag("--no", "to a confirm, or refuses a permission once"),
                OptionSpec.Flag("--cancel", "no answer: the agent goes on without"),
            ],
            Example = "answer a5 --yes",
            Note = "A script that has read a question names it with --request, and then never answers a later one.",
        },
        new(WireCommand.ListAgents, CommandGroup.Agents)
        {
            Example = "list-agents",
        },
        new("agents", CommandGroup.Agents, "show the kinds of agents, and where each is installed")
        {
            Positional = Kind,
            Options = [OptionSpec.Flag("--verbose", "each whole, with what holds it") with { Short = "-v" }],
            Example = "agents claude",
            Note = "print: a process for each task. rpc, duplex, acp: a long-lived one that is told its tasks.",
        },
        new(WireCommand.ListKinds, CommandGroup.Agents)
        {
            IsSeldom = true,
            Positional = Kind,
            Example = "list-kinds --json",
        },
        new(WireCommand.RegisterAgent, CommandGroup.Agents)
        {
            IsSeldom = true,
            Positional = PositionalSpec.Of(WireCommand.RegisterAgent.Field("name")),
            Options =
            [
                OptionSpec.Many(WireCommand.RegisterAgent.Field("capabilities"), "--capability", "NAME"),
                OptionSpec.Text(WireCommand.RegisterAgent.Field("host"), "HOST"),
            ],
            Example = "register-agent builder --capability dotnet --capability freebsd",
        },
        new(WireCommand.Heartbeat, CommandGroup.Agents)
        {
            IsSeldom = true,
            Positional = AgentId,
            Example = "heartbeat 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new AgentCommands(bound);
        app.Add("spawn-agent", commands.Spawn);
        app.Add("spawn-local", commands.SpawnLocal);
        app.Add("stop-agent", commands.Stop);
        app.Add("prompt", commands.Prompt);
        app.Add("answer", commands.Answer);
        app.Add("list-agents", commands.List);
        app.Add("agents", commands.Kinds);
        app.Add("list-kinds", commands.ListKinds);
        app.Add("register-agent", commands.Register);
        app.Add("heartbeat", commands.Heartbeat);
    }

    public void Spawn(string binary, string? taskId = null, string? sessionId = null, string? prompt = null, [Runtime] string? runtime = null,
        string? provider = null, string? model = null, string? cwd = null, [Pairs] Dictionary<string, string>? env = null, bool rpc = false, [Transport] string? transport = null,
        [Access] string? access = null, string? jailName = null, string? jailPath = null, string? jailRootPath = null, string? jailIp4 = null, string? jailUser = null)
    {
        var said = new JailRequest { Name = jailName, Path = jailPath, RootPath = jailRootPath, Ip4 = jailIp4, User = jailUser };
        var jail = said == new JailRequest() ? null : said;
        bound.WillAsk(
            () => new CommandRequest
            {
                Cmd = WireCommand.SpawnAgent.Name,
                Binary = bound.Program(binary),
                Args = bound.Rest,
                TaskId = taskId,
                SessionId = sessionId,
                Prompt = bound.TextOrStdin("--prompt", prompt),
                Runtime = runtime,
                Provider = provider,
                Model = model,
                // Our working directory does not exist in a jail.
                Cwd = cwd is not null ? bound.Folder(cwd) : jail is null ? bound.CurrentDirectory : null,
                Env = env,
                Rpc = rpc ? true : null,
                Transport = transport,
                Access = access,
                Jail = jail,
            },
            Started);
    }

    public void SpawnLocal(string path, string? sessionId = null) => bound.WillAsk(
        () => new CommandRequest
        {
            Cmd = WireCommand.SpawnLocal.Name,
            Path = bound.Program(path),
            SessionId = sessionId,
            Args = bound.Rest,
            Cwd = bound.CurrentDirectory,
        },
        Started);

    public void Stop(string agentId, long? graceMs = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.StopAgent.Name, AgentId = agentId, GraceMs = graceMs },
        (screen, reply) =>
        {
            Standing(screen, reply);
            if (reply.Read(ProtocolJson.Wire.Agent) is { TaskId: { } taskId, Exit: null } agent)
                screen.Line(Words.Plain($"its task counts a failed attempt, and is tried again while attempts are left; to end it: colibri cancel-task {agent.TaskNumber?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? taskId}"));
        });

    public void Prompt(string agentId, string text) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.PromptAgent.Name, AgentId = agentId, Text = bound.TextOrStdin("--text", text) },
        (screen, reply) => screen.Line($"agent {Words.Plain(AgentView.NameOf(reply.Read(ProtocolJson.Wire.Agent)))} has taken it"));

    public void Answer(string agentId, string? request = null, string? value = null, bool yes = false, bool no = false, bool cancel = false) => bound.Will(async session =>
    {
        if (new[] { yes, no, cancel, value is not null }.Count(said => said) != 1)
            throw bound.Wrong("answer needs one of --value, --yes, --no and --cancel");
        var reply = await session.AskAsync(new CommandRequest
        {
            Cmd = WireCommand.AnswerAgent.Name,
            AgentId = agentId,
            Request = request ?? await OpenQuestionAsync(session, agentId).ConfigureAwait(false),
            Value = value,
            Confirmed = yes ? true : no ? false : null,
            Cancelled = cancel ? true : null,
        }).ConfigureAwait(false);
        if (session.Json)
            session.Screen.Raw(reply.Data);
        else
            session.Screen.Line($"agent {Words.Plain(AgentView.NameOf(reply.Read(ProtocolJson.Wire.Agent)))} has its answer");
        return ExitCodes.Done;
    });

    public void List() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListAgents.Name },
        (screen, reply) => AgentView.List(screen, reply.Read(ProtocolJson.Wire.AgentList)));

    public void Kinds([Runtime] string? runtime = null, bool verbose = false) => ShowKinds(runtime, verbose);

    public void ListKinds([Runtime] string? runtime = null) => ShowKinds(runtime, isWhole: false);

    private void ShowKinds(string? runtime, bool isWhole) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListKinds.Name, Runtime = runtime },
        (screen, reply) =>
        {
            var list = reply.Read(ProtocolJson.Wire.KindList);
            if (isWhole || runtime is not null)
                KindView.Whole(screen, list);
            else
                KindView.Table(screen, list);
        });

    public void Register(string name, [Many] string[]? capability = null, string? host = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.RegisterAgent.Name, Name = name, Capabilities = capability, Host = host },
        (screen, reply) =>
        {
            var agent = reply.Read(ProtocolJson.Wire.Agent);
            screen.Line($"registered {Words.Plain(agent.Name)} as agent {Words.Plain(AgentView.NameOf(agent))}");
            screen.Line($"keep it alive: colibri heartbeat {Words.Plain(AgentView.NameOf(agent))}");
        });

    public void Heartbeat(string agentId) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Heartbeat.Name, AgentId = agentId }, Standing);

    /// <exception cref="RefusedException">There is no such agent, or it asks nothing.</exception>
    private static async Task<string> OpenQuestionAsync(CliSession session, string agentId)
    {
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.Snapshot.Name }).ConfigureAwait(false);
        var pane = reply.Read(ProtocolJson.Wire.Snapshot).Panes.FirstOrDefault(pane => pane.Id == agentId || pane.Label == agentId)
            ?? throw new RefusedException(new WireError(ErrorCodes.NotFound, $"there is no agent {agentId} on the glasspane; see who asks: colibri inbox"));
        return pane.Question?.Request
            ?? throw new RefusedException(new WireError(ErrorCodes.Conflict, $"agent {agentId} has no open question; see who asks: colibri inbox"));
    }

    private static void Started(Screen screen, Reply reply) => AgentView.Started(screen, reply.Read(ProtocolJson.Wire.Agent));

    private static void Standing(Screen screen, Reply reply) =>
        screen.Line(Words.Plain(AgentView.Standing(reply.Read(ProtocolJson.Wire.Agent))));
}
