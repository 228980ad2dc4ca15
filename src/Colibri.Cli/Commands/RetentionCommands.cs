using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>What of the past is kept.</summary>
internal sealed class RetentionCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new(WireCommand.Prune, CommandGroup.Daemon)
        {
            Options = [OptionSpec.Text(WireCommand.Prune.Field("older_than"), "AGE"), OptionSpec.Flag(WireCommand.Prune.Field("dry_run"))],
            Example = "prune --older-than 30d --dry-run",
            Note = "Tasks, sessions, tasks' own directories and worktrees. What waits for a person stays: tasks that are not over, open changes, questions. "
                + "The costs of deleted tasks stay in the sums.",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound) => app.Add("prune", new RetentionCommands(bound).Prune);

    public void Prune(string? olderThan = null, bool dryRun = false) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Prune.Name, OlderThan = olderThan, DryRun = dryRun ? true : null },
        (screen, reply) => PruneView.Write(screen, reply.Read(ProtocolJson.Wire.PruneReport)));
}
