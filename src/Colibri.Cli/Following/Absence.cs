using System.Diagnostics;
using Colibri.Cli.Output;
using Colibri.Protocol.Client;

namespace Colibri.Cli.Following;

/// <summary>
/// What a command that follows the daemon does while the daemon is away: it tries again for a stated time, and says on standard error, once
/// for each absence, what it waits for.
/// </summary>
/// <param name="session">Where it is said.</param>
/// <param name="patience">How long one absence may last; zero gives up at once.</param>
internal sealed class Absence(CliSession session, TimeSpan patience)
{
    /// <summary>A restart with many agents to end takes some 30 s.</summary>
    public static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private Stopwatch? _since;

    /// <summary>Whether the daemon was away since it was last said to be back.</summary>
    public bool IsAway => _since is not null;

    /// <summary>The daemon answers again.</summary>
    public void IsOver() => _since = null;

    /// <summary>Pauses before the next try.</summary>
    /// <exception cref="DaemonUnreachableException">The one given: it cannot come back, or has been away for too long.</exception>
    public async Task OutlastAsync(DaemonUnreachableException cause, CancellationToken cancellation)
    {
        // A path that no socket can have and an answer that is not Colibri's do not change by waiting.
        if (patience == TimeSpan.Zero || cause.Reason is UnreachableReason.BadPath or UnreachableReason.Garbled || _since?.Elapsed > patience)
            throw cause;
        if (_since is null)
        {
            _since = Stopwatch.StartNew();
            session.Complain($"{cause.Message}; trying again for {Words.Duration(patience)}");
        }
        await Task.Delay(Pause, cancellation).ConfigureAwait(false);
    }
}
