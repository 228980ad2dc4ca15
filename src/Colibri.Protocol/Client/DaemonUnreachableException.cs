namespace Colibri.Protocol.Client;

/// <summary>
/// No answer came from a daemon. The message is one line for a person: what is wrong, with which socket, and what to do next.
/// </summary>
public sealed class DaemonUnreachableException : Exception
{
    private DaemonUnreachableException(UnreachableReason reason, string socketPath, string message, Exception? cause)
        : base(message, cause)
    {
        Reason = reason;
        SocketPath = socketPath;
    }

    public UnreachableReason Reason { get; }
    public string SocketPath { get; }

    internal static DaemonUnreachableException NoSocket(string path, Exception? cause = null) =>
        new(UnreachableReason.NoSocket, path, $"no daemon at {path} (is it running? try: {Start(path)})", cause);

    internal static DaemonUnreachableException Stale(string path, Exception cause) =>
        new(UnreachableReason.Stale, path, $"nobody listens on {path}: its daemon is gone (start one: {Start(path)})", cause);

    internal static DaemonUnreachableException PermissionDenied(string path, Exception cause) =>
        new(UnreachableReason.PermissionDenied, path,
            $"permission denied on {path} (only root, the daemon's user and the socket's group may connect; see: ls -l {path})", cause);

    internal static DaemonUnreachableException BadPath(string path, Exception cause) =>
        new(UnreachableReason.BadPath, path,
            $"the socket path {path} is too long for a Unix socket (about 100 bytes; choose a shorter one)", cause);

    internal static DaemonUnreachableException NotAccepting(string path, TimeSpan timeout) =>
        new(UnreachableReason.TimedOut, path,
            $"the daemon at {path} accepts no connection for {timeout.TotalSeconds:0.#} s (is it stuck? try: {Service("restart")})", null);

    internal static DaemonUnreachableException Silent(string path, TimeSpan timeout) =>
        new(UnreachableReason.TimedOut, path,
            $"no answer from the daemon at {path} within {timeout.TotalSeconds:0.#} s (is it alive? try: colibri ping)", null);

    internal static DaemonUnreachableException Closed(string path, Exception? cause = null) =>
        new(UnreachableReason.Closed, path, $"the daemon at {path} closed the connection (did it stop? try: colibri ping)", cause);

    internal static DaemonUnreachableException NotTheProtocol(string path, string what, Exception? cause = null) =>
        new(UnreachableReason.Garbled, path,
            $"the answer at {path} is not Colibri's: {what} (is that the daemon's socket? see --socket)", cause);

    internal static DaemonUnreachableException TooLarge(string path, int limit) =>
        new(UnreachableReason.Garbled, path,
            $"the answer at {path} is larger than {limit / (1024 * 1024)} MiB (ask for less, a --limit say)", null);

    internal static DaemonUnreachableException Failed(string path, Exception cause) =>
        new(UnreachableReason.Failed, path, $"the socket {path} failed: {cause.Message} (try: colibri ping)", cause);

    private static string Start(string path) => path == SocketPaths.Service ? Service("start") : "colibri-daemon";

    private static string Service(string verb) => Service(verb, File.Exists("/etc/rc.subr"));

    /// <summary>The command of the host's service manager. A Linux executable also runs under FreeBSD, whose scripts need that file.</summary>
    internal static string Service(string verb, bool hasRcSubr) => hasRcSubr ? $"service colibri_daemon {verb}" : $"systemctl {verb} colibri-daemon";
}

/// <summary>Why no answer came from a daemon.</summary>
public enum UnreachableReason
{
    /// <summary>No socket file: no daemon was started there, or it ended properly.</summary>
    NoSocket,

    /// <summary>A socket file on which no process listens: the daemon died without unlinking it.</summary>
    Stale,

    /// <summary>This user may not connect to the socket, or not enter its directory.</summary>
    PermissionDenied,

    /// <summary>The path cannot be a Unix socket's: it is longer than the system's limit of about 100 bytes.</summary>
    BadPath,

    /// <summary>The daemon did not accept, or did not answer, in time.</summary>
    TimedOut,

    /// <summary>The connection ended before the answer, or in the middle of a stream of events.</summary>
    Closed,

    /// <summary>The answer is no line of the wire protocol, or one beyond <see cref="ColibriClient.MaxReplyBytes"/>.</summary>
    Garbled,

    /// <summary>Any other failure of the socket.</summary>
    Failed,
}
