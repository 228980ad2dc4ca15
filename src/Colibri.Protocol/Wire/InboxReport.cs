using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>inbox</c>.</summary>
/// <param name="Items">Everything that waits for a person: questions first, then the rest, the latest first within each kind.</param>
/// <param name="More">How many items there are besides, which the limits of the answer left out; absent where there are none.</param>
public sealed record InboxReport(IReadOnlyList<InboxItem> Items, long? More = null);

/// <summary>One thing that waits for a person.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="TaskId">The task that it is about.</param>
/// <param name="Number">That task's number.</param>
/// <param name="AgentId">The agent that it is about.</param>
/// <param name="Label">That agent's label.</param>
/// <param name="Since">Since when it waits.</param>
/// <param name="Message">What is to be known of it, in one line.</param>
/// <param name="Actions">The commands that settle it, the likeliest first.</param>
public sealed record InboxItem(
    InboxKind Kind, string? TaskId, long? Number, string? AgentId, string? Label, DateTimeOffset Since, string Message, IReadOnlyList<string> Actions)
{
    /// <summary>The title of the task.</summary>
    public string? Title { get; init; }

    /// <summary>The change to review.</summary>
    public WorkChange? Change { get; init; }

    /// <summary>How the task's check ended.</summary>
    public TaskCheck? Check { get; init; }

    /// <summary>What is asked.</summary>
    public AgentQuestion? Question { get; init; }

    /// <summary>Of a provider, a pause or a workspace: its name.</summary>
    public string? Name { get; init; }
}

/// <summary>Kinds of what waits for a person, in the order in which they are shown.</summary>
[JsonConverter(typeof(KebabEnumConverter<InboxKind>))]
public enum InboxKind
{
    /// <summary>An agent waits for an answer.</summary>
    Question,

    /// <summary>A change is open: it can land.</summary>
    Review,

    /// <summary>A change cannot land, because its base has changed in the same places.</summary>
    Conflict,

    /// <summary>A task has failed.</summary>
    Failed,

    /// <summary>A task is kept from starting.</summary>
    Held,

    /// <summary>A queued task that no configured agent can take.</summary>
    NoAgent,

    /// <summary>An agent has been silent for long while its process lives.</summary>
    Stalled,

    /// <summary>A workspace cannot be worked in.</summary>
    Workspace,

    /// <summary>A provider's key is refused or missing.</summary>
    Provider,

    /// <summary>The day's budget is used up.</summary>
    Budget,

    /// <summary>A file system is low on room.</summary>
    Disk,

    /// <summary>The queue, or part of it, is paused by hand.</summary>
    Paused,
}

/// <summary>The answer to <c>get-change</c>, <c>land-task</c> and <c>discard-task</c>.</summary>
/// <param name="Change">The change as it is now.</param>
/// <param name="Patch">With <c>get-change</c> and <c>patch</c>: what it changes, as <c>git diff</c> shows it, at most 1 MiB.</param>
/// <param name="Check">With <c>land-task</c>: how the check of the merged result ended; absent where there is none.</param>
public sealed record ChangeAnswer(WorkChange Change, string? Patch = null, TaskCheck? Check = null);
