using System.Diagnostics;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Web.Glass;

/// <summary>
/// What is known of the daemon, kept up to date by one subscription for all browsers. Panes come with its events. The inbox and the status are asked
/// anew when an event says that they may have changed, at most twice a second, or five times while agents begin to need a person, and only while a page
/// wants them.
/// </summary>
internal sealed class GlassModel(DaemonClient daemon, BrowserHub browsers) : IDisposable
{
    private static readonly TimeSpan RefreshGap = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan UrgentGap = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Pane> _panes = [];
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private readonly SemaphoreSlim _stale = new(0, 1);
    private readonly SemaphoreSlim _urgent = new(0, 1);
    private StatusReport? _status;
    private InboxReport? _inbox;
    private string? _away = "the daemon is not asked yet";
    private bool _isStale = true;
    private bool _isUrgent;
    private long? _askedAt;

    /// <summary>Why the daemon is not there; null while it is.</summary>
    public string? Away
    {
        get { lock (_lock) return _away; }
    }

    /// <summary>The agents: those that need attention first, then those that live, the latest first.</summary>
    public IReadOnlyList<Pane> Panes()
    {
        Pane[] panes;
        lock (_lock)
            panes = [.. _panes.Values];
        return [.. panes.OrderByDescending(pane => pane.NeedsAttention && pane.Lifecycle != Lifecycle.Stopped)
            .ThenBy(pane => pane.Lifecycle == Lifecycle.Stopped).ThenByDescending(pane => pane.StartedAt)];
    }

    /// <summary>The agent with this label or id.</summary>
    public Pane? Pane(string name)
    {
        lock (_lock)
            return _panes.GetValueOrDefault(name) ?? _panes.Values.FirstOrDefault(pane => pane.Label == name);
    }

    /// <summary>The agent that is on a task now.</summary>
    public Pane? PaneOfTask(long number)
    {
        lock (_lock)
            return _panes.Values.FirstOrDefault(pane => pane.TaskNumber == number && pane.Lifecycle != Lifecycle.Stopped);
    }

    /// <summary>Inbox and status, asked anew where an event has come since and they are old enough. Null while the daemon has not answered yet.</summary>
    public async Task<(InboxReport? Inbox, StatusReport? Status)> FreshAsync(CancellationToken cancellation)
    {
        bool isStale;
        lock (_lock)
            isStale = _isStale && _away is null && (_askedAt is not { } at || Stopwatch.GetElapsedTime(at) >= (_isUrgent ? UrgentGap : RefreshGap));
        if (isStale)
            await RefreshAsync(cancellation).ConfigureAwait(false);
        lock (_lock)
            return (_inbox, _status);
    }

    /// <summary>The subscription stands: everything is asked once.</summary>
    public async Task BeginAsync(CancellationToken cancellation)
    {
        await ReadPanesAsync(cancellation).ConfigureAwait(false);
        await RefreshAsync(cancellation).ConfigureAwait(false);
        lock (_lock)
            _away = null;
        browsers.TellAll();
    }

    /// <summary>The subscription is gone.</summary>
    public void End(string why)
    {
        lock (_lock)
            _away = why;
        browsers.Tell(Topics.Daemon);
    }

    /// <summary>Takes one event in and tells the pages.</summary>
    public async Task TakeAsync(Event happened, CancellationToken cancellation)
    {
        switch (happened)
        {
            case { Pane: { } pane }:
                TakePane(pane);
                break;
            case { Task: { } task }:
                browsers.Tell(Topics.Tasks);
                browsers.Tell(Topics.Task(task.Number));
                MarkStale();
                break;
            case { Missed: not null }:
                await ReadPanesAsync(cancellation).ConfigureAwait(false);
                MarkStale();
                browsers.TellAll();
                break;
            default:
                MarkStale();
                break;
        }
    }

    /// <summary>Asks for what is stale as long as a page is open, until cancelled.</summary>
    public async Task RefreshLoopAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _stale.WaitAsync(cancellation).ConfigureAwait(false);
            if (!browsers.HasAny)
                continue;
            try
            {
                await RefreshAsync(cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is DaemonUnreachableException or RefusedException)
            {
                // The subscription tells of an absent daemon, and the next event asks again.
            }
            await Task.Delay(UrgentGap, cancellation).ConfigureAwait(false);
            await _urgent.WaitAsync(RefreshGap - UrgentGap, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _refreshing.Dispose();
        _stale.Dispose();
        _urgent.Dispose();
    }

    private void TakePane(Pane pane)
    {
        Pane? before;
        lock (_lock)
        {
            _panes.TryGetValue(pane.Id, out before);
            _panes[pane.Id] = pane;
            if (pane.Lifecycle == Lifecycle.Stopped)
                Forget();
        }
        browsers.Tell(Topics.Panes);
        if (pane.Label is { } label)
            browsers.Tell(Topics.Agent(label));
        if (pane.TaskNumber is { } number)
            browsers.Tell(Topics.Task(number));
        if (before is null || before.NeedsAttention != pane.NeedsAttention || before.Activity != pane.Activity || before.Lifecycle != pane.Lifecycle || before.Question != pane.Question)
            MarkStale(isUrgent: pane.NeedsAttention && before?.NeedsAttention != true);
    }

    // As the daemon does: the living, and the 256 that stopped last.
    private void Forget()
    {
        const int MostStopped = 256;
        var stopped = _panes.Values.Count(pane => pane.Lifecycle == Lifecycle.Stopped);
        if (stopped <= MostStopped + 64)
            return;
        foreach (var old in _panes.Values.Where(pane => pane.Lifecycle == Lifecycle.Stopped).OrderBy(pane => pane.LastEventAt ?? pane.StartedAt).Take(stopped - MostStopped).ToList())
            _panes.Remove(old.Id);
    }

    private void MarkStale(bool isUrgent = false)
    {
        lock (_lock)
        {
            _isStale = true;
            if (isUrgent)
            {
                _isUrgent = true;
                if (_urgent.CurrentCount == 0)
                    _urgent.Release();
            }
            if (_stale.CurrentCount == 0)
                _stale.Release();
        }
    }

    private async Task ReadPanesAsync(CancellationToken cancellation)
    {
        var snapshot = await daemon.AskAsync(new CommandRequest { Cmd = "snapshot" }, ProtocolJson.Wire.Snapshot, cancellation).ConfigureAwait(false);
        lock (_lock)
        {
            _panes.Clear();
            foreach (var pane in snapshot.Panes)
                _panes[pane.Id] = pane;
        }
    }

    private async Task RefreshAsync(CancellationToken cancellation)
    {
        await _refreshing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            // Before asking: an event that comes meanwhile makes the answer stale.
            lock (_lock)
                (_isStale, _isUrgent, _askedAt) = (false, false, Stopwatch.GetTimestamp());
            var inbox = await daemon.AskAsync(new CommandRequest { Cmd = "inbox" }, ProtocolJson.Wire.InboxReport, cancellation).ConfigureAwait(false);
            var status = await daemon.AskAsync(new CommandRequest { Cmd = "status" }, ProtocolJson.Wire.StatusReport, cancellation).ConfigureAwait(false);
            lock (_lock)
                (_inbox, _status) = (inbox, status);
        }
        catch
        {
            lock (_lock)
                _isStale = true;
            throw;
        }
        finally
        {
            _refreshing.Release();
        }
        browsers.Tell(Topics.Inbox);
        browsers.Tell(Topics.Status);
    }
}
