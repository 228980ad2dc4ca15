using System.Collections.Immutable;
using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Events;

/// <summary>
/// Publishes all events. Publishing never waits: each subscriber has a bounded queue, and one that reads too slowly is told how many events
/// it missed.
/// </summary>
public sealed class EventHub(TimeProvider time)
{
    private ImmutableArray<EventSubscriber> _subscribers = [];
    private long _missed;

    /// <summary>Called whenever a pane has changed, whether anybody has subscribed or not. Must not block.</summary>
    internal Action? PaneChanged { get; set; }

    /// <summary>Events dropped over all subscribers since the start.</summary>
    public long Missed => Interlocked.Read(ref _missed);

    public EventSubscriber Subscribe(EventTopic topics)
    {
        var subscriber = new EventSubscriber(this, topics, time);
        ImmutableInterlocked.Update(ref _subscribers, (all, added) => all.Add(added), subscriber);
        return subscriber;
    }

    /// <param name="task">As the board has it.</param>
    /// <param name="show">Makes of it what clients see. Called only if there is a subscriber; most of the time there is none.</param>
    public void PublishTask(BoardTask task, Func<BoardTask, BoardTask> show)
    {
        ArgumentNullException.ThrowIfNull(show);
        if (HasSubscribers(EventTopic.Tasks))
            Publish(show(task));
    }

    public void Publish(BoardTask task) => Publish(EventTopic.Tasks, new Event { Kind = "task", Topic = "tasks", At = time.GetUtcNow(), Task = task });

    public void Publish(CostState cost) => Publish(EventTopic.Cost, new Event { Kind = "cost", Topic = "cost", At = time.GetUtcNow(), Cost = cost });

    public void Publish(BudgetState budget) => Publish(EventTopic.Cost, new Event { Kind = "budget", Topic = "cost", At = time.GetUtcNow(), Budget = budget });

    public void Publish(Notice notice) => Publish(EventTopic.Notices, new Event { Kind = "notice", Topic = "notices", At = time.GetUtcNow(), Notice = notice });

    /// <param name="pane">Called only if there is a subscriber; most of the time there is none.</param>
    public void PublishPane(Func<Pane> pane)
    {
        PaneChanged?.Invoke();
        if (HasSubscribers(EventTopic.Panes))
            Publish(EventTopic.Panes, new Event { Kind = "pane", Topic = "panes", At = time.GetUtcNow(), Pane = pane() });
    }

    internal void Remove(EventSubscriber subscriber) =>
        ImmutableInterlocked.Update(ref _subscribers, (all, removed) => all.Remove(removed), subscriber);

    internal void CountMissed() => Interlocked.Increment(ref _missed);

    private bool HasSubscribers(EventTopic topic)
    {
        foreach (var subscriber in _subscribers)
        {
            if ((subscriber.Topics & topic) != 0)
                return true;
        }
        return false;
    }

    private void Publish(EventTopic topic, Event published)
    {
        byte[]? line = null;
        foreach (var subscriber in _subscribers)
        {
            if ((subscriber.Topics & topic) == 0)
                continue;
            line ??= JsonSerializer.SerializeToUtf8Bytes(published, ProtocolJson.Wire.Event);
            subscriber.Offer(line);
        }
    }
}

/// <summary>The topics that a subscriber can choose.</summary>
[Flags]
public enum EventTopic
{
    None = 0,
    Tasks = 1,
    Panes = 2,
    Cost = 4,
    Notices = 8,
    All = Tasks | Panes | Cost | Notices,
}
