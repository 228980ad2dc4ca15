using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>A schedule: what makes a task at its times.</summary>
public sealed record Schedule
{
    public required string Name { get; init; }

    /// <summary>One of these three says when.</summary>
    public string? Cron { get; init; }
    public long? EveryMs { get; init; }
    public string? At { get; init; }

    /// <summary>The IANA name of the zone whose clocks <see cref="Cron"/> and <see cref="At"/> mean.</summary>
    public required string Zone { get; init; }

    /// <summary>What a firing does while a task of an earlier one is not over: <c>skip</c>, <c>queue</c> or <c>replace</c>.</summary>
    public required string Overlap { get; init; }

    /// <summary>
    /// Which times are made up for that the daemon was not there to meet: <c>none</c>, <c>once</c> or <c>all</c>. The number of those that were not is
    /// <see cref="MissedCount"/>.
    /// </summary>
    public required string Missed { get; init; }
    public int MissedMax { get; init; }
    public long JitterMs { get; init; }
    public bool Paused { get; init; }

    /// <summary>True of a schedule whose only time has come: it stays until it is deleted. Else absent.</summary>
    public bool? Over { get; init; }

    /// <summary>The next firing; absent while it is paused, and once it is over. With a jitter, the task's <c>not_before</c> is later.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The same as the clocks of <see cref="Zone"/> show it, with their offset.</summary>
    public string? NextLocal { get; init; }

    /// <summary>The latest time that has come, and what became of it: <c>fired</c>, <c>skipped-overlap</c> or <c>missed</c>.</summary>
    public DateTimeOffset? LastAt { get; init; }
    public string? LastOutcome { get; init; }

    /// <summary>The task of the latest firing.</summary>
    public ScheduledTask? LastTask { get; init; }

    /// <summary>Times that have come: those that made a task, those skipped for an earlier task, and those missed.</summary>
    public long Fired { get; init; }
    public long Skipped { get; init; }
    public long MissedCount { get; init; }

    /// <summary>Why it cannot fire now. Once it can, the times of meanwhile count as missed ones.</summary>
    public string? Problem { get; init; }

    /// <summary>What each firing makes.</summary>
    public required TaskTemplate Task { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>The task of a firing.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">Its number.</param>
public sealed record ScheduledTask(string Id, long Number);

/// <summary>The fields of <c>create-task</c>, without the key: each firing makes a task of its own.</summary>
public sealed record TaskTemplate
{
    public string? Title { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<string>? Capabilities { get; init; }
    public int? Priority { get; init; }
    public int? MaxAttempts { get; init; }

    /// <summary>Always refused: with a key every firing after the first would answer with the first one's task.</summary>
    public string? Key { get; init; }
    public string? SessionId { get; init; }
    public bool? Hold { get; init; }
    public string? Agent { get; init; }
    public string? Model { get; init; }
    public string? Workspace { get; init; }
    public string? Cwd { get; init; }

    [JsonConverter(typeof(NameListConverter))]
    public IReadOnlyList<string>? After { get; init; }
    public DateTimeOffset? NotBefore { get; init; }
    public string? Group { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public string? Check { get; init; }
    public long? RunTimeoutMs { get; init; }
    public long? BudgetMicrocents { get; init; }
    public string? Tenant { get; init; }
    public string? OnFailed { get; init; }

    /// <summary>What a request says of a task.</summary>
    public static TaskTemplate Of(CommandRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new TaskTemplate
        {
            Title = request.Title,
            Description = request.Description,
            Capabilities = request.Capabilities,
            Priority = request.Priority,
            MaxAttempts = request.MaxAttempts,
            Key = request.Key,
            SessionId = request.SessionId,
            Hold = request.Hold,
            Agent = request.Agent,
            Model = request.Model,
            Workspace = request.Workspace,
            Cwd = request.Cwd,
            After = request.After,
            NotBefore = request.NotBefore,
            Group = request.Group,
            Tags = request.Tags,
            Check = request.Check,
            RunTimeoutMs = request.RunTimeoutMs,
            BudgetMicrocents = request.BudgetMicrocents,
            Tenant = request.Tenant,
            OnFailed = request.OnFailed,
        };
    }

    /// <summary>The request that would make such a task.</summary>
    public CommandRequest Request(string command) => new()
    {
        Cmd = command,
        Title = Title,
        Description = Description,
        Capabilities = Capabilities,
        Priority = Priority,
        MaxAttempts = MaxAttempts,
        Key = Key,
        SessionId = SessionId,
        Hold = Hold,
        Agent = Agent,
        Model = Model,
        Workspace = Workspace,
        Cwd = Cwd,
        After = After,
        NotBefore = NotBefore,
        Group = Group,
        Tags = Tags,
        Check = Check,
        RunTimeoutMs = RunTimeoutMs,
        BudgetMicrocents = BudgetMicrocents,
        Tenant = Tenant,
        OnFailed = OnFailed,
    };
}

/// <summary>The answer to the commands about one schedule.</summary>
/// <param name="Schedule">As it is now; of a deleted one, as it was; of a preview, as it would be.</param>
/// <param name="Replaced">True where one of that name was there before; else absent.</param>
/// <param name="Next">Of a preview: the next firings, as the clocks of the zone show them, with their offset.</param>
public sealed record ScheduleAnswer(Schedule Schedule, bool? Replaced = null, IReadOnlyList<string>? Next = null);

/// <summary>The answer to <c>list-schedules</c>.</summary>
/// <param name="Schedules">By name.</param>
public sealed record ScheduleList(IReadOnlyList<Schedule> Schedules);
