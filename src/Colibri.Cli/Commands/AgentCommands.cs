using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>Agents: those the daemon starts, and those that come from outside.</summary>
internal sealed class AgentCommands(BoundCommand bound)
{
    private static readonly PositionalSpec AgentId = new("AGENT_ID", "--agent-id", "the agent");

    public static readonly CommandSpec[] All =
    [
        new("spawn-agent", CommandGroup.Agents, "start an agent")
        {
            Positional = new PositionalSpec("BINARY", "--binary", "its program: a path, or a name on the daemon's PATH") { IsPath = true },
            Options =
            [
                OptionSpec.Text("--task-id", "TASK_ID", "claim this task and run it to its verdict"),
                OptionSpec.Text("--session-id", "ID", "log to this session"),
                OptionSpec.Text("--prompt", "TEXT", "what to tell it; - reads it from standard input"),
                OptionSpec.Text("--runtime", "NAME", "how to read its output: pi, zot, claude, codex, opencode or local"),
                OptionSpec.Text("--provider", "NAME", "the model's provider"),
                OptionSpec.Text("--model", "NAME", "the model"),
                OptionSpec.PathOf("--cwd", "DIR", "where it runs (here)"),
                OptionSpec.Pairs("--env", "a variable in its environment; may be repeated"),
                OptionSpec.Flag("--rpc", "keep its standard input open and prompt it there"),
                OptionSpec.Text("--jail-name", "NAME", "a jail to enter (FreeBSD)"),
                OptionSpec.Text("--jail-path", "DIR", "the directory that becomes its /"),
                OptionSpec.Text("--jail-root-path", "DIR", "check that the jail's root is this"),
                OptionSpec.Text("--jail-ip4", "ADDRESS", "inherit, disable for no network, or an address (FreeBSD)"),
                OptionSpec.Text("--jail-user", "USER", "who it runs as inside"),
            ],
            TakesRest = true,
            Example = "spawn-agent pi --task-id 019a8b1c-… -- --mode json",
        },
        new("spawn-local", CommandGroup.Agents, "start a program of yours as an agent")
        {
            Positional = new PositionalSpec("PATH", "--path", "the program") { IsPath = true },
            Options = [OptionSpec.Text("--session-id", "ID", "log to this session")],
            TakesRest = true,
            Example = "spawn-local ./colibri-test-agent -- --step-ms 50",
        },
        new("stop-agent", CommandGroup.Agents, "stop an agent with everything it started")
        {
            Positional = AgentId,
            Options = [OptionSpec.Number("--grace-ms", "time to end by itself before it is killed")],
            Example = "stop-agent 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 --grace-ms 2000",
        },
        new("prompt", CommandGroup.Agents, "tell a long-lived agent something")
        {
            Positional = AgentId,
            Second = new PositionalSpec("TEXT", "--text", "what to tell it; - reads it from standard input"),
            Example = "prompt 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 'Run the tests as well'",
            Note = "An agent at rest begins a run; one that works takes it in before its next step.",
        },
        new("answer", CommandGroup.Agents, "answer what a blocked agent asks")
        {
            Positional = AgentId,
            Options =
            [
                OptionSpec.Needed("--request", "ID", "the question, as snapshot shows it"),
                OptionSpec.Text("--value", "TEXT", "the answer to a select, an input or an editor"),
                OptionSpec.Flag("--yes", "to a confirm"),
                OptionSpec.Flag("--no", "to a confirm"),
                OptionSpec.Flag("--cancel", "no answer: the agent goes on without"),
            ],
            Example = "answer 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 --request q1 --yes",
        },
        new("list-agents", CommandGroup.Agents, "list agents")
        {
            Example = "list-agents",
        },
        new("register-agent", CommandGroup.Agents, "make an agent known that runs elsewhere")
        {
            Positional = new PositionalSpec("NAME", "--name", "its name"),
            Options =
            [
                OptionSpec.Many("--capability", "NAME", "what it can do; may be repeated"),
                OptionSpec.Text("--host", "HOST", "where it runs"),
            ],
            Example = "register-agent builder --capability dotnet --capability freebsd",
        },
        new("heartbeat", CommandGroup.Agents, "say that a registered agent is still there")
        {
            Positional = AgentId,
            Example = "heartbeat 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01",
        },
    ];

    public void Spawn(string binary, string? taskId = null, string? sessionId = null, string? prompt = null, string? runtime = null,
        string? provider = null, string? model = null, string? cwd = null, [Pairs] Dictionary<string, string>? env = null, bool rpc = false,
        string? jailName = null, string? jailPath = null, string? jailRootPath = null, string? jailIp4 = null, string? jailUser = null)
    {
        var said = new JailRequest { Name = jailName, Path = jailPath, RootPath = jailRootPath, Ip4 = jailIp4, User = jailUser };
        var jail = said == new JailRequest() ? null : said;
        bound.WillAsk(
            () => new CommandRequest
            {
                Cmd = CommandNames.SpawnAgent,
                Binary = bound.Program(binary),
                Args = bound.Rest,
                TaskId = taskId,
                SessionId = sessionId,
                Prompt = bound.TextOrStdin("--prompt", prompt),
                Runtime = runtime,
                Provider = provider,
                Model = model,
                // The folder we are in is none of a jail's.
                Cwd = cwd is not null ? bound.Folder(cwd) : jail is null ? bound.CurrentDirectory : null,
                Env = env,
                Rpc = rpc ? true : null,
                Jail = jail,
            },
            Started);
    }

    public void SpawnLocal(string path, string? sessionId = null) => bound.WillAsk(
        () => new CommandRequest
        {
            Cmd = CommandNames.SpawnLocal,
            Path = bound.Program(path),
            SessionId = sessionId,
            Args = bound.Rest,
            Cwd = bound.CurrentDirectory,
        },
        Started);

    public void Stop(string agentId, long? graceMs = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.StopAgent, AgentId = agentId, GraceMs = graceMs }, Standing);

    public void Prompt(string agentId, string text) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.PromptAgent, AgentId = agentId, Text = bound.TextOrStdin("--text", text) },
        (screen, reply) => screen.Line($"agent {Words.Plain(reply.Read(ProtocolJson.Wire.Agent).Id)} has taken it"));

    public void Answer(string agentId, string request, string? value = null, bool yes = false, bool no = false, bool cancel = false) => bound.WillAsk(
        () =>
        {
            if (new[] { yes, no, cancel, value is not null }.Count(said => said) != 1)
                throw bound.Wrong("answer needs one of --value, --yes, --no and --cancel");
            return new CommandRequest
            {
                Cmd = CommandNames.AnswerAgent,
                AgentId = agentId,
                Request = request,
                Value = value,
                Confirmed = yes ? true : no ? false : null,
                Cancelled = cancel ? true : null,
            };
        },
        (screen, reply) => screen.Line($"agent {Words.Plain(reply.Read(ProtocolJson.Wire.Agent).Id)} has its answer"));

    public void List() => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.ListAgents },
        (screen, reply) => AgentView.List(screen, reply.Read(ProtocolJson.Wire.AgentList)));

    public void Register(string name, [Many] string[]? capability = null, string? host = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.RegisterAgent, Name = name, Capabilities = capability, Host = host },
        (screen, reply) =>
        {
            var agent = reply.Read(ProtocolJson.Wire.Agent);
            screen.Line($"registered {Words.Plain(agent.Name)} as agent {Words.Plain(agent.Id)}");
            screen.Line($"keep it alive: colibri heartbeat {Words.Plain(agent.Id)}");
        });

    public void Heartbeat(string agentId) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.Heartbeat, AgentId = agentId }, Standing);

    private static void Started(Screen screen, Reply reply) => AgentView.Started(screen, reply.Read(ProtocolJson.Wire.Agent));

    private static void Standing(Screen screen, Reply reply) =>
        screen.Line(Words.Plain(AgentView.Standing(reply.Read(ProtocolJson.Wire.Agent))));
}
