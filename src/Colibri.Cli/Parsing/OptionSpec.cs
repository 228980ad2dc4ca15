namespace Colibri.Cli.Parsing;

/// <summary>One option of a command.</summary>
/// <param name="Name">With its dashes, spelled as the wire field: <c>--task-id</c>.</param>
/// <param name="Value">What stands for its value in the help; null for a flag.</param>
/// <param name="Summary">Half a line, lower case, no full stop.</param>
internal sealed record OptionSpec(string Name, string? Value, string Summary)
{
    public bool Required { get; init; }
    public bool Repeatable { get; init; }

    /// <summary>What a value that does not bind is told to be none of: <c>a whole number</c>.</summary>
    public string? Form { get; init; }

    /// <summary>The only values it takes; empty where any will do.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Its value is a path on this host: completion offers files.</summary>
    public bool IsPath { get; init; }

    public static OptionSpec Flag(string name, string summary) => new(name, null, summary);

    public static OptionSpec Text(string name, string value, string summary) => new(name, value, summary);

    public static OptionSpec Number(string name, string summary) => new(name, "NUMBER", summary) { Form = "a whole number" };

    public static OptionSpec Seconds(string name, string summary) => new(name, "SECONDS", summary) { Form = "a number of seconds" };

    public static OptionSpec Needed(string name, string value, string summary) => new(name, value, summary) { Required = true };

    public static OptionSpec Many(string name, string value, string summary) => new(name, value, summary) { Repeatable = true };

    /// <summary><c>NAME=VALUE</c>, may be repeated.</summary>
    public static OptionSpec Pairs(string name, string summary) => new(name, "NAME=VALUE", summary) { Repeatable = true, Form = "NAME=VALUE" };

    public static OptionSpec PathOf(string name, string value, string summary) => new(name, value, summary) { IsPath = true };

    public static OptionSpec OneOf(string name, string value, IReadOnlyList<string> choices, string summary) =>
        new(name, value, summary) { Choices = choices };
}
