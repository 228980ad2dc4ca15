using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Cli.PrefixCheck;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>What agents may use and have used.</summary>
internal static class CostCommands
{
    public static readonly CommandSpec[] All =
    [
        new("set-cost-mode", CommandGroup.Sessions, "set the limits on sessions and tool results")
        {
            Positional = new PositionalSpec("MODE", "--mode", "the cost mode") { Choices = Choices.CostModes },
            Options = [OptionSpec.Flag("--persist", "also after a restart")],
            Example = "set-cost-mode fast",
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.SetCostMode, Mode = a.Required("--mode"), Persist = a.FlagOrAbsent("--persist"),
            },
            Show = (screen, reply, _) => screen.Line(StatusView.Mode(reply.Read(ProtocolJson.Wire.CostState))),
        },
        new("cost", CommandGroup.Sessions, "what agents used and what it cost")
        {
            Options =
            [
                OptionSpec.OneOf("--by", "WHAT", Choices.CostGroupings, "a line for each of these; task if not given"),
                OptionSpec.Text("--limit", "NUMBER", "at most so many lines; 50 if not given"),
            ],
            Example = "cost --by day",
            Request = a => new CommandRequest { Cmd = CommandNames.Cost, By = a.Text("--by"), Limit = a.Number("--limit") },
            Show = (screen, reply, _) => CostView.Write(screen, reply.Read(ProtocolJson.Wire.CostSummary)),
        },
        new("budget", CommandGroup.Sessions, "the budgets; 'budget lift' lifts the day's")
        {
            Positional = new PositionalSpec("ACTION", "--action", "lift: agents start again for the rest of the day") { Choices = Choices.BudgetActions, Optional = true },
            Example = "budget lift",
            Request = a => new CommandRequest { Cmd = CommandNames.Budget, Action = a.Text("--action") },
            Show = (screen, reply, _) => CostView.WriteBudget(screen, reply.Read(ProtocolJson.Wire.BudgetState)),
        },
        new("prefix-check", CommandGroup.Sessions, "find what breaks a provider's cache in recorded requests")
        {
            Options = [OptionSpec.PathOf("--stream", "FILE", "request bodies, a JSON object a line; - reads standard input") with { Required = true }],
            Example = "prefix-check --stream requests.jsonl",
            Note = "Compares model, tools, system and messages of each request with those of the one before; cache_control marks do not count. Exit status 1 when a prefix broke. Needs no daemon.",
            Run = PrefixCheckCommand.RunAsync,
        },
    ];
}
