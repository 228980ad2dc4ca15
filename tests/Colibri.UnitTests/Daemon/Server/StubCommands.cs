using Colibri.Daemon.Commands;
using Colibri.Daemon.Server;
using Colibri.Protocol;

namespace Colibri.UnitTests.Daemon.Server;

/// <summary>A handler for every command, none of which does anything.</summary>
internal static class StubCommands
{
    public static CommandTable Table { get; } = new(
    [
        .. WireCommand.All.Where(command => command != WireCommand.Subscribe)
            .Select(command => new CommandHandler(command, _ => ValueTask.FromResult(Reply.Empty), NeverBlocks: true)),
    ]);
}
