namespace Colibri.Protocol.Wire;

/// <summary>A file of the daemon's own that is not as it should be.</summary>
/// <param name="What"><c>socket</c>, <c>pidfile</c>, <c>board</c>, <c>board-log</c>, <c>board-lock</c>, <c>sessions</c> or <c>working-directory</c>.</param>
/// <param name="Path">Its path.</param>
/// <param name="State">One of the constants here.</param>
/// <param name="Reason">What is wrong, and what to do, in one line.</param>
/// <param name="Since">When it was first seen.</param>
public sealed record StatusFile(string What, string Path, string State, string Reason, DateTimeOffset? Since = null)
{
    /// <summary>Removed, or moved away.</summary>
    public const string Gone = "gone";

    /// <summary>Another file, a directory or a link is in its place.</summary>
    public const string Replaced = "replaced";

    /// <summary>Another process has it.</summary>
    public const string Taken = "taken";

    /// <summary>It cannot be opened for writing any more.</summary>
    public const string ReadOnly = "read-only";

    /// <summary>The disk refuses what is written to it.</summary>
    public const string Refused = "refused";
}
