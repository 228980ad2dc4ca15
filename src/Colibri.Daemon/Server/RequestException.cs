namespace Colibri.Daemon.Server;

/// <summary>A request that is answered with an error.</summary>
/// <param name="code">One of <see cref="Protocol.ErrorCodes"/>.</param>
/// <param name="message">One line for a person.</param>
internal sealed class RequestException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
