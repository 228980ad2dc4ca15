namespace Colibri.Protocol.Client;

/// <summary>Why no answer came from a daemon.</summary>
public enum UnreachableReason
{
    /// <summary>No socket file: no daemon was started there, or it ended properly.</summary>
    NoSocket,

    /// <summary>A socket file that nobody listens on: the daemon died without unlinking it.</summary>
    Stale,

    /// <summary>This user may not connect to the socket, or not enter its directory.</summary>
    PermissionDenied,

    /// <summary>The path cannot be a Unix socket's: it is longer than the system's limit of about 100 bytes.</summary>
    BadPath,

    /// <summary>Nobody accepted, or nobody answered, in time.</summary>
    TimedOut,

    /// <summary>The connection ended before the answer, or in the middle of a stream of events.</summary>
    Closed,

    /// <summary>The answer is no line of the wire protocol, or one beyond <see cref="ColibriClient.MaxReplyBytes"/>.</summary>
    Garbled,

    /// <summary>Any other failure of the socket.</summary>
    Failed,
}
