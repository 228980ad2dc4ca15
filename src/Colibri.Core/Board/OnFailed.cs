namespace Colibri.Core.Board;

/// <summary>What becomes of a task when a task that it comes after is over without being done.</summary>
public enum OnFailed
{
    /// <summary>It is held, and a person decides.</summary>
    Hold,

    /// <summary>It fails as well.</summary>
    Fail,

    /// <summary>It runs all the same, and its agent is told.</summary>
    Run,
}
