using Colibri.Protocol.Client;
using Colibri.Web.Traces;

namespace Colibri.Web.Glass;

/// <summary>The one subscription to the daemon. It is taken up again when it breaks, first soon and then every five seconds.</summary>
internal sealed class DaemonFeed(DaemonClient daemon, GlassModel glass, RunTraces? traces = null)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>Pages are told at most a few times a second, so a look at the socket for each event would be waste.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);

    /// <summary>Follows the daemon until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var wait = FirstWait;
        while (true)
        {
            try
            {
                using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, cancellation).ConfigureAwait(false);
                var reply = await client.SubscribeAsync(null, cancellation).ConfigureAwait(false);
                if (!reply.Ok)
                    throw new RefusedException(reply.Error!);
                await glass.BeginAsync(cancellation).ConfigureAwait(false);
                traces?.Begin(glass.Panes());
                wait = FirstWait;
                await foreach (var happened in client.ReadEventsAsync(Pace, TimeProvider.System, cancellation).ConfigureAwait(false))
                {
                    await glass.TakeAsync(happened, cancellation).ConfigureAwait(false);
                    if (happened.Missed is null)
                        traces?.Take(happened);
                    else
                        traces?.Begin(glass.Panes());
                }
            }
            catch (Exception e) when (e is DaemonUnreachableException or RefusedException)
            {
                glass.End(e.Message);
            }
            await Task.Delay(wait, cancellation).ConfigureAwait(false);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }
}
