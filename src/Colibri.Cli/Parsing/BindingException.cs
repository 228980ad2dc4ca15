namespace Colibri.Cli.Parsing;

/// <summary>ConsoleAppFramework did not bind the command line; the message is its own.</summary>
internal sealed class BindingException(string message) : Exception(message);
