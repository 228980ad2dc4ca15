using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Cli.PrefixCheck;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>What agents may use and have used.</summary>
internal sealed class CostCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new(WireCommand.SetCostMode, CommandGroup.Sessions)
        {
            IsSeldom = true,
            Positional = PositionalSpec.Of(WireCommand.SetCostMode.Field("mode")) with { Choices = Choices.CostModes },
            Options = [OptionSpec.Flag(WireCommand.SetCostMode.Field("persist"))],
            Example = "set-cost-mode fast",
        },
        new(WireCommand.Cost, CommandGroup.Sessions)
        {
            Options =
            [
                OptionSpec.OneOf(WireCommand.Cost.Field("by"), "WHAT", Choices.CostGroupings),
                OptionSpec.Number(WireCommand.Cost.Field("limit")),
            ],
            Example = "cost --by day",
        },
        new(WireCommand.Budget, CommandGroup.Sessions)
        {
            Positional = PositionalSpec.Of(WireCommand.Budget.Field("action")) with { Choices = Choices.BudgetActions },
            Example = "budget lift",
        },
        new("prefix-check", CommandGroup.Sessions, "find out why a provider's cache is hit less often")
        {
            IsSeldom = true,
            Options = [OptionSpec.PathOf("--stream", "FILE", "request bodies, a JSON object a line; - reads standard input") with { Required = true }],
            Example = "prefix-check --stream requests.jsonl",
            Note = "Compares model, tools, system and messages of each request with those of the one before; cache_control marks do not count. Exit status 1 when a prefix broke. Needs no daemon.",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new CostCommands(bound);
        app.Add("set-cost-mode", commands.SetMode);
        app.Add("cost", commands.Summary);
        app.Add("budget", commands.Budget);
        app.Add("prefix-check", commands.PrefixCheck);
    }

    public void SetMode([CostMode] string mode, bool persist = false) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.SetCostMode.Name, Mode = mode, Persist = persist ? true : null },
        (screen, reply) => screen.Line(StatusView.Mode(reply.Read(ProtocolJson.Wire.CostState))));

    public void Summary([CostGrouping] string? by = null, int? limit = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Cost.Name, By = by, Limit = limit },
        (screen, reply) => CostView.Write(screen, reply.Read(ProtocolJson.Wire.CostSummary)));

    public void Budget([BudgetAction] string? action = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Budget.Name, Action = action },
        (screen, reply) => CostView.WriteBudget(screen, reply.Read(ProtocolJson.Wire.BudgetState)));

    public void PrefixCheck(string stream) => bound.Will(session => PrefixCheckCommand.RunAsync(session, stream));
}
