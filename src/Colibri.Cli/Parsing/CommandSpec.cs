using Colibri.Cli.Output;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Parsing;

/// <summary>
/// One command: everything that parsing, help, completion and the manual need to know, and what it does. The parser behind it is
/// <see cref="CommandLine"/> alone.
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

    /// <summary>The request, where the command is one request and one reply.</summary>
    public Func<Arguments, CommandRequest>? Request { get; init; }

    /// <summary>Shows that reply to a person.</summary>
    public Action<Screen, Reply, Arguments>? Show { get; init; }

    /// <summary>What it does, where it is more than one request and one reply; answers the exit code.</summary>
    public Func<CliSession, Arguments, Task<int>>? Run { get; init; }
}
