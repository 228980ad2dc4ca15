namespace Colibri.Core.Board;

/// <summary>
/// What is to be different about a queued task. What is null stays. An empty text or list, and 0 for a number that has no 0, takes the field away.
/// </summary>
public sealed record TaskEdit
{
    public string? Title { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<string>? Capabilities { get; init; }
    public int? Priority { get; init; }
    public int? MaxAttempts { get; init; }
    public string? Key { get; init; }
    public string? SessionId { get; init; }
    public bool? Hold { get; init; }
    public string? Agent { get; init; }
    public string? Model { get; init; }
    public string? Workspace { get; init; }
    public string? Cwd { get; init; }
    public IReadOnlyList<string>? After { get; init; }
    public OnFailed? OnFailed { get; init; }
    public string? Group { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public string? Check { get; init; }
    public TimeSpan? RunTimeout { get; init; }
    public long? BudgetMicrocents { get; init; }
    public string? Tenant { get; init; }
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The task as it is to be. A workspace takes the place of a directory, and the other way round.</summary>
    public NewTask Of(NewTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task with
        {
            Title = Title ?? task.Title,
            Description = Description ?? task.Description,
            Capabilities = Capabilities ?? task.Capabilities,
            Priority = Priority ?? task.Priority,
            MaxAttempts = MaxAttempts ?? task.MaxAttempts,
            Key = Changed(Key, task.Key),
            SessionId = Changed(SessionId, task.SessionId),
            Hold = Hold ?? task.Hold,
            Agent = Changed(Agent, task.Agent),
            Model = Changed(Model, task.Model),
            Workspace = Changed(Workspace, Cwd is { Length: > 0 } ? null : task.Workspace),
            Cwd = Changed(Cwd, Workspace is { Length: > 0 } ? null : task.Cwd),
            After = After is [""] ? [] : After ?? task.After,
            OnFailed = OnFailed ?? task.OnFailed,
            Group = Changed(Group, task.Group),
            Tags = Tags is [""] ? [] : Tags ?? task.Tags,
            Check = Changed(Check, task.Check),
            RunTimeout = RunTimeout is { } timeout ? timeout == TimeSpan.Zero ? null : timeout : task.RunTimeout,
            BudgetMicrocents = BudgetMicrocents is { } budget ? budget == 0 ? null : budget : task.BudgetMicrocents,
            Tenant = Changed(Tenant, task.Tenant),
            NotBefore = NotBefore ?? task.NotBefore,
        };
    }

    private static string? Changed(string? wanted, string? now) => wanted is null ? now : wanted.Length == 0 ? null : wanted;
}
