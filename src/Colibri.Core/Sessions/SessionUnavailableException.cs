namespace Colibri.Core.Sessions;

/// <summary>A session's log cannot be read or written now. The message is one line for a person.</summary>
public sealed class SessionUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
