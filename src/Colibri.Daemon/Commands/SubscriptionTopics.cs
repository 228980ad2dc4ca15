using Colibri.Core.Events;
using Colibri.Daemon.Server;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The topics of <c>subscribe</c>: words on the wire, flags inside.</summary>
internal static class SubscriptionTopics
{
    private static readonly (string Word, EventTopic Topic)[] Known =
        [("tasks", EventTopic.Tasks), ("panes", EventTopic.Panes), ("cost", EventTopic.Cost), ("notices", EventTopic.Notices)];

    /// <summary>No topics, or an empty list, means all.</summary>
    public static EventTopic Parse(IReadOnlyList<string>? words)
    {
        if (words is null or { Count: 0 })
            return EventTopic.All;
        var topics = EventTopic.None;
        foreach (var word in words)
        {
            var topic = Known.FirstOrDefault(known => known.Word == word).Topic;
            topics |= topic != EventTopic.None ? topic : throw CommandContext.Bad("topics", $"holds '{word}'; it can hold tasks, panes, cost and notices");
        }
        return topics;
    }

    public static Reply Confirm(EventTopic topics) => Reply.Of(
        new Subscription([.. Known.Where(known => topics.HasFlag(known.Topic)).Select(known => known.Word)]), ProtocolJson.Wire.Subscription);
}
