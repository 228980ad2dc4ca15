namespace Colibri.Cli.Parsing;

/// <summary>Under which heading the help lists a command; in the help's order.</summary>
internal enum CommandGroup
{
    Tasks,
    Agents,
    Sessions,
    Registry,
    Daemon,
}
