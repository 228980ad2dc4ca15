namespace Colibri.Core.Board;

/// <summary>How an attempt ended, as far as its task's next state is concerned.</summary>
public enum RunEnding
{
    Done,

    /// <summary>Counts as an attempt: retried at <see cref="SpawnEnd.RetryAt"/> while attempts are left, else failed for good.</summary>
    Failed,

    /// <summary>Cut short by the daemon's own end: queued again at once, the attempt given back.</summary>
    Interrupted,
}
