using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Colibri.Mcp.Resources;

/// <summary>
/// The resources that the client wants to hear of. One subscription to the daemon serves them all. Each resource is told at most once a second,
/// and all of them after missed events and after the daemon was away.
/// </summary>
/// <param name="socketPath">The daemon's socket.</param>
internal sealed class ResourceSubscriptions(string socketPath) : IAsyncDisposable
{
    public const int MaxResources = 64;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly HashSet<string> _wanted = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _hasChanged = new(0, 1);
    private readonly CancellationTokenSource _over = new();
    private Task? _following;
    private Task? _telling;

    /// <summary>Who is told.</summary>
    public McpServer? Client { get; set; }

    /// <exception cref="McpProtocolException">There is no such resource, or there are too many.</exception>
    public void Add(string uri)
    {
        if (!ResourceTable.IsKnown(uri))
            throw new McpProtocolException("there is no such resource", McpErrorCode.ResourceNotFound);
        lock (_gate)
        {
            if (_wanted.Count >= MaxResources && !_wanted.Contains(uri))
                throw new McpProtocolException($"{MaxResources} resources are subscribed to", McpErrorCode.InvalidParams);
            _wanted.Add(uri);
            _following ??= FollowAsync();
            _telling ??= TellAsync();
        }
    }

    public void Remove(string uri)
    {
        lock (_gate)
        {
            _wanted.Remove(uri);
            _changed.Remove(uri);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_following ?? Task.CompletedTask, _telling ?? Task.CompletedTask).ConfigureAwait(false);
        _over.Dispose();
        _hasChanged.Dispose();
    }

    private async Task FollowAsync()
    {
        // Without end: the client may stay for days, and the daemon be started again in between.
        while (!_over.IsCancellationRequested)
        {
            try
            {
                using var events = await ColibriClient.ConnectAsync(socketPath, _over.Token).ConfigureAwait(false);
                (await events.SubscribeAsync(["tasks", "panes"], _over.Token).ConfigureAwait(false)).Accepted();
                Mark(static _ => true);
                await foreach (var change in events.ReadEventsAsync(_over.Token).ConfigureAwait(false))
                    Mark(uri => Concerns(uri, change));
            }
            catch (Exception e) when (e is DaemonUnreachableException or RefusedException)
            {
                await Task.Delay(Interval, _over.Token).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private static bool Concerns(string uri, Event change)
    {
        if (change.Missed is not null || uri == ResourceTable.Inbox)
            return true;
        if (uri == ResourceTable.Snapshot)
            return change.Pane is not null;
        if (ResourceTable.NameIn(uri, ResourceTable.TaskPrefix) is { } task)
            return change.Task is { } changed && (task == changed.Id || task == $"{changed.Number}");
        var session = ResourceTable.NameIn(uri, ResourceTable.SessionPrefix);
        return session is not null && (session == change.Pane?.SessionId || session == $"{change.Pane?.TaskNumber}" || session == change.Task?.SessionId);
    }

    private void Mark(Predicate<string> isChanged)
    {
        lock (_gate)
        {
            var before = _changed.Count;
            _changed.UnionWith(_wanted.Where(uri => isChanged(uri)));
            if (_changed.Count == before || _hasChanged.CurrentCount > 0)
                return;
            _hasChanged.Release();
        }
    }

    private async Task TellAsync()
    {
        try
        {
            while (true)
            {
                await _hasChanged.WaitAsync(_over.Token).ConfigureAwait(false);
                foreach (var uri in TakeChanged())
                {
                    await Client!.SendNotificationAsync(NotificationMethods.ResourceUpdatedNotification,
                        new ResourceUpdatedNotificationParams { Uri = uri }, cancellationToken: _over.Token).ConfigureAwait(false);
                }
                await Task.Delay(Interval, _over.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The program ends, or the client is gone.
        }
    }

    private string[] TakeChanged()
    {
        lock (_gate)
        {
            string[] changed = [.. _changed];
            _changed.Clear();
            return changed;
        }
    }
}
