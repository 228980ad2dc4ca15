using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>One request line. A flat union: which fields a command reads is in <see cref="WireCommand"/>; unknown ones are ignored.</summary>
public sealed record CommandRequest
{
    public required string Cmd { get; init; }

    /// <summary>A task's id or number.</summary>
    [JsonConverter(typeof(NameConverter))]
    public string? TaskId { get; init; }

    /// <summary>An agent's id or label.</summary>
    public string? AgentId { get; init; }

    /// <summary>A session's id; where one is read, a task's number too.</summary>
    [JsonConverter(typeof(NameConverter))]
    public string? SessionId { get; init; }
    public string? TenantId { get; init; }

    public string? Title { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<string>? Capabilities { get; init; }
    public int? Priority { get; init; }
    public int? MaxAttempts { get; init; }

    /// <summary>Idempotency key: a second request with the same key answers the first one's task.</summary>
    public string? Key { get; init; }

    /// <summary>Of a new task: it is kept from starting until it is released.</summary>
    public bool? Hold { get; init; }

    public string? Status { get; init; }
    public TaskError? Error { get; init; }
    public int? Limit { get; init; }

    /// <summary>Of a new task: the tasks that must be done before. Of <c>list-tasks</c>: one alone, after which the page begins.</summary>
    [JsonConverter(typeof(NamesConverter))]
    public IReadOnlyList<string>? After { get; init; }

    /// <summary>Of a task: what becomes of it when one of those is over without being done.</summary>
    public string? OnFailed { get; init; }

    /// <summary>Of <c>list-runs</c>: the run, after which the page begins.</summary>
    public string? Before { get; init; }

    /// <summary>Of a task, and a filter of <c>list-tasks</c>; of the queue's pauses too.</summary>
    public string? Workspace { get; init; }
    public string? Group { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public string? Check { get; init; }
    public long? RunTimeoutMs { get; init; }
    public long? BudgetMicrocents { get; init; }
    public string? Tenant { get; init; }
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Of <c>retry-task</c>: what the agent is to be told.</summary>
    public string? Feedback { get; init; }

    /// <summary>Of <c>list-tasks</c>: <c>oldest</c> or <c>newest</c> first, and one tag.</summary>
    public string? Order { get; init; }
    public string? Tag { get; init; }

    /// <summary>Of <c>list-tasks</c>: the schedule that made them.</summary>
    public string? Schedule { get; init; }

    /// <summary>Of <c>schedule-task</c>: one of these three says when.</summary>
    public string? Cron { get; init; }
    public long? EveryMs { get; init; }
    public string? At { get; init; }
    public string? Zone { get; init; }
    public string? Overlap { get; init; }
    public string? Missed { get; init; }
    public int? MissedMax { get; init; }
    public long? JitterMs { get; init; }

    /// <summary>Of <c>schedule-task</c>: how many firings to show, in place of storing anything.</summary>
    public int? Next { get; init; }
    public TaskTemplate? Task { get; init; }

    /// <summary>Of <c>follow-session</c>: the number of the first entry wanted.</summary>
    public long? From { get; init; }

    /// <summary>Of <c>prune</c>: an age in place of those of the configuration, and whether nothing is to be deleted.</summary>
    public string? OlderThan { get; init; }
    public bool? DryRun { get; init; }

    /// <summary>Of <c>drain</c>: how long to wait.</summary>
    public long? TimeoutMs { get; init; }

    public string? Binary { get; init; }
    public string? Path { get; init; }
    public string? Runtime { get; init; }
    public IReadOnlyList<string>? Args { get; init; }
    public string? Provider { get; init; }
    public string? Model { get; init; }
    public string? Cwd { get; init; }
    public IReadOnlyDictionary<string, string>? Env { get; init; }
    public bool? Rpc { get; init; }
    public string? Transport { get; init; }
    public string? Prompt { get; init; }

    /// <summary>Of <c>prompt</c>: what the agent is told.</summary>
    public string? Text { get; init; }

    /// <summary>Of <c>answer</c>: the question's id, and the answer to it.</summary>
    public string? Request { get; init; }
    public string? Value { get; init; }
    public bool? Confirmed { get; init; }
    public bool? Cancelled { get; init; }

    /// <summary>Of <c>spawn-agent</c>: what it may do.</summary>
    public string? Access { get; init; }
    public JailRequest? Jail { get; init; }
    public long? GraceMs { get; init; }

    public string? Name { get; init; }
    public string? Host { get; init; }
    public string? Category { get; init; }
    public string? JailRootPath { get; init; }

    /// <summary>Of <c>register-skill</c>: the agents that have it.</summary>
    public IReadOnlyList<string>? Agents { get; init; }

    /// <summary>Of a task, and a filter of <c>list-tasks</c>: the profile. Of <c>pause-queue</c> and <c>resume-queue</c>: the scheduler's agent, by name.</summary>
    public string? Agent { get; init; }

    /// <summary>Of <c>pause-queue</c>: why.</summary>
    public string? Reason { get; init; }

    public string? Mode { get; init; }

    /// <summary>With <see cref="Mode"/>: the mode also holds after a restart.</summary>
    public bool? Persist { get; init; }
    /// <summary>Of <c>budget</c>: lift.</summary>
    public string? Action { get; init; }

    /// <summary>Of <c>list-notices</c>, <c>test-sink</c> and <c>retry-notices</c>.</summary>
    public string? Sink { get; init; }

    /// <summary>Of <c>cost</c>: task, session, provider, profile, day or day-profile.</summary>
    public string? By { get; init; }
    public bool? All { get; init; }

    /// <summary>Of <c>get-change</c>: the patch too.</summary>
    public bool? Patch { get; init; }

    /// <summary>Of <c>land-task</c> and <c>discard-task</c>.</summary>
    public bool? Force { get; init; }
    public SessionEntry? Entry { get; init; }
    public string? Scratch { get; init; }
    public IReadOnlyList<string>? Topics { get; init; }
}

/// <summary>Confinement asked for an agent. A request that cannot be honoured is refused, never run unconfined.</summary>
public sealed record JailRequest
{
    public string? Name { get; init; }
    public string? Path { get; init; }
    public string? RootPath { get; init; }
    public string? Ip4 { get; init; }
    public string? User { get; init; }
}
