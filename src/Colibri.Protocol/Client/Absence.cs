using System.Diagnostics;

namespace Colibri.Protocol.Client;

/// <summary>
/// What a client that follows the daemon does while the daemon is away: it tries again for a stated time, and says once for each absence what it
/// waits for.
/// </summary>
/// <param name="patience">How long one absence may last; zero gives up at once.</param>
/// <param name="isAway">Told at the beginning of each absence why the daemon cannot be reached.</param>
public sealed class Absence(TimeSpan patience, Action<DaemonUnreachableException> isAway)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private Stopwatch? _since;

    /// <summary>60 s: a restart with many agents to end takes some 30 s.</summary>
    public static TimeSpan DefaultPatience { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether the daemon was away since it was last said to be back.</summary>
    public bool IsAway => _since is not null;

    /// <summary>The daemon answers again.</summary>
    public void IsOver() => _since = null;

    /// <summary>Pauses before the next try.</summary>
    /// <exception cref="DaemonUnreachableException">The one given: it cannot come back, or has been away for too long.</exception>
    public async Task OutlastAsync(DaemonUnreachableException cause, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(cause);
        // A path that no socket can have and an answer that is not Colibri's do not change by waiting.
        if (patience == TimeSpan.Zero || cause.Reason is UnreachableReason.BadPath or UnreachableReason.Garbled || _since?.Elapsed > patience)
            throw cause;
        if (_since is null)
        {
            _since = Stopwatch.StartNew();
            isAway(cause);
        }
        await Task.Delay(Pause, cancellation).ConfigureAwait(false);
    }
}
