using Colibri.Core.Logging;
using Colibri.Posix;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Spawning;

/// <summary>
/// Ends a whole process tree: SIGTERM, a grace, SIGKILL until a sweep finds nothing. The group is not the tree, since agents start their
/// tools in sessions of their own.
/// </summary>
internal sealed class TreeEnder(ProcessTree tree, string agentId, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan SurvivorsToldAfter = TimeSpan.FromSeconds(10);

    private long _killAtTicks = long.MaxValue;

    /// <summary>Moves the instant of SIGKILL; only ever closer.</summary>
    public void KillAt(DateTimeOffset instant)
    {
        long current;
        do
        {
            current = Interlocked.Read(ref _killAtTicks);
            if (current <= instant.UtcTicks)
                return;
        }
        while (Interlocked.CompareExchange(ref _killAtTicks, instant.UtcTicks, current) != current);
    }

    /// <summary>Returns when no process of the tree is left.</summary>
    /// <param name="polite">What is done before SIGTERM, such as closing standard input and waiting a moment; or null.</param>
    public async Task EndAsync(Func<Task>? polite)
    {
        if (polite is not null)
            await polite().ConfigureAwait(false);
        if (tree.Signal(Signals.Term) == 0)
            return;
        var pause = FirstLook;
        while (time.GetUtcNow().UtcTicks < Interlocked.Read(ref _killAtTicks))
        {
            await Task.Delay(pause, time).ConfigureAwait(false);
            if (tree.Members().Count == 0)
                return;
            pause = pause * 2 < LongestLook ? pause * 2 : LongestLook;
        }
        await KillAsync().ConfigureAwait(false);
    }

    private async Task KillAsync()
    {
        var killed = tree.Signal(Signals.Kill);
        if (killed == 0)
            return;
        logger.TreeKilled(agentId, killed);
        var since = time.GetTimestamp();
        var told = false;
        do
        {
            await Task.Delay(FirstLook, time).ConfigureAwait(false);
            if (!told && time.GetElapsedTime(since) > SurvivorsToldAfter)
            {
                // Uninterruptible sleep, most likely: nothing to do but wait, and say so.
                logger.TreeSurvives(agentId);
                told = true;
            }
        }
        while (tree.Signal(Signals.Kill) > 0);
    }
}
