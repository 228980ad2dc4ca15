using System.Diagnostics;
using System.Globalization;
using Colibri.Cli.Following;
using Colibri.Cli.Help;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>The daemon itself, and this program.</summary>
internal static class DaemonCommands
{
    public static readonly CommandSpec[] All =
    [
        new("status", CommandGroup.Daemon, "the daemon at a glance")
        {
            Example = "status",
            Request = _ => new CommandRequest { Cmd = CommandNames.Status },
            Show = (screen, reply, _) => StatusView.Write(screen, reply.Read(ProtocolJson.Wire.StatusReport)),
        },
        new("snapshot", CommandGroup.Daemon, "what every agent is doing")
        {
            Example = "snapshot",
            Request = _ => new CommandRequest { Cmd = CommandNames.Snapshot },
            Show = (screen, reply, _) => PaneView.Write(screen, reply.Read(ProtocolJson.Wire.Snapshot)),
        },
        new("watch", CommandGroup.Daemon, "follow what happens, until Ctrl-C")
        {
            Options = [OptionSpec.OneOf("--topic", "TOPIC", Choices.Topics, "only this; may be repeated") with { Repeatable = true }],
            Example = "watch --topic tasks",
            Run = EventWatch.RunAsync,
        },
        new("ping", CommandGroup.Daemon, "ask whether the daemon answers")
        {
            Example = "ping",
            Run = PingAsync,
        },
        new("completion", CommandGroup.Daemon, "print a shell's completion script")
        {
            Positional = new PositionalSpec("SHELL", "--shell", "the shell") { Choices = Choices.Shells },
            Example = "completion bash > /etc/bash_completion.d/colibri",
            Run = (session, a) =>
            {
                session.Screen.Line(CompletionScript.For(a.Required("--shell"), CommandTable.All));
                return Task.FromResult(ExitCodes.Done);
            },
        },
        new("version", CommandGroup.Daemon, "print this program's version")
        {
            Example = "version",
            Run = (session, _) =>
            {
                session.Screen.Line($"colibri {BuildVersion.Text}");
                return Task.FromResult(ExitCodes.Done);
            },
        },
        new("help", CommandGroup.Daemon, "print the help, of one command if named")
        {
            Positional = new PositionalSpec("COMMAND", "--command", "the command") { Optional = true },
            Example = "help create-task",
            Run = HelpAsync,
        },
    ];

    private static async Task<int> PingAsync(CliSession session, Arguments arguments)
    {
        var clock = Stopwatch.StartNew();
        var reply = await session.AskAsync(new CommandRequest { Cmd = CommandNames.Ping }).ConfigureAwait(false);
        var took = clock.Elapsed.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
        if (session.Json)
            session.Screen.Raw(reply.Data);
        else
            session.Screen.Line($"the daemon at {Words.Plain(session.SocketPath)} answers, in {took} ms");
        return ExitCodes.Done;
    }

    private static Task<int> HelpAsync(CliSession session, Arguments arguments)
    {
        CommandSpec? command = null;
        if (arguments.Text("--command") is { } name)
        {
            command = CommandTable.Find(name) ?? throw new UsageException($"unknown command '{name}'"
                + (Nearest.To(name, CommandTable.All.Select(c => c.Name)) is { } nearest ? $", did you mean {nearest}?" : ""));
        }
        HelpText.Write(session.Screen, command);
        return Task.FromResult(ExitCodes.Done);
    }
}
