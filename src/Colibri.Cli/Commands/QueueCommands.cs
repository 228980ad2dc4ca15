using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>What of the queue may start.</summary>
internal sealed class QueueCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new(WireCommand.PauseQueue, CommandGroup.Tasks)
        {
            Options =
            [
                OptionSpec.Text(WireCommand.PauseQueue.Field("provider"), "NAME"),
                OptionSpec.Text(WireCommand.PauseQueue.Field("agent"), "NAME"),
                OptionSpec.Text(WireCommand.PauseQueue.Field("workspace"), "NAME") with { Short = "-w" },
                OptionSpec.Text(WireCommand.PauseQueue.Field("reason"), "TEXT"),
            ],
            Example = "pause-queue --provider anthropic --reason 'the plan is used up'",
            Note = "Without options the whole queue is paused. Agents at work go on, and a restart of the daemon keeps the pause.",
        },
        new(WireCommand.ResumeQueue, CommandGroup.Tasks)
        {
            Options =
            [
                OptionSpec.Text(WireCommand.ResumeQueue.Field("provider"), "NAME"),
                OptionSpec.Text(WireCommand.ResumeQueue.Field("agent"), "NAME"),
                OptionSpec.Text(WireCommand.ResumeQueue.Field("workspace"), "NAME") with { Short = "-w" },
            ],
            Example = "resume-queue --provider anthropic",
            Note = "Ends the pause of the same options. With --provider it also ends that provider's rest, and lets a refused key be tried again.",
        },
        new(WireCommand.Drain, CommandGroup.Tasks)
        {
            Options = [OptionSpec.Number(WireCommand.Drain.Field("timeout_ms"))],
            Example = "drain --timeout-ms 600000",
            Note = "The pause stays: go on with resume-queue.",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new QueueCommands(bound);
        app.Add("pause-queue", commands.Pause);
        app.Add("resume-queue", commands.Resume);
        app.Add("drain", commands.Drain);
    }

    public void Pause(string? provider = null, string? agent = null, string? workspace = null, string? reason = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.PauseQueue.Name, Provider = provider, Agent = agent, Workspace = workspace, Reason = reason }, Show);

    public void Drain(long? timeoutMs = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Drain.Name, TimeoutMs = timeoutMs },
        (screen, reply) =>
        {
            screen.Line("nothing runs any more");
            Show(screen, reply);
        });

    public void Resume(string? provider = null, string? agent = null, string? workspace = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ResumeQueue.Name, Provider = provider, Agent = agent, Workspace = workspace },
        (screen, reply) => QueueView.Write(screen, reply.Read(ProtocolJson.Wire.QueueAnswer).Queue, provider));

    private static void Show(Screen screen, Reply reply) => QueueView.Write(screen, reply.Read(ProtocolJson.Wire.QueueAnswer).Queue);
}
