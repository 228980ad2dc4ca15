using System.Globalization;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Scheduling;

/// <summary>
/// Keeps exactly one resident agent of <c>COLIBRI_AUTOSPAWN</c> running. It is started once the daemon answers and a provider can be used, and
/// again after each end that no operator asked for.
/// </summary>
public sealed class Autospawner(
    AgentSupervisor supervisor, ProviderRouter router, Secrets secrets, DaemonConfiguration configuration, SpawnRequest template, TimeProvider time, ILogger logger, TaskBoard board)
{
    /// <summary>
    /// The setting on the board that counts the daemons in a row that were killed under the agent: it may be what kills them, and a restart must not
    /// start it at once each time.
    /// </summary>
    private const string CutShort = "autospawn.cut-short";

    private const string LocalArgument = "--local";

    private static readonly TimeSpan LongLife = TimeSpan.FromMinutes(5);

    private readonly RetryBackoff _backoff = new(time, Random.Shared);
    private volatile StatusAutospawn _status = new(configuration.AutospawnBinary, "starting");

    /// <summary>What <c>status</c> shows.</summary>
    public StatusAutospawn Status => _status;

    /// <summary>
    /// Runs until cancelled, or until an operator has stopped the agent; it ends for no other reason. Every failure is logged and tried again
    /// after a back-off.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var failures = 0;
        var isKnown = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (!isKnown && (failures = await CutShortAsync().ConfigureAwait(false)) > 0)
                    await BackOffAsync(failures, stopping).ConfigureAwait(false);
                isKnown = true;
                if (stopping.IsCancellationRequested)
                    return;
                if (RequestNow() is not { } request)
                {
                    // A key may be added at any time; each call of RequestNow checks the file again.
                    await WaitAsync(configuration.SchedulerInterval, stopping).ConfigureAwait(false);
                    continue;
                }
                await board.SetSettingAsync(CutShort, (failures + 1).ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false);
                var agent = await supervisor.SpawnAsync(request).ConfigureAwait(false);
                var startedAt = time.GetTimestamp();
                _status = new StatusAutospawn(configuration.AutospawnBinary, "running", agent.Id);
                await agent.Ended.WaitAsync(LongLife, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                // It has ended, or lived long, or the daemon stops in order: none of these is the end of a daemon that it killed.
                await ForgetCutShortAsync().ConfigureAwait(false);
                await agent.Ended.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (stopping.IsCancellationRequested)
                    return;
                if (agent.WasStoppedOnRequest)
                {
                    _status = new StatusAutospawn(configuration.AutospawnBinary, "stopped");
                    return;
                }
                failures = time.GetElapsedTime(startedAt) > LongLife ? 1 : failures + 1;
            }
            catch (Exception e) when (e is SpawnRefusedException or BoardUnavailableException)
            {
                logger.AgentNotStarted("(autospawn)", configuration.AutospawnBinary, e.Message);
                failures++;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                logger.UnexpectedFailure("the keeper of the autospawned agent", e);
                failures++;
            }
            await BackOffAsync(failures, stopping).ConfigureAwait(false);
        }
    }

    /// <summary>Half of the longest wait at the least, because a wait near zero bounds nothing.</summary>
    private Task BackOffAsync(int failures, CancellationToken stopping)
    {
        _status = new StatusAutospawn(configuration.AutospawnBinary, "backing-off");
        return WaitAsync((RetryBackoff.Ceiling(failures) + _backoff.Wait(failures)) / 2, stopping);
    }

    private async Task<int> CutShortAsync() =>
        int.TryParse(await board.GetSettingAsync(CutShort).ConfigureAwait(false), CultureInfo.InvariantCulture, out var times) ? Math.Max(0, times) : 0;

    private async Task ForgetCutShortAsync()
    {
        try
        {
            await board.DropSettingAsync(CutShort).ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            logger.BoardUnavailable(e.Message);
        }
    }

    /// <summary>The request to start; null while no provider can be used.</summary>
    private SpawnRequest? RequestNow()
    {
        var isReady = template.Arguments.Contains(LocalArgument) || template.StatesProvider && secrets.For(null).Any();
        var providers = template.Kind.Providers;
        var route = isReady || !router.IsUsed ? null : router.Choose(providers);
        if (isReady || route is not null || (!router.IsUsed && secrets.For(providers).Any()))
            return template with { Provider = template.Provider ?? route?.Provider, Model = template.Model ?? route?.Model };
        if (_status.State != "waiting-for-key")
            logger.AutospawnWaits(configuration.AutospawnBinary);
        _status = new StatusAutospawn(configuration.AutospawnBinary, "waiting-for-key");
        return null;
    }

    private async Task WaitAsync(TimeSpan duration, CancellationToken stopping) =>
        await Task.Delay(duration > TimeSpan.Zero ? duration : TimeSpan.FromMilliseconds(1), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
