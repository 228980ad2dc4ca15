using Colibri.Core.Logging;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Trees;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Processes;

/// <summary>
/// Ends a whole process tree: SIGTERM, a grace, SIGKILL until a sweep finds nothing. The group is not the tree, since agents start their
/// tools in sessions of their own. Trees that are ended at the same time share their looks at the process table. Deadlines are on the monotonic clock: an appliance sets its wall clock after boot.
/// </summary>
internal sealed class TreeEnder(ProcessTree tree, string agentId, TimeProvider time, ILogger logger, IPrivilegedSignals? privileged = null)
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan PoliteWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PrivilegedPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SurvivorsToldAfter = TimeSpan.FromSeconds(10);

    private const int Unknown = int.MaxValue;

    private long _killAt = long.MaxValue;
    private bool _isHiddenTold;

    private bool KillIsDue => time.GetTimestamp() >= Interlocked.Read(ref _killAt);

    /// <summary>Sets the grace from now until SIGKILL; it can only shorten the present one.</summary>
    public void KillAfter(TimeSpan grace)
    {
        var instant = time.GetTimestamp() + (long)(grace.TotalSeconds * time.TimestampFrequency);
        long current;
        do
        {
            current = Interlocked.Read(ref _killAt);
            if (current <= instant)
                return;
        }
        while (Interlocked.CompareExchange(ref _killAt, instant, current) != current);
    }

    /// <summary>Returns when no process of the tree is left.</summary>
    /// <param name="polite">The way to end the agent that is tried before SIGTERM, for at most half the grace; or null.</param>
    /// <param name="stopping">Gives it up where it stands; what is left lives on.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task EndAsync(PoliteEnd? polite, CancellationToken stopping = default)
    {
        if (polite is not null)
            await AskPolitelyAsync(polite, stopping).ConfigureAwait(false);
        if (await SignalAsync(Signals.Term).ConfigureAwait(false) == 0)
            return;
        for (var pause = FirstLook; !KillIsDue; pause = Longer(pause))
        {
            await Task.Delay(pause, time, stopping).ConfigureAwait(false);
            var look = await LookAsync().ConfigureAwait(false);
            if (await IsGoneAsync(look).ConfigureAwait(false))
                return;
        }
        await KillAsync(stopping).ConfigureAwait(false);
    }

    private async Task AskPolitelyAsync(PoliteEnd polite, CancellationToken stopping)
    {
        polite.Ask();
        var since = time.GetTimestamp();
        var left = time.GetElapsedTime(since, Interlocked.Read(ref _killAt)) / 2;
        var wait = left < PoliteWait ? left : PoliteWait;
        for (var pause = FirstLook; !polite.IsHeeded() && !KillIsDue && time.GetElapsedTime(since) < wait; pause = Longer(pause))
            await Task.Delay(pause, time, stopping).ConfigureAwait(false);
    }

    private async Task KillAsync(CancellationToken stopping)
    {
        var killed = await SignalAsync(Signals.Kill).ConfigureAwait(false);
        if (killed == 0)
            return;
        if (killed != Unknown)
            logger.TreeKilled(agentId, killed);
        var since = time.GetTimestamp();
        var told = false;
        do
        {
            await Task.Delay(killed == Unknown && privileged is not null ? PrivilegedPause : killed == Unknown || privileged is not null ? LongestLook : FirstLook, time, stopping)
                .ConfigureAwait(false);
            if (!told && time.GetElapsedTime(since) > SurvivorsToldAfter)
            {
                // The likely cause is uninterruptible sleep. Log it and wait.
                logger.TreeSurvives(agentId);
                told = true;
            }
        }
        while ((killed = await SignalAsync(Signals.Kill).ConfigureAwait(false)) != 0);
    }

    // Use one of the two ways, never both: a process that plain kill(2) reaches would get a second signal, which many agents treat differently.
    private async Task<int> SignalAsync(int signal)
    {
        var look = await LookAsync().ConfigureAwait(false);
        if (privileged is null)
            return Left(() => tree.Signal(signal, look));
        IReadOnlyList<ProcessIdentity> members = [];
        var left = Left(() => (members = tree.Members(look)).Count);
        if (left == 0)
        {
            try
            {
                members = await HiddenAsync().ConfigureAwait(false);
                left = members.Count;
            }
            catch (IOException e)
            {
                if (!_isHiddenTold)
                    logger.TreeHidden(agentId, e.Message);
                _isHiddenTold = true;
                return Unknown;
            }
        }
        if (left != 0)
            await privileged.SendAsync(signal, members).ConfigureAwait(false);
        return left;
    }

    private async Task<bool> IsGoneAsync(ProcessLook? look)
    {
        if (Left(() => tree.CountLeft(look)) != 0)
            return false;
        try
        {
            return (await HiddenAsync().ConfigureAwait(false)).Count == 0;
        }
        catch (IOException)
        {
            // SIGKILL comes at the end of the grace, and says then what cannot be told.
            return false;
        }
    }

    /// <summary>What only root can see of the tree: another user's processes that have lost their parents. Looked for once nothing else is left.</summary>
    private async Task<IReadOnlyList<ProcessIdentity>> HiddenAsync() => privileged is null ? [] : await privileged.FindAsync().ConfigureAwait(false);

    /// <summary>A look that begins now or later. Null where it failed: the tree then looks for itself, and says what it could not.</summary>
    private static async Task<ProcessLook?> LookAsync()
    {
        try
        {
            return await SharedLooks.OfTheSystem.NextAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>How many are left, or <see cref="Unknown"/>: a process table that cannot be read says nothing about who is gone.</summary>
    private static int Left(Func<int> look)
    {
        try
        {
            return look();
        }
        catch (IOException)
        {
            return Unknown;
        }
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestLook ? pause * 2 : LongestLook;
}

/// <summary>A way to end an agent without a signal.</summary>
/// <param name="Ask">Asks; returns at once.</param>
/// <param name="IsHeeded">Whether it has ended since.</param>
internal sealed record PoliteEnd(Action Ask, Func<bool> IsHeeded);

/// <summary>Signals to processes that are not the daemon's user's, which a plain kill(2) does not reach.</summary>
internal interface IPrivilegedSignals
{
    /// <summary>Sends the signal; the next look at the tree shows which processes it reached.</summary>
    Task SendAsync(int signal, IReadOnlyList<ProcessIdentity> members);

    /// <summary>The living processes of the tree, found by their marker with root's eyes.</summary>
    /// <exception cref="IOException">It cannot be told now: the tree may be alive, so ask again later.</exception>
    Task<IReadOnlyList<ProcessIdentity>> FindAsync();
}
