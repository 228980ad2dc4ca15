namespace Colibri.Cli.Parsing;

/// <summary>A parsed command line.</summary>
/// <param name="Command">Null where none was named.</param>
/// <param name="Arguments">Null where there is no command, or its help is wanted.</param>
internal sealed record Invocation(CommandSpec? Command, Arguments? Arguments, string? Socket, bool Json, bool Help, bool Version);
