using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Cli.PrefixCheck;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>What agents may use and have used.</summary>
internal sealed class CostCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new("set-cost-mode", CommandGroup.Sessions, "set the limits on sessions and tool results")
        {
            Positional = new PositionalSpec("MODE", "--mode", "the cost mode") { Choices = Choices.CostModes },
            Options = [OptionSpec.Flag("--persist", "also after a restart")],
            Example = "set-cost-mode fast",
        },
        new("cost", CommandGroup.Sessions, "what agents used and what it cost")
        {
            Options =
            [
                OptionSpec.OneOf("--by", "WHAT", Choices.CostGroupings, "a line for each of these; task if not given"),
                OptionSpec.Number("--limit", "at most so many lines; 50 if not given"),
            ],
            Example = "cost --by day",
        },
        new("budget", CommandGroup.Sessions, "the budgets; 'budget lift' lifts the day's")
        {
            Positional = new PositionalSpec("ACTION", "--action", "lift: agents start again for the rest of the day") { Choices = Choices.BudgetActions, Optional = true },
            Example = "budget lift",
        },
        new("prefix-check", CommandGroup.Sessions, "find what breaks a provider's cache in recorded requests")
        {
            Options = [OptionSpec.PathOf("--stream", "FILE", "request bodies, a JSON object a line; - reads standard input") with { Required = true }],
            Example = "prefix-check --stream requests.jsonl",
            Note = "Compares model, tools, system and messages of each request with those of the one before; cache_control marks do not count. Exit status 1 when a prefix broke. Needs no daemon.",
        },
    ];

    public void SetMode([CostMode] string mode, bool persist = false) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.SetCostMode, Mode = mode, Persist = persist ? true : null },
        (screen, reply) => screen.Line(StatusView.Mode(reply.Read(ProtocolJson.Wire.CostState))));

    public void Summary([CostGrouping] string? by = null, int? limit = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.Cost, By = by, Limit = limit },
        (screen, reply) => CostView.Write(screen, reply.Read(ProtocolJson.Wire.CostSummary)));

    public void Budget([BudgetAction] string? action = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.Budget, Action = action },
        (screen, reply) => CostView.WriteBudget(screen, reply.Read(ProtocolJson.Wire.BudgetState)));

    public void PrefixCheck(string stream) => bound.Will(session => PrefixCheckCommand.RunAsync(session, stream));
}
