using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Client;

/// <summary>
/// Tasks that are followed until their follower has seen enough. Their states are read, then each change comes as an event. After missed events and
/// after the daemon was away they are read anew.
/// </summary>
/// <param name="socketPath">The daemon's socket.</param>
/// <param name="follower">Who follows them.</param>
/// <param name="absence">How long the daemon may be away once each task has been read.</param>
public sealed class TaskFollowing(string socketPath, ITaskFollower follower, Absence absence)
{
    // What the follower calls each task, and the id that its events have. One task may have two names: its id and its number.
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private bool _isKnown;

    /// <summary>Follows until the follower has seen enough.</summary>
    /// <param name="topics">What to subscribe to: <c>tasks</c>, and what else the follower wants to see.</param>
    /// <param name="enough">Ends the wait for the next change, and for a daemon that is away, but no reading of the tasks.</param>
    /// <param name="cancellation">Ends whatever is under way.</param>
    /// <exception cref="RefusedException">There is no such task, say.</exception>
    /// <exception cref="DaemonUnreachableException">The daemon is not there, or has been away for too long.</exception>
    public async Task RunAsync(IReadOnlyList<string> topics, CancellationToken enough, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                using var events = await ColibriClient.ConnectAsync(socketPath, cancellation).ConfigureAwait(false);
                // Subscribe before the tasks are read: an end between the two would otherwise be missed.
                (await events.SubscribeAsync(topics, cancellation).ConfigureAwait(false)).Accepted();
                await ReadAsync(topics, cancellation).ConfigureAwait(false);
                absence.IsOver();
                if (follower.HasSeenEnough)
                    return;
                await foreach (var change in events.ReadEventsAsync(enough).ConfigureAwait(false))
                {
                    if (change.Missed is not null)
                        await ReadAsync(topics, cancellation).ConfigureAwait(false);
                    else if (change.Task is { } task)
                        Show(task);
                    else if (change.Pane is { TaskId: { } id } pane && _names.ContainsValue(id))
                        follower.See(pane);
                    if (follower.HasSeenEnough)
                        return;
                }
            }
            catch (DaemonUnreachableException e) when (_isKnown)
            {
                // The daemon was there before. A task outlives a restart, and is read anew after it.
                await absence.OutlastAsync(e, enough).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Reads every task that is still followed.</summary>
    /// <exception cref="RefusedException">There is no such task.</exception>
    /// <exception cref="DaemonUnreachableException">The daemon is not there.</exception>
    public async Task ReadAllAsync(CancellationToken cancellation)
    {
        foreach (var name in follower.Followed)
        {
            using var client = await ColibriClient.ConnectAsync(socketPath, cancellation).ConfigureAwait(false);
            var request = new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = name };
            var task = (await client.SendAsync(request, null, cancellation).ConfigureAwait(false)).Accepted().Read(ProtocolJson.Wire.BoardTask);
            _names[name] = task.Id;
            follower.See(name, task);
            if (follower.HasSeenEnough)
                return;
        }
        _isKnown = true;
    }

    private async Task ReadAsync(IReadOnlyList<string> topics, CancellationToken cancellation)
    {
        await ReadAllAsync(cancellation).ConfigureAwait(false);
        if (!topics.Contains("panes") || follower.HasSeenEnough)
            return;
        using var client = await ColibriClient.ConnectAsync(socketPath, cancellation).ConfigureAwait(false);
        var request = new CommandRequest { Cmd = WireCommand.Snapshot.Name };
        var snapshot = (await client.SendAsync(request, null, cancellation).ConfigureAwait(false)).Accepted().Read(ProtocolJson.Wire.Snapshot);
        foreach (var pane in snapshot.Panes)
        {
            if (pane.TaskId is { } id && _names.ContainsValue(id))
                follower.See(pane);
        }
    }

    private void Show(BoardTask task)
    {
        foreach (var (name, id) in _names)
        {
            if (id == task.Id)
                follower.See(name, task);
        }
    }
}

/// <summary>Who follows tasks.</summary>
public interface ITaskFollower
{
    /// <summary>The tasks, by id or number, that are still of interest.</summary>
    IReadOnlyList<string> Followed { get; }

    /// <summary>Whether following can end.</summary>
    bool HasSeenEnough { get; }

    /// <summary>A task as it is now.</summary>
    /// <param name="name">As it stands in <see cref="Followed"/>.</param>
    /// <param name="task">May be the same state again.</param>
    void See(string name, BoardTask task);

    /// <summary>An agent of one of the tasks as it is now. It comes with topic <c>panes</c> alone.</summary>
    void See(Pane pane);
}
