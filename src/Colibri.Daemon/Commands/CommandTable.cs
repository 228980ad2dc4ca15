using System.Collections.Frozen;
using Colibri.Daemon.Server;

namespace Colibri.Daemon.Commands;

/// <summary>Every command's handler by name.</summary>
internal sealed class CommandTable(IEnumerable<KeyValuePair<string, CommandHandler>> handlers)
{
    private readonly FrozenDictionary<string, CommandHandler> _handlers = handlers.ToFrozenDictionary(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Names => _handlers.Keys;

    public CommandHandler? Find(string name) => _handlers.GetValueOrDefault(name);
}

/// <summary>What answers one command.</summary>
/// <param name="Run">Answers, or throws <see cref="RequestException"/>.</param>
/// <param name="MayOverlap">
/// A following request of the same connection may start before this one is answered. True only where one queue behind it keeps the
/// order (the board's writer, a session's log): that is what lets a pipelining client share one commit among many requests.
/// </param>
/// <param name="NeverBlocks">
/// Up to its first wait it touches no file and no database, only memory and queues: it may run on the loop that serves every client.
/// </param>
internal sealed record CommandHandler(Func<CommandContext, ValueTask<Reply>> Run, bool MayOverlap = false, bool NeverBlocks = false);
