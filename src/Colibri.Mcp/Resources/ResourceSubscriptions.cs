using System.Text.Json.Nodes;
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
    private readonly Listener _client = new(null) { IsOpen = true };
    private readonly List<Listener> _listeners = [];
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _hasChanged = new(0, 1);
    private readonly CancellationTokenSource _over = new();
    private Task? _following;
    private Task? _telling;

    /// <summary>Who is told.</summary>
    public McpServer? Client { get; set; }

    /// <summary><c>resources/subscribe</c> of 2025-11-25.</summary>
    /// <exception cref="McpProtocolException">There is no such resource, or there are too many.</exception>
    public void Add(string uri)
    {
        if (!ResourceTable.IsKnown(uri))
            throw new McpProtocolException("there is no such resource", McpErrorCode.ResourceNotFound);
        if (!TryAdd(_client, uri))
            throw new McpProtocolException($"{MaxResources} resources are subscribed to", McpErrorCode.InvalidParams);
    }

    public void Remove(string uri)
    {
        lock (_gate)
            _client.Uris.Remove(uri);
    }

    /// <summary>
    /// <c>subscriptions/listen</c> of 2026-07-28, until the client cancels it. It is told first which of its resources are subscribed to: those that
    /// there are, within the bound. No list of this server changes by itself, so that nothing else is.
    /// </summary>
    public async ValueTask<EmptyResult> ListenAsync(RequestContext<SubscriptionsListenRequestParams> request, CancellationToken cancellation)
    {
        var listener = new Listener(request.JsonRpcRequest.Id);
        try
        {
            List<string> granted = [.. (request.Params?.Notifications?.ResourceSubscriptions ?? []).Distinct().Where(uri => ResourceTable.IsKnown(uri) && TryAdd(listener, uri))];
            // The SDK's parameters of this notification have no place for the metadata.
            var notifications = new JsonObject();
            if (granted.Count > 0)
                notifications["resourceSubscriptions"] = new JsonArray([.. granted.Select(uri => JsonValue.Create(uri))]);
            var acknowledged = new JsonRpcNotification
            {
                Method = NotificationMethods.SubscriptionsAcknowledgedNotification,
                Params = new JsonObject { ["notifications"] = notifications, ["_meta"] = listener.Meta() },
            };
            await request.Server.SendMessageAsync(acknowledged, cancellation).ConfigureAwait(false);
            Open(listener);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation).ConfigureAwait(false);
            return new EmptyResult();
        }
        finally
        {
            lock (_gate)
                _listeners.Remove(listener);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_following ?? Task.CompletedTask, _telling ?? Task.CompletedTask).ConfigureAwait(false);
        _over.Dispose();
        _hasChanged.Dispose();
    }

    /// <summary>From now on it is told. It has heard of none of its resources yet, so it is told of all.</summary>
    private void Open(Listener listener)
    {
        lock (_gate)
            listener.IsOpen = true;
        Mark(listener.Uris.Contains);
    }

    private bool TryAdd(Listener listener, string uri)
    {
        lock (_gate)
        {
            if (listener.Uris.Contains(uri))
                return true;
            if (_listeners.Sum(other => other.Uris.Count) >= MaxResources)
                return false;
            if (!_listeners.Contains(listener))
                _listeners.Add(listener);
            listener.Uris.Add(uri);
            _following ??= FollowAsync();
            _telling ??= TellAsync();
            return true;
        }
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
            _changed.UnionWith(_listeners.SelectMany(listener => listener.Uris).Where(uri => isChanged(uri)));
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
                foreach (var updated in TakeChanged())
                    await Client!.SendNotificationAsync(NotificationMethods.ResourceUpdatedNotification, updated, cancellationToken: _over.Token).ConfigureAwait(false);
                await Task.Delay(Interval, _over.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The program ends, or the client is gone.
        }
    }

    private List<ResourceUpdatedNotificationParams> TakeChanged()
    {
        lock (_gate)
        {
            var updated = new List<ResourceUpdatedNotificationParams>();
            foreach (var listener in _listeners.Where(listener => listener.IsOpen))
                updated.AddRange(listener.Uris.Where(_changed.Contains).Select(uri => new ResourceUpdatedNotificationParams { Uri = uri, Meta = listener.Meta() }));
            _changed.Clear();
            return updated;
        }
    }

    /// <summary>Who wants to hear of resources.</summary>
    /// <param name="id">The request that listens, whose id each notification carries; null for the client as such.</param>
    private sealed class Listener(RequestId? id)
    {
        public HashSet<string> Uris { get; } = new(StringComparer.Ordinal);

        /// <summary>Whether it is told: a request that listens, only after its acknowledgement.</summary>
        public bool IsOpen { get; set; }

        public JsonObject? Meta() =>
            id is { } request ? new JsonObject { [MetaKeys.SubscriptionId] = request.Id is long number ? JsonValue.Create(number) : JsonValue.Create((string?)request.Id) } : null;
    }
}
