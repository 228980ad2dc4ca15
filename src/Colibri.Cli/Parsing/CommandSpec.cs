namespace Colibri.Cli.Parsing;

/// <summary>
/// One command: everything that the pre-pass, help, completion and the manual need to know. What it does is the method that
/// <see cref="Binder"/> has under its name, with a parameter for each positional and option.
/// </summary>
internal sealed record CommandSpec(string Name, CommandGroup Group, string Summary)
{
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

    /// <summary>A sentence or two below the options, where there is something to know.</summary>
    public string? Note { get; init; }
}
