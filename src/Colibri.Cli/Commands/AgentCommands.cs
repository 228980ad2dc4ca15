using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>Agents: those the daemon starts, and those that come from outside.</summary>
internal static class AgentCommands
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
                OptionSpec.Many("--env", "NAME=VALUE", "a variable in its environment; may be repeated"),
                OptionSpec.Flag("--rpc", "keep its standard input open and prompt it there"),
                OptionSpec.Text("--jail-name", "NAME", "a jail to enter (FreeBSD)"),
                OptionSpec.Text("--jail-path", "DIR", "the directory that becomes its /"),
                OptionSpec.Text("--jail-root-path", "DIR", "check that the jail's root is this"),
                OptionSpec.Text("--jail-ip4", "ADDRESS", "inherit, disable for no network, or an address (FreeBSD)"),
                OptionSpec.Text("--jail-user", "USER", "who it runs as inside"),
            ],
            TakesRest = true,
            Example = "spawn-agent pi --task-id 019a8b1c-… -- --mode json",
            Request = a => Spawn(a),
            Show = Started,
        },
        new("spawn-local", CommandGroup.Agents, "start a program of yours as an agent")
        {
            Positional = new PositionalSpec("PATH", "--path", "the program") { IsPath = true },
            Options = [OptionSpec.Text("--session-id", "ID", "log to this session")],
            TakesRest = true,
            Example = "spawn-local ./colibri-test-agent -- --step-ms 50",
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.SpawnLocal, Path = a.Program("--path"), SessionId = a.Text("--session-id"), Args = a.Rest,
                Cwd = a.CurrentDirectory,
            },
            Show = Started,
        },
        new("stop-agent", CommandGroup.Agents, "stop an agent with everything it started")
        {
            Positional = AgentId,
            Options = [OptionSpec.Text("--grace-ms", "NUMBER", "time to end by itself before it is killed")],
            Example = "stop-agent 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 --grace-ms 2000",
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.StopAgent, AgentId = a.Required("--agent-id"), GraceMs = a.LongNumber("--grace-ms"),
            },
            Show = (screen, reply, _) => Standing(screen, reply),
        },
        new("prompt", CommandGroup.Agents, "tell a long-lived agent something")
        {
            Positional = AgentId,
            Second = new PositionalSpec("TEXT", "--text", "what to tell it; - reads it from standard input"),
            Example = "prompt 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 'Run the tests as well'",
            Note = "An agent at rest begins a run; one that works takes it in before its next step.",
            Request = a => new CommandRequest { Cmd = CommandNames.PromptAgent, AgentId = a.Required("--agent-id"), Text = a.TextOrStdin("--text") },
            Show = (screen, reply, _) => screen.Line($"agent {Words.Plain(reply.Read(ProtocolJson.Wire.Agent).Id)} has taken it"),
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
            Request = Answer,
            Show = (screen, reply, _) => screen.Line($"agent {Words.Plain(reply.Read(ProtocolJson.Wire.Agent).Id)} has its answer"),
        },
        new("list-agents", CommandGroup.Agents, "list agents")
        {
            Example = "list-agents",
            Request = _ => new CommandRequest { Cmd = CommandNames.ListAgents },
            Show = (screen, reply, _) => AgentView.List(screen, reply.Read(ProtocolJson.Wire.AgentList)),
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
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.RegisterAgent, Name = a.Required("--name"), Capabilities = a.Many("--capability"), Host = a.Text("--host"),
            },
            Show = (screen, reply, _) =>
            {
                var agent = reply.Read(ProtocolJson.Wire.Agent);
                screen.Line($"registered {Words.Plain(agent.Name)} as agent {Words.Plain(agent.Id)}");
                screen.Line($"keep it alive: colibri heartbeat {Words.Plain(agent.Id)}");
            },
        },
        new("heartbeat", CommandGroup.Agents, "say that a registered agent is still there")
        {
            Positional = AgentId,
            Example = "heartbeat 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01",
            Request = a => new CommandRequest { Cmd = CommandNames.Heartbeat, AgentId = a.Required("--agent-id") },
            Show = (screen, reply, _) => Standing(screen, reply),
        },
    ];

    private static CommandRequest Answer(Arguments a)
    {
        var (yes, no, cancel, value) = (a.FlagOrAbsent("--yes"), a.FlagOrAbsent("--no"), a.FlagOrAbsent("--cancel"), a.Text("--value"));
        if (new object?[] { yes, no, cancel, value }.Count(said => said is not null) != 1)
            throw a.Wrong("answer needs one of --value, --yes, --no and --cancel");
        return new CommandRequest
        {
            Cmd = CommandNames.AnswerAgent,
            AgentId = a.Required("--agent-id"),
            Request = a.Required("--request"),
            Value = value,
            Confirmed = yes ?? (no is true ? false : null),
            Cancelled = cancel,
        };
    }

    private static CommandRequest Spawn(Arguments a)
    {
        var jail = JailOf(a);
        return new CommandRequest
        {
            Cmd = CommandNames.SpawnAgent,
            Binary = a.Program("--binary"),
            Args = a.Rest,
            TaskId = a.Text("--task-id"),
            SessionId = a.Text("--session-id"),
            Prompt = a.TextOrStdin("--prompt"),
            Runtime = a.Text("--runtime"),
            Provider = a.Text("--provider"),
            Model = a.Text("--model"),
            // The folder we are in is none of a jail's.
            Cwd = a.Folder("--cwd") ?? (jail is null ? a.CurrentDirectory : null),
            Env = a.Pairs("--env"),
            Rpc = a.FlagOrAbsent("--rpc"),
            Jail = jail,
        };
    }

    private static JailRequest? JailOf(Arguments a)
    {
        var jail = new JailRequest
        {
            Name = a.Text("--jail-name"),
            Path = a.Text("--jail-path"),
            RootPath = a.Text("--jail-root-path"),
            Ip4 = a.Text("--jail-ip4"),
            User = a.Text("--jail-user"),
        };
        return jail == new JailRequest() ? null : jail;
    }

    private static void Started(Screen screen, Reply reply, Arguments _) =>
        AgentView.Started(screen, reply.Read(ProtocolJson.Wire.Agent));

    private static void Standing(Screen screen, Reply reply) =>
        screen.Line(Words.Plain(AgentView.Standing(reply.Read(ProtocolJson.Wire.Agent))));
}
