using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>Attempts at tasks.</summary>
internal sealed class RunCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new(WireCommand.ListRuns, CommandGroup.Tasks)
        {
            Positional = PositionalSpec.Of(WireCommand.ListRuns.Field("task_id")),
            Options =
            [
                OptionSpec.Number(WireCommand.ListRuns.Field("limit")),
                OptionSpec.Text(WireCommand.ListRuns.Field("before"), "RUN_ID"),
            ],
            Example = "list-runs 12",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new RunCommands(bound);
        app.Add("list-runs", commands.List);
    }

    public void List(string? taskId = null, int? limit = null, string? before = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListRuns.Name, TaskId = taskId, Limit = limit, Before = before },
        (screen, reply) => RunView.List(screen, reply.Read(ProtocolJson.Wire.RunList), taskId));
}
