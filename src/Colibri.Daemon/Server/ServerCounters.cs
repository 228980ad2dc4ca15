namespace Colibri.Daemon.Server;

/// <summary>How often the socket's limits were hit.</summary>
internal sealed class ServerCounters
{
    private long _accepted;
    private long _refused;
    private long _tooLarge;

    public long Accepted => Interlocked.Read(ref _accepted);
    public long Refused => Interlocked.Read(ref _refused);
    public long TooLarge => Interlocked.Read(ref _tooLarge);

    public long ConnectionAccepted() => Interlocked.Increment(ref _accepted);

    public void ConnectionRefused() => Interlocked.Increment(ref _refused);

    public void RequestTooLarge() => Interlocked.Increment(ref _tooLarge);
}
