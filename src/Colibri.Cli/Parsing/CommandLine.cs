using System.CommandLine;

namespace Colibri.Cli.Parsing;

/// <summary>
/// The one place that knows System.CommandLine: it splits words into options and values. What is allowed, and the words for what is
/// not, come from the command table, so another parser can take its place.
/// </summary>
internal static class CommandLine
{
    public static readonly OptionSpec Socket = OptionSpec.PathOf("--socket", "PATH", "the daemon's socket");
    public static readonly OptionSpec Json = OptionSpec.Flag("--json", "print the reply's data as one JSON line");
    public static readonly OptionSpec Help = OptionSpec.Flag("--help", "this text; after a command, that command's");
    public static readonly OptionSpec Version = OptionSpec.Flag("--version", "this program's version");
    public static readonly IReadOnlyList<OptionSpec> Everywhere = [Socket, Json, Help];

    private static readonly ParserConfiguration Configuration = new()
    {
        EnablePosixBundling = false,
        // Otherwise --title @name would read the file "name".
        ResponseFileTokenReplacer = null,
    };

    /// <exception cref="UsageException">The command line is wrong.</exception>
    public static Invocation Parse(IReadOnlyList<string> args, IReadOnlyList<CommandSpec> table, CliHost host)
    {
        var dashes = IndexOfDashes(args);
        var head = dashes < 0 ? args : [.. args.Take(dashes)];
        var tree = new Tree(table, head);
        var result = tree.Parse(head);
        var spec = tree.CommandOf(result);
        IReadOnlyList<string> rest = dashes < 0 ? [] : [.. args.Skip(dashes + 1)];
        if (rest.Count > 0 && spec is { TakesRest: false })
        {
            result = tree.Parse(args);
            rest = [];
        }
        var values = tree.ValuesOf(result, spec);
        var socket = values.TryGetValue(Socket.Name, out var paths) ? paths[^1] : null;
        var json = values.ContainsKey(Json.Name);
        if (values.ContainsKey(Help.Name) || values.ContainsKey(Version.Name))
            return new Invocation(spec, null, socket, json, values.ContainsKey(Help.Name), values.ContainsKey(Version.Name));
        RefuseMissingValues(head, spec);
        RefuseDashedPositional(values, spec, head);
        RefuseUnknownWords(result, spec, table);
        if (result.Errors.Count > 0)
            throw new UsageException(OneLine(result.Errors[0].Message), spec?.Name);
        if (spec is null)
            return new Invocation(null, null, socket, json, false, false);
        Check(values, spec);
        return new Invocation(spec, new Arguments(spec.Name, values, rest, host), socket, json, false, false);
    }

    private static int IndexOfDashes(IReadOnlyList<string> args)
    {
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] == "--")
                return i;
        }
        return -1;
    }

    // An option takes any next word that is no option of this command, a mistyped option too: "--title --desciption" must not make a
    // task called "--desciption".
    private static void RefuseMissingValues(IReadOnlyList<string> head, CommandSpec? spec)
    {
        for (var i = 0; i < head.Count; i++)
        {
            if (OptionNamed(head[i], spec) is not { Value: not null } option)
                continue;
            var next = i + 1 < head.Count ? head[i + 1] : null;
            if (next is null)
                throw new UsageException($"{option.Name} needs a value: {option.Name} {option.Value}", spec?.Name);
            if (next.Length > 2 && next.StartsWith("--", StringComparison.Ordinal))
            {
                throw new UsageException(
                    $"{option.Name} needs a value; one that starts with dashes is written {option.Name}={next}", spec?.Name);
            }
            i++;
        }
    }

    private static void RefuseUnknownWords(ParseResult result, CommandSpec? spec, IReadOnlyList<CommandSpec> table)
    {
        if (result.UnmatchedTokens.Count == 0)
            return;
        var word = result.UnmatchedTokens[0];
        if (word.StartsWith('-') && word.Length > 1)
            throw UnknownOption(word, spec);
        if (spec is not null)
            throw new UsageException($"{spec.Name} has no use for '{word}'", spec.Name);
        throw new UsageException($"unknown command '{word}'{DidYouMean(Nearest.To(word, table.Select(c => c.Name)))}");
    }

    private static void RefuseDashedPositional(
        Dictionary<string, IReadOnlyList<string>> values, CommandSpec? spec, IReadOnlyList<string> head)
    {
        foreach (var positional in spec?.Positionals ?? [])
        {
            if (values.TryGetValue(positional.Option, out var said)
                && said[0].Length > 1 && said[0].StartsWith('-') && head.Contains(said[0]) && !head.Contains(positional.Option))
                throw UnknownOption(said[0], spec);
        }
    }

    private static void Check(Dictionary<string, IReadOnlyList<string>> values, CommandSpec spec)
    {
        foreach (var positional in spec.Positionals)
        {
            if (!values.TryGetValue(positional.Option, out var said))
            {
                if (!positional.Optional)
                    throw new UsageException($"{spec.Name} needs {positional.Value}: colibri {spec.Example}", spec.Name);
            }
            else
            {
                if (said.Any(value => value != said[0]))
                    throw new UsageException($"{positional.Value} is given twice: '{said[0]}' and '{said[^1]}'", spec.Name);
                CheckChoices(positional.Value, positional.Choices, said, spec);
            }
        }
        foreach (var option in spec.Options)
        {
            if (values.TryGetValue(option.Name, out var said))
                CheckChoices(option.Name, option.Choices, said, spec);
            else if (option.Required)
                throw new UsageException($"{spec.Name} needs {option.Name} {option.Value}", spec.Name);
        }
    }

    private static void CheckChoices(string what, IReadOnlyList<string> choices, IReadOnlyList<string> said, CommandSpec spec)
    {
        if (choices.Count == 0)
            return;
        foreach (var value in said)
        {
            if (!choices.Contains(value))
                throw new UsageException($"{what} '{value}' is none of {string.Join(", ", choices)}", spec.Name);
        }
    }

    private static UsageException UnknownOption(string word, CommandSpec? spec)
    {
        var name = word.Split('=', 2)[0];
        var known = Everywhere.Concat(spec?.Options ?? [Version]).Select(o => o.Name);
        return new UsageException($"unknown option '{name}'{DidYouMean(Nearest.To(name, known))}", spec?.Name);
    }

    private static OptionSpec? OptionNamed(string word, CommandSpec? spec)
    {
        foreach (var option in Everywhere.Concat(spec?.Options ?? []))
        {
            if (option.Name == word)
                return option;
        }
        return spec?.Positionals.FirstOrDefault(p => p.Option == word) is { } positional ? new OptionSpec(word, positional.Value, "") : null;
    }

    private static string DidYouMean(string? nearest) => nearest is null ? "" : $", did you mean {nearest}?";

    private static string OneLine(string message) =>
        message.Length == 0 ? message : char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.').ReplaceLineEndings(" ");

    /// <summary>The table as the library wants it.</summary>
    private sealed class Tree
    {
        private readonly Command _root = new("colibri");
        private readonly Dictionary<Command, CommandSpec> _commands = [];
        private readonly List<(string Name, Symbol Symbol)> _symbols = [];

        public Tree(IReadOnlyList<CommandSpec> table, IReadOnlyList<string> words)
        {
            Add(_root, Socket, recursive: true);
            Add(_root, Json, recursive: true);
            Add(_root, Help, recursive: true, "-h");
            Add(_root, Version);
            foreach (var spec in table)
            {
                // A command nobody named cannot be the one meant; building all of them is most of the start-up time.
                if (words.Contains(spec.Name))
                    Add(spec);
            }
        }

        public ParseResult Parse(IReadOnlyList<string> args) => _root.Parse(args, Configuration);

        public CommandSpec? CommandOf(ParseResult result) => _commands.GetValueOrDefault(result.CommandResult.Command);

        public Dictionary<string, IReadOnlyList<string>> ValuesOf(ParseResult result, CommandSpec? spec)
        {
            var values = new Dictionary<string, IReadOnlyList<string>>();
            foreach (var (name, symbol) in _symbols)
            {
                var found = result.GetResult(symbol);
                if (found is null or System.CommandLine.Parsing.OptionResult { Implicit: true })
                    continue;
                string[] said = [.. found.Tokens.Select(t => t.Value)];
                // "--title=" is an option without its value, which the library calls an error: here it is simply not there.
                if (said.Length == 0 && symbol is not Option { Arity.MaximumNumberOfValues: 0 })
                    continue;
                values[name] = values.TryGetValue(name, out var before) ? [.. before, .. said] : said;
            }
            return values;
        }

        private void Add(CommandSpec spec)
        {
            var command = new Command(spec.Name);
            foreach (var option in spec.Options)
                Add(command, option);
            foreach (var positional in spec.Positionals)
            {
                var argument = new Argument<string>(positional.Value) { Arity = ArgumentArity.ZeroOrOne };
                command.Arguments.Add(argument);
                _symbols.Add((positional.Option, argument));
                Add(command, new OptionSpec(positional.Option, positional.Value, positional.Summary));
            }
            _root.Subcommands.Add(command);
            _commands.Add(command, spec);
        }

        private void Add(Command command, OptionSpec spec, bool recursive = false, params string[] aliases)
        {
            Option option = spec switch
            {
                { Value: null } => new Option<bool>(spec.Name, aliases) { Arity = ArgumentArity.Zero },
                { Repeatable: true } => new Option<string[]>(spec.Name, aliases) { Arity = ArgumentArity.OneOrMore },
                _ => new Option<string>(spec.Name, aliases) { Arity = ArgumentArity.ExactlyOne },
            };
            option.Recursive = recursive;
            command.Options.Add(option);
            _symbols.Add((spec.Name, option));
        }
    }
}
