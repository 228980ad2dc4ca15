using Colibri.Protocol;

namespace Colibri.Cli.Parsing;

/// <summary>
/// The pre-pass: puts what was typed into the one form that <see cref="Binder"/> hands to ConsoleAppFramework. It knows options by their names
/// alone; what their values mean is the binder's. Everything it does the framework does not: options before the command, <c>--option=value</c>,
/// a repeated option, a positional that may also be said as an option, <c>--</c>, a forgotten value, and the word that was probably meant.
/// </summary>
internal static class CommandLine
{
    public static readonly OptionSpec Socket = OptionSpec.PathOf("--socket", "PATH", "the daemon's socket");
    public static readonly OptionSpec Json = OptionSpec.Flag("--json", "print the reply's data as one JSON line");
    public static readonly OptionSpec Help = OptionSpec.Flag("--help", "this text; after a command, that command's");
    public static readonly OptionSpec Version = OptionSpec.Flag("--version", "this program's version");
    public static readonly IReadOnlyList<OptionSpec> Everywhere = [Socket, Json, Help];

    /// <exception cref="UsageException">The command line is wrong; where help is asked for as well, that is given instead.</exception>
    public static Invocation Parse(IReadOnlyList<string> args, IReadOnlyList<CommandSpec> table) => new Pass(table).Over(args);

    /// <summary>What follows the name of something unknown.</summary>
    public static string DidYouMean(string word, IEnumerable<string> known) =>
        Nearest.To(word, known) is { } nearest ? $", did you mean {nearest}?" : "";

    /// <summary>The same for a command: also a half of its name, such as <c>stop</c>, and what other programs call it.</summary>
    public static string CommandMeant(string word, IReadOnlyList<CommandSpec> table)
    {
        var names = table.Select(command => command.Name).ToList();
        var meant = Synonyms.GetValueOrDefault(word)
            ?? names.Find(name => name.StartsWith($"{word}-", StringComparison.Ordinal))
            ?? names.Find(name => name.EndsWith($"-{word}", StringComparison.Ordinal));
        return meant is not null ? $", did you mean {meant}?" : DidYouMean(word, names);
    }

    private static readonly Dictionary<string, string> Synonyms = new(StringComparer.Ordinal)
    {
        ["show"] = "get-task",
        ["ls"] = "list-tasks",
        ["list"] = "list-tasks",
        ["ps"] = "list-agents",
        ["rm"] = "delete-task",
        ["delete"] = "delete-task",
        ["kill"] = "stop-agent",
        ["cancel"] = "cancel-task",
        ["kinds"] = "agents",
        ["runs"] = "list-runs",
        ["sessions"] = "list-sessions",
        ["merge"] = "land",
        ["tail"] = "logs",
        ["log"] = "logs",
        ["new"] = "add",
        ["create"] = "add",
        ["run"] = "add",
        ["events"] = "watch",
    };

    /// <summary>One pass over one command line.</summary>
    private sealed class Pass(IReadOnlyList<CommandSpec> table)
    {
        private readonly Dictionary<string, List<string>> _said = [];
        private readonly List<string> _positionals = [];
        private CommandSpec? _command;

        /// <summary>The first word that is wrong: told only where no help is asked for, and in words that the command found later may change.</summary>
        private Func<UsageException>? _wrong;

        public Invocation Over(IReadOnlyList<string> args)
        {
            var dashes = IndexOfDashes(args);
            for (var i = 0; i < dashes;)
                i += Take(args[i], i + 1 < dashes ? args[i + 1] : null);
            string[] rest = [.. args.Skip(dashes + 1)];
            if (_command is { TakesRest: false })
            {
                foreach (var word in rest)
                    TakePositional(word);
                rest = [];
            }
            var (help, version) = (_said.ContainsKey(Help.Name), _said.ContainsKey(Version.Name));
            if (!help && !version)
            {
                if (_wrong is not null)
                    throw _wrong();
                RefuseRepeated();
                MovePositionals();
            }
            _said.Remove(Socket.Name, out var socket);
            var json = _said.Remove(Json.Name);
            return new Invocation(_command, _said, rest, socket?.FirstOrDefault(), json, help, version);
        }

        private static int IndexOfDashes(IReadOnlyList<string> args)
        {
            var index = 0;
            while (index < args.Count && args[index] != "--")
                index++;
            return index;
        }

        /// <returns>How many words that were.</returns>
        private int Take(string word, string? next)
        {
            if (word.Length < 2 || word[0] != '-')
            {
                TakeWord(word);
                return 1;
            }
            var end = word.StartsWith("--", StringComparison.Ordinal) ? word.AsSpan().IndexOfAny('=', ':') : -1;
            var name = end < 0 ? word : word[..end];
            var value = end < 0 ? null : word[(end + 1)..];
            if (Find(name) is not { } option)
            {
                _wrong ??= () => Unknown(word);
                return 1;
            }
            if (!_said.TryGetValue(option.Name, out var said))
                _said[option.Name] = said = [];
            if (option.Value is null)
            {
                if (value is { Length: > 0 })
                    TakePositional(value, mayBeOne: false);
                return 1;
            }
            if (value is { Length: 0 })
                Refuse($"{option.Name} needs a value: {option.Name} {option.Value}");
            else if (value is not null)
                said.Add(value);
            else if (next is null)
                Refuse($"{option.Name} needs a value: {option.Name} {option.Value}");
            else if (next.Length > 2 && next.StartsWith("--", StringComparison.Ordinal))
                Refuse($"{option.Name} needs a value; one that starts with dashes is written {option.Name}={next}");
            else
                said.Add(next);
            return value is null ? 2 : 1;
        }

        private void TakeWord(string word)
        {
            if (_command is not null)
            {
                TakePositional(word);
                return;
            }
            _command = table.FirstOrDefault(command => command.Name == word);
            if (_command is null)
                _wrong ??= () => new UsageException($"unknown command '{word}'{CommandMeant(word, table)}");
        }

        private void TakePositional(string word, bool mayBeOne = true)
        {
            if (mayBeOne && (_positionals.Count < _command!.Positionals.Count() || _command.Positionals.LastOrDefault() is { Many: true }))
                _positionals.Add(word);
            else
                Refuse($"{_command?.Name ?? "colibri"} has no use for '{word}'");
        }

        private OptionSpec? Find(string name)
        {
            if (name == "-h")
                return Help;
            foreach (var option in Known())
            {
                if (option.Name == name || option.Short == name)
                    return option;
            }
            return null;
        }

        private IEnumerable<OptionSpec> Known() => _command is null
            ? Everywhere.Append(Version)
            : Everywhere.Concat(_command.Options).Concat(_command.Positionals.Select(p => p.AsOption()));

        private UsageException Unknown(string word)
        {
            var name = word.Split(['=', ':'], 2)[0];
            // Said before its command was known.
            if (Find(name) is { } early)
            {
                var value = early.Value is null ? "" : $" {early.Value}";
                return new UsageException($"{name} stands after its command: colibri {_command!.Name} {name}{value}", _command.Name);
            }
            // The name of what is said by position is nothing that a mistyped option was probably meant to be.
            var known = _command is null ? Known() : Everywhere.Concat(_command.Options);
            return new UsageException($"unknown option '{name}'{DidYouMean(name, known.Select(o => o.Name))}", _command?.Name);
        }

        private void Refuse(string message) => _wrong ??= () => new UsageException(message, _command?.Name);

        private void RefuseRepeated()
        {
            foreach (var (name, said) in _said)
            {
                if (said.Count > 1 && !Find(name)!.Repeatable)
                    throw new UsageException($"{name} is given {said.Count} times", _command?.Name);
            }
        }

        private void MovePositionals()
        {
            foreach (var (positional, place) in _command is null ? [] : _command.Positionals.Select((positional, place) => (positional, place)))
            {
                if (place >= _positionals.Count)
                    return;
                List<string> values = positional.Many ? _positionals[place..] : [_positionals[place]];
                if (_said.TryGetValue(positional.Option, out var said) && said[0] != values[0])
                    throw new UsageException($"{positional.Value} is given twice: '{values[0]}' and '{said[0]}'", _command!.Name);
                _said[positional.Option] = values;
            }
        }
    }
}

/// <summary>A command line after the pre-pass.</summary>
/// <param name="Command">Null where none was named.</param>
/// <param name="Said">
/// What was said to the command, by option name, a positional under its option's: no value for a flag, several only for an option that may be
/// repeated.
/// </param>
/// <param name="Rest">Everything after <c>--</c>, where the command takes it.</param>
internal sealed record Invocation(
    CommandSpec? Command, IReadOnlyDictionary<string, List<string>> Said, string[] Rest, string? Socket, bool Json, bool Help, bool Version);

/// <summary>The command line is wrong; the message names the thing and the value.</summary>
/// <param name="Command">The command whose help tells more; null for the whole program's.</param>
internal sealed class UsageException(string message, string? command = null) : Exception(message)
{
    public string? Command { get; init; } = command;
}
