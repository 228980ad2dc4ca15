namespace Colibri.Cli.Parsing;

/// <summary>The command line is wrong; the message names the thing and the value.</summary>
/// <param name="Command">The command whose help tells more; null for the whole program's.</param>
internal sealed class UsageException(string message, string? command = null) : Exception(message)
{
    public string? Command { get; init; } = command;
}
