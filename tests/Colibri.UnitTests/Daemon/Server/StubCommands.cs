using Colibri.Daemon.Commands;
using Colibri.Daemon.Server;
using Colibri.Protocol;

namespace Colibri.UnitTests.Daemon.Server;

/// <summary>A handler for every command, none of which does anything.</summary>
internal static class StubCommands
{
    public static CommandTable Table { get; } = With(WireCommand.Ping, static _ => ValueTask.FromResult(Reply.Empty));

    /// <summary>The same, where one command does something.</summary>
    public static CommandTable With(WireCommand one, Func<CommandContext, ValueTask<Reply>> run) => new(
    [
        .. WireCommand.All.Where(command => command != WireCommand.Subscribe)
            .Select(command => new CommandHandler(command, command == one ? run : _ => ValueTask.FromResult(Reply.Empty), NeverBlocks: true)),
    ]);
}
