using System.Globalization;
using Colibri.Core.Logging;
using Colibri.Core.Panes;
using Colibri.Core.Runs;

namespace Colibri.Core.Agents;

/// <summary>What an agent must have done by when. A program that prints no events by nature is held to the whole run's deadline alone.</summary>
public sealed partial class SupervisedAgent
{
    private readonly CancellationTokenSource _alive = new();
    private string? _missed;

    private void StartDeadlines()
    {
        var configuration = _parts.Configuration;
        if (_profile.PrintsEvents && _launch!.Prompt is not null)
            _ = WatchFirstEventAsync(configuration.FirstEventTimeout);
        if (configuration.StallKill && _profile.PrintsEvents)
            _ = WatchSilenceAsync(configuration.StallAfter);
        if (_assignment is not null || TakesTasks)
            _ = WatchRunsAsync(configuration.RunTimeout);
    }

    private async Task WatchFirstEventAsync(TimeSpan timeout)
    {
        if (await WaitWhileAliveAsync(timeout).ConfigureAwait(false) && _pane.Events == 0)
            Miss($"printed no event within {Words(timeout)} (COLIBRI_FIRST_EVENT_TIMEOUT); it was stopped");
    }

    private async Task WatchSilenceAsync(TimeSpan stallAfter)
    {
        while (await WaitWhileAliveAsync(_pane.SilentFor() is var silent && silent < stallAfter ? stallAfter - silent : stallAfter).ConfigureAwait(false))
        {
            if (_pane.Run.Outcome == RunOutcome.Working && _pane.SilentFor() >= stallAfter)
            {
                Miss($"printed nothing for {Words(stallAfter)} while it worked (COLIBRI_STALL_AFTER, COLIBRI_STALL_KILL); it was stopped");
                return;
            }
        }
    }

    /// <summary>One timer for all the tasks of an agent: whichever comes after it was set has its end after it rings.</summary>
    private async Task WatchRunsAsync(TimeSpan timeout)
    {
        for (var left = timeout; await WaitWhileAliveAsync(left).ConfigureAwait(false);)
        {
            left = Volatile.Read(ref _assignment) is { } assignment ? timeout - _parts.Time.GetElapsedTime(assignment.Since) : timeout;
            if (left <= TimeSpan.Zero)
            {
                Miss($"the run took longer than {Words(timeout)} (COLIBRI_RUN_TIMEOUT); it was stopped");
                return;
            }
        }
    }

    private void MissByFailing(TimeSpan timeout) =>
        Miss($"said nothing but errors for {Words(timeout)} (COLIBRI_FIRST_EVENT_TIMEOUT), the last one: {_pane.Run.Error ?? "without words"}; it was stopped");

    private void Miss(string deadline)
    {
        if (Cause != StopCause.None)
            return;
        _missed = deadline;
        _parts.Logger.DeadlineMissed(Id, deadline);
        RequestStop(StopCause.Deadline, AgentSupervisor.DefaultGrace);
    }

    /// <returns>False as soon as the agent has ended: no timer outlives it.</returns>
    private async Task<bool> WaitWhileAliveAsync(TimeSpan duration)
    {
        try
        {
            await Task.Delay(duration, _parts.Time, _alive.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static string Words(TimeSpan span) => span.TotalSeconds < 120
        ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###} s")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0.#} min");
}
