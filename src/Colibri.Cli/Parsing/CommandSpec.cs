using Colibri.Cli.Help;
using Colibri.Protocol;

namespace Colibri.Cli.Parsing;

/// <summary>
/// One command: everything that the pre-pass, help, completion and the manual need to know. What it does is the method that
/// <see cref="Binder"/> has under its name, with a parameter for each positional and option.
/// </summary>
internal sealed record CommandSpec(string Name, CommandGroup Group, string Summary)
{
    /// <summary>A command that is a request of the same name.</summary>
    public CommandSpec(WireCommand command, CommandGroup group)
        : this(command.Name, group, command.Summary)
    {
    }

    public PositionalSpec? Positional { get; init; }

    /// <summary>What is said about it, after it.</summary>
    public PositionalSpec? Second { get; init; }

    /// <summary>Both, in their order.</summary>
    public IEnumerable<PositionalSpec> Positionals => new[] { Positional, Second }.OfType<PositionalSpec>();
    public IReadOnlyList<OptionSpec> Options { get; init; } = [];

    /// <summary>Whether everything after <c>--</c> belongs to what the command starts.</summary>
    public bool TakesRest { get; init; }

    /// <summary>One line without the leading <c>colibri</c>.</summary>
    public required string Example { get; init; }

    /// <summary>For scripts and programs more than for a person: the help of the program has its name alone.</summary>
    public bool IsSeldom { get; init; }

    /// <summary>A sentence or two below the options, where there is something to know.</summary>
    public string? Note { get; init; }
}

/// <summary>Under which heading the help lists a command; in the help's order.</summary>
internal enum CommandGroup
{
    Tasks,
    Agents,
    Sessions,
    Registry,
    Daemon,
}

/// <summary>The one thing a command is about.</summary>
/// <param name="Value">How the help calls it: <c>TASK_ID</c>.</param>
/// <param name="Option">The option with the same meaning, for a user who knows the wire field and not the order.</param>
/// <param name="Summary">Half a line, lower case, no full stop.</param>
internal sealed record PositionalSpec(string Value, string Option, string Summary)
{
    public IReadOnlyList<string> Choices { get; init; } = [];
    public bool IsPath { get; init; }

    /// <summary>One of <see cref="CompletionValues.All"/>: completion asks the daemon for them. Null for none.</summary>
    public string? Offers { get; init; }

    /// <summary>May be left out.</summary>
    public bool Optional { get; init; }

    /// <summary>Takes all the words that are left; only of the last one.</summary>
    public bool Many { get; init; }

    /// <summary>A field of a request.</summary>
    public static PositionalSpec Of(WireField field) =>
        new(field.Name.ToUpperInvariant(), OptionSpec.NameOf(field), field.Help) { Optional = !field.IsRequired, Offers = CompletionValues.Of(field) };

    /// <summary>Where its value is <c>-</c>, that is read from standard input.</summary>
    public PositionalSpec OrStdin() => this with { Summary = $"{Summary}; - reads it from standard input" };

    public OptionSpec AsOption() => new(Option, Value, Summary) { Required = !Optional, Choices = Choices, IsPath = IsPath, Offers = Offers, Repeatable = Many };
}

/// <summary>One option of a command.</summary>
/// <param name="Name">With its dashes, spelled as the wire field: <c>--task-id</c>.</param>
/// <param name="Value">What stands for its value in the help; null for a flag.</param>
/// <param name="Summary">Half a line, lower case, no full stop.</param>
internal sealed record OptionSpec(string Name, string? Value, string Summary)
{
    public bool Required { get; init; }
    public bool Repeatable { get; init; }

    /// <summary>One dash and one letter that mean the same; null for none.</summary>
    public string? Short { get; init; }

    /// <summary>What a value that does not bind is told to be none of: <c>a whole number</c>.</summary>
    public string? Form { get; init; }

    /// <summary>The only values it takes; empty where any will do.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Its value is a path on this host: completion offers files.</summary>
    public bool IsPath { get; init; }

    /// <summary>As <see cref="PositionalSpec.Offers"/>.</summary>
    public string? Offers { get; init; }

    public static OptionSpec Flag(string name, string summary) => new(name, null, summary);

    public static OptionSpec Flag(WireField field) => Flag(NameOf(field), field.Help);

    public static OptionSpec Text(string name, string value, string summary) => new(name, value, summary);

    public static OptionSpec Text(WireField field, string value) =>
        new(NameOf(field), value, field.Help) { Required = field.IsRequired, Offers = CompletionValues.Of(field) };

    public static OptionSpec Number(string name, string summary) => new(name, "NUMBER", summary) { Form = "a whole number" };

    /// <summary>The number that holds without it stands in the help.</summary>
    public static OptionSpec Number(WireField field) => Number(NameOf(field), $"{field.Help} ({field.Default})");

    public static OptionSpec Seconds(string name, string summary) => new(name, "SECONDS", summary) { Form = "a number of seconds" };

    /// <summary>One of the field's values; may be repeated.</summary>
    public static OptionSpec Many(WireField field, string name, string value) =>
        new(name, value, $"{field.Help}; may be repeated") { Repeatable = true, Offers = CompletionValues.Of(field) };

    /// <summary><c>NAME=VALUE</c>, may be repeated.</summary>
    public static OptionSpec Pairs(WireField field) => Many(field, NameOf(field), "NAME=VALUE") with { Form = "NAME=VALUE" };

    public static OptionSpec PathOf(string name, string value, string summary) => new(name, value, summary) { IsPath = true };

    public static OptionSpec OneOf(WireField field, string value, IReadOnlyList<string> choices) => Text(field, value) with { Choices = choices };

    /// <summary>How a field is spelled as an option.</summary>
    public static string NameOf(WireField field) => $"--{field.Name.Replace('_', '-').Replace('.', '-')}";

    /// <summary>Where its value is <c>-</c>, that is read from standard input.</summary>
    /// <param name="it">What is read.</param>
    public OptionSpec OrStdin(string it = "it") => this with { Summary = $"{Summary}; - reads {it} from standard input" };
}
