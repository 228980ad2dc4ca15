using System.Collections.Frozen;
using Colibri.Daemon.Server;
using Colibri.Protocol;

namespace Colibri.Daemon.Commands;

/// <summary>Every command's handler by name.</summary>
internal sealed class CommandTable
{
    private readonly FrozenDictionary<string, CommandHandler> _handlers;

    /// <exception cref="InvalidOperationException">A command of the protocol has no handler, or more than one.</exception>
    public CommandTable(IReadOnlyCollection<CommandHandler> handlers)
    {
        foreach (var command in WireCommand.All)
        {
            var found = handlers.Count(handler => handler.Command == command);
            if (found != (command == WireCommand.Subscribe ? 0 : 1))
                throw new InvalidOperationException($"{command.Name} has {found} handlers");
        }
        _handlers = handlers.ToFrozenDictionary(handler => handler.Command.Name, StringComparer.Ordinal);
    }

    public IReadOnlyCollection<string> Names => _handlers.Keys;

    public CommandHandler? Find(string name) => _handlers.GetValueOrDefault(name);
}

/// <summary>What answers one command.</summary>
/// <param name="Command">The command.</param>
/// <param name="Run">Answers, or throws <see cref="RequestException"/>.</param>
/// <param name="NeverBlocks">
/// Until its first await it touches only memory and queues, no file and no database, so it may run on the loop that serves every client.
/// </param>
internal sealed record CommandHandler(WireCommand Command, Func<CommandContext, ValueTask<Reply>> Run, bool NeverBlocks = false)
{
    /// <summary>Answers with the type that the table states: clients are made by the schema, which is made of the table.</summary>
    /// <exception cref="InvalidOperationException">The answer is of another type.</exception>
    public async ValueTask<Reply> AnswerAsync(CommandContext context)
    {
        var reply = await Run(context).ConfigureAwait(false);
        return reply.Type is not { } type || type == Command.Reply
            ? reply
            : throw new InvalidOperationException($"{Command.Name} answers {type.Type.Name}, and the table of commands states {Command.Reply.Type.Name}");
    }
}
