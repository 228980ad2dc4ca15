namespace Colibri.Core.Board;

/// <summary>
/// The disk refused: full, failing, read-only, or held by another program. Nothing of the verb is on the board, unless the
/// message says that the disk did not keep it: then it may be. The same verb works again once the disk does, with no restart.
/// </summary>
public sealed class BoardUnavailableException : Exception
{
    public BoardUnavailableException(string message)
        : base(message)
    {
    }

    public BoardUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
