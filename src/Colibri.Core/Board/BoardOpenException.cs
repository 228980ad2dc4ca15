namespace Colibri.Core.Board;

/// <summary>The board cannot be opened. The message is one line for the operator: the path, what is wrong, what to do.</summary>
public sealed class BoardOpenException : Exception
{
    public BoardOpenException(string message)
        : base(message)
    {
    }

    public BoardOpenException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
