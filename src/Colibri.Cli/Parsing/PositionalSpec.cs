namespace Colibri.Cli.Parsing;

/// <summary>The one thing a command is about.</summary>
/// <param name="Value">How the help calls it: <c>TASK_ID</c>.</param>
/// <param name="Option">The option that says the same, so that whoever knows the wire field need not know the order.</param>
/// <param name="Summary">Half a line, lower case, no full stop.</param>
internal sealed record PositionalSpec(string Value, string Option, string Summary)
{
    public IReadOnlyList<string> Choices { get; init; } = [];
    public bool IsPath { get; init; }

    /// <summary>May be left out.</summary>
    public bool Optional { get; init; }

    public OptionSpec AsOption() => new(Option, Value, Summary) { Required = !Optional, Choices = Choices, IsPath = IsPath };
}
