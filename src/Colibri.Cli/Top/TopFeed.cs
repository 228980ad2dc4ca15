using System.Diagnostics;
using System.Threading.Channels;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top;

/// <summary>
/// The daemon's side: one subscription, and reports that are asked for when an event says that they have changed. Nothing is asked by the clock. A slow
/// loop makes the subscription slow, and the daemon then says what it dropped.
/// </summary>
internal sealed class TopFeed(CliSession session, ChannelWriter<TopItem> items)
{
    private const string NoticesTopic = "notices";
    private const int Page = 1_000;
    private const int RenewedTasks = 100;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>The least time between two askings: a burst of events is one.</summary>
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(500);

    /// <summary>A frame is drawn four times a second at most, so a look at the socket for each event would be waste.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Unfinished = ["started", "claimed", "queued"];
    private readonly Channel<bool> _renewals = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Reports change: ask for them soon.</summary>
    public void Renew() => _renewals.Writer.TryWrite(true);

    /// <summary>Goes on until it is cancelled, over any number of restarts of the daemon.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] both = [SubscribeAsync(ending.Token), RenewAsync(ending.Token)];
        try
        {
            // Neither ends by itself: the first that does has failed, and the other must not go on alone.
            await (await Task.WhenAny(both).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>All of it, asked once.</summary>
    /// <exception cref="DaemonUnreachableException">No answer came.</exception>
    /// <exception cref="RefusedException">The daemon said no.</exception>
    public static async Task<TopItem.Report> AskAsync(CliSession session, CancellationToken cancellation)
    {
        using var client = await ColibriClient.ConnectAsync(session.SocketPath, cancellation).ConfigureAwait(false);
        foreach (var command in new[] { WireCommand.Status, WireCommand.Snapshot, WireCommand.Inbox, WireCommand.Budget })
            await client.PostAsync(new CommandRequest { Cmd = command.Name }, null, cancellation).ConfigureAwait(false);
        async Task<Reply> NextAsync() => CliSession.Accepted(await client.ReadReplyAsync(null, cancellation).ConfigureAwait(false));
        var status = (await NextAsync().ConfigureAwait(false)).Read(ProtocolJson.Wire.StatusReport);
        var snapshot = (await NextAsync().ConfigureAwait(false)).Read(ProtocolJson.Wire.Snapshot);
        var inbox = (await NextAsync().ConfigureAwait(false)).Read(ProtocolJson.Wire.InboxReport);
        var budget = (await NextAsync().ConfigureAwait(false)).Read(ProtocolJson.Wire.BudgetState);
        List<BoardTask> tasks = [];
        foreach (var state in Unfinished)
        {
            string? after = null;
            do
            {
                var request = new CommandRequest { Cmd = WireCommand.ListTasks.Name, Status = state, Limit = Page, After = after is null ? null : [after] };
                var page = CliSession.Accepted(await client.SendAsync(request, null, cancellation).ConfigureAwait(false)).Read(ProtocolJson.Wire.TaskList);
                tasks.AddRange(page.Tasks.Take(TopModel.MostHeld - tasks.Count));
                after = page.Next == after ? null : page.Next;
            }
            while (after is not null && tasks.Count < TopModel.MostHeld);
        }
        var all = status.Tasks.Queued + status.Tasks.Claimed + status.Tasks.Started;
        return new TopItem.Report(snapshot, tasks, tasks.Count < TopModel.MostHeld ? 0 : Math.Max(0, all - tasks.Count), null, inbox, status, budget);
    }

    private async Task SubscribeAsync(CancellationToken cancellation)
    {
        var pause = FirstPause;
        while (true)
        {
            try
            {
                using var client = await ColibriClient.ConnectAsync(session.SocketPath, cancellation).ConfigureAwait(false);
                var reply = CliSession.Accepted(await client.SubscribeAsync(null, cancellation).ConfigureAwait(false));
                var hasNotices = reply.Read(ProtocolJson.Wire.Subscription).Topics.Contains(NoticesTopic);
                await SendAsync(await AskAsync(session, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
                pause = FirstPause;
                await foreach (var change in client.ReadEventsAsync(Pace, TimeProvider.System, cancellation).ConfigureAwait(false))
                    await TakeAsync(change, hasNotices, cancellation).ConfigureAwait(false);
            }
            catch (DaemonUnreachableException e)
            {
                await SendAsync(new TopItem.Away(e.Message), cancellation).ConfigureAwait(false);
            }
            catch (RefusedException e)
            {
                await SendAsync(new TopItem.Away(e.Message), cancellation).ConfigureAwait(false);
            }
            catch (System.Text.Json.JsonException)
            {
                await SendAsync(new TopItem.Away("the daemon's answer is not understood (versions differ? compare: colibri version, colibri status --json)"), cancellation).ConfigureAwait(false);
            }
            await Task.Delay(pause, cancellation).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task TakeAsync(Event change, bool hasNotices, CancellationToken cancellation)
    {
        if (change.Missed is not null)
        {
            await SendAsync(await AskAsync(session, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
            return;
        }
        await SendAsync(new TopItem.Change(change), cancellation).ConfigureAwait(false);
        // A task's event changes why others wait. Without notices, panes and budgets tell of what waits for a person as well.
        if (change.Topic == NoticesTopic || change.Task is not null || (!hasNotices && (change.Budget is not null || change.Pane is { NeedsAttention: true } or { Lifecycle: Lifecycle.Stopped })))
            Renew();
    }

    private async Task RenewAsync(CancellationToken cancellation)
    {
        await foreach (var _ in _renewals.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            var clock = Stopwatch.StartNew();
            try
            {
                using var client = await ColibriClient.ConnectAsync(session.SocketPath, cancellation).ConfigureAwait(false);
                var inbox = await AskAsync(client, new CommandRequest { Cmd = WireCommand.Inbox.Name }, cancellation).ConfigureAwait(false);
                var status = await AskAsync(client, new CommandRequest { Cmd = WireCommand.Status.Name }, cancellation).ConfigureAwait(false);
                var queued = await AskAsync(client, new CommandRequest { Cmd = WireCommand.ListTasks.Name, Status = "queued", Limit = RenewedTasks }, cancellation).ConfigureAwait(false);
                await SendAsync(
                    new TopItem.Report(null, null, 0, queued.Read(ProtocolJson.Wire.TaskList).Tasks, inbox.Read(ProtocolJson.Wire.InboxReport), status.Read(ProtocolJson.Wire.StatusReport), null),
                    cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is DaemonUnreachableException or RefusedException or System.Text.Json.JsonException)
            {
                // The subscription finds out as well, says why, and asks for everything once the daemon answers.
            }
            if (Gap - clock.Elapsed is { Ticks: > 0 } rest)
                await Task.Delay(rest, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<Reply> AskAsync(ColibriClient client, CommandRequest request, CancellationToken cancellation) =>
        CliSession.Accepted(await client.SendAsync(request, null, cancellation).ConfigureAwait(false));

    private ValueTask SendAsync(TopItem item, CancellationToken cancellation) => items.WriteAsync(item, cancellation);
}
