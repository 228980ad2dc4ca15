using System.Collections.Frozen;

namespace Colibri.Daemon.Commands;

/// <summary>Every command's handler by name.</summary>
internal sealed class CommandTable(IEnumerable<KeyValuePair<string, CommandHandler>> handlers)
{
    private readonly FrozenDictionary<string, CommandHandler> _handlers = handlers.ToFrozenDictionary(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Names => _handlers.Keys;

    public CommandHandler? Find(string name) => _handlers.GetValueOrDefault(name);
}
