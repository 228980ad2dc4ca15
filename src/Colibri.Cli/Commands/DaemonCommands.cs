using System.Diagnostics;
using System.Globalization;
using Colibri.Cli.Doctor;
using Colibri.Cli.Following;
using Colibri.Cli.Help;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Cli.Top;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Schema;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>The daemon itself, and this program.</summary>
internal sealed class DaemonCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new(WireCommand.Status, CommandGroup.Daemon)
        {
            Example = "status",
        },
        new(WireCommand.Snapshot, CommandGroup.Daemon)
        {
            IsSeldom = true,
            Example = "snapshot",
        },
        new(WireCommand.Reload, CommandGroup.Daemon)
        {
            Example = "reload",
            Note = "A file with a mistake is refused whole, and what was in force stays. Keys of [daemon] need a restart, and are named.",
        },
        new("watch", CommandGroup.Daemon, "print one line for each event until interrupted")
        {
            Options =
            [
                OptionSpec.Many(WireCommand.Subscribe.Field("topics"), "--topic", "TOPIC") with { Choices = Choices.Topics },
                OptionSpec.Seconds("--reconnect", "try for so long when the daemon goes away (60)"),
            ],
            Example = "watch --topic tasks",
        },
        new("top", CommandGroup.Daemon, "show agents, queue and what waits for you, live")
        {
            Options = [OptionSpec.Flag("--once", "print it once, as text")],
            Example = "top --once",
            Note = "The key ? lists the keys. What a key does has a command of its own, which is shown with it.",
        },
        new(WireCommand.Ping, CommandGroup.Daemon)
        {
            IsSeldom = true,
            Example = "ping",
        },
        new("health", CommandGroup.Daemon, "fail unless the daemon answers, with files and disk in order")
        {
            IsSeldom = true,
            Example = "health",
        },
        new(WireCommand.Doctor, CommandGroup.Daemon)
        {
            Example = "doctor",
            Note = "It changes nothing. What it finds wrong comes with what to type. Without a daemon it looks at what this program can see by itself.",
        },
        new("completion", CommandGroup.Daemon, "print a shell's completion script")
        {
            IsSeldom = true,
            Positional = new PositionalSpec("SHELL", "--shell", "the shell") { Choices = Choices.Shells, Optional = true },
            Options = [OptionSpec.Text("--values", "WHAT", "for scripts: what the daemon has of these, a line each") with { Choices = CompletionValues.All }],
            Example = "completion bash > /etc/bash_completion.d/colibri",
            Note = "Its scripts complete numbers of tasks, labels of agents, profiles and workspaces: they ask the daemon, and offer nothing where it does not answer "
                + "within a second.",
        },
        new("schema", CommandGroup.Daemon, "print the wire protocol as one JSON Schema")
        {
            IsSeldom = true,
            Example = "schema > colibri.schema.json",
            Note = "It is this program's protocol, and needs no daemon. Draft 2020-12: the definitions COMMAND.request, COMMAND.reply and COMMAND.line are the lines of a command.",
        },
        new("version", CommandGroup.Daemon, "print this program's version")
        {
            IsSeldom = true,
            Example = "version",
        },
        new("help", CommandGroup.Daemon, "print the help, of one command if named")
        {
            Positional = new PositionalSpec("COMMAND", "--command", "the command") { Optional = true },
            Example = "help create-task",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new DaemonCommands(bound);
        app.Add("status", commands.Status);
        app.Add("snapshot", commands.Snapshot);
        app.Add("reload", commands.Reload);
        app.Add("watch", commands.Watch);
        app.Add("top", commands.Top);
        app.Add("ping", commands.Ping);
        app.Add("health", commands.Health);
        app.Add("doctor", commands.Doctor);
        app.Add("completion", commands.Completion);
        app.Add("schema", commands.Schema);
        app.Add("version", commands.Version);
        app.Add("help", commands.Help);
    }

    public void Status() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Status.Name },
        (screen, reply) => StatusView.Write(screen, reply.Read(ProtocolJson.Wire.StatusReport), bound.Version));

    public void Snapshot() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Snapshot.Name },
        (screen, reply) => PaneView.Write(screen, reply.Read(ProtocolJson.Wire.Snapshot)));

    public void Reload() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Reload.Name },
        (screen, reply) => SettingsView.Write(screen, reply.Read(ProtocolJson.Wire.SettingsChange)));

    public void Watch([Topics] string[]? topic = null, [Seconds] TimeSpan? reconnect = null) =>
        bound.Will(session => EventWatch.RunAsync(session, topic, reconnect ?? Absence.DefaultPatience));

    public void Top(bool once = false) => bound.WillShow((session, host) => TopCommand.RunAsync(session, host, once));

    public void Ping() => bound.Will(PingAsync);

    public void Health() => bound.Will(HealthAsync);

    public void Doctor() => bound.Will(session => DoctorCommand.RunAsync(session, new ClientHost { Environment = bound.Environment }));

    public void Completion([Shell] string? shell = null, [CompletionValue] string? values = null) => bound.Will(session =>
    {
        if (shell is null == values is null)
            throw bound.Wrong(shell is null ? "completion needs SHELL: colibri completion bash > /etc/bash_completion.d/colibri" : "completion takes SHELL or --values, not both");
        if (values is not null)
            return CompletionValues.RunAsync(session, values);
        session.Screen.Line(CompletionScript.For(shell!, CommandTable.All));
        return Task.FromResult(ExitCodes.Done);
    });

    public void Schema() => bound.Will(session =>
    {
        session.Screen.Raw(WireSchema.Document(indented: !session.Json));
        return Task.FromResult(ExitCodes.Done);
    });

    public void Version() => bound.WillPrint(screen => screen.Line($"colibri {BuildVersion.Text}"));

    public void Help(string? command = null) => bound.WillPrint(screen => HelpText.Write(screen, command is null ? null
        : CommandTable.Find(command) ?? throw new UsageException(
            $"unknown command '{command}'{CommandLine.CommandMeant(command, CommandTable.All)}")));

    private static async Task<int> HealthAsync(CliSession session)
    {
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.Status.Name }).ConfigureAwait(false);
        var status = reply.Read(ProtocolJson.Wire.StatusReport);
        var isLow = status.Disk is { State: StatusDisk.Low };
        var isHealthy = status.Files is not { Count: > 0 } && !isLow;
        if (session.Json)
            session.Screen.Raw(reply.Data);
        else if (isHealthy)
            session.Screen.Line($"the daemon at {Words.Plain(session.SocketPath)} is healthy");
        foreach (var file in status.Files ?? [])
            session.Complain($"{file.What} is {file.State}: {file.Reason}");
        if (isLow)
            session.Complain($"disk is low, no agent is started: {StatusView.Disk(status.Disk!)}; free some space: colibri prune --older-than 7d --dry-run");
        return isHealthy ? ExitCodes.Done : ExitCodes.Refused;
    }

    private static async Task<int> PingAsync(CliSession session)
    {
        var clock = Stopwatch.StartNew();
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.Ping.Name }).ConfigureAwait(false);
        var took = clock.Elapsed.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
        if (session.Json)
            session.Screen.Raw(reply.Data);
        else
            session.Screen.Line($"the daemon at {Words.Plain(session.SocketPath)} answers, in {took} ms");
        return ExitCodes.Done;
    }
}
