namespace Colibri.Cli.Parsing;

/// <summary>A command line after the pre-pass.</summary>
/// <param name="Command">Null where none was named.</param>
/// <param name="Said">
/// What was said to the command, by option name, a positional under its option's: no value for a flag, several only for an option that may be
/// repeated.
/// </param>
/// <param name="Rest">Everything after <c>--</c>, where the command takes it.</param>
internal sealed record Invocation(
    CommandSpec? Command, IReadOnlyDictionary<string, List<string>> Said, string[] Rest, string? Socket, bool Json, bool Help, bool Version);
