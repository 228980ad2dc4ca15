using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Cli.Output;

/// <summary>Things as a daemon would answer them.</summary>
internal static class Samples
{
    public const string TaskId = "019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10";
    public const string AgentId = "019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01";
    public const string SessionId = "019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77";

    public static readonly DateTimeOffset Now = new(2026, 11, 22, 6, 7, 10, 893, TimeSpan.Zero);

    public static readonly Usage Spent = new()
    {
        InputTokens = 12_000,
        OutputTokens = 345,
        CacheReadTokens = 9_000,
        CacheWriteTokens = 800,
        CostMicrocents = 240_000,
    };

    public static readonly BoardTask Queued = new()
    {
        Id = TaskId,
        Title = "Fix the login test",
        Status = TaskState.Queued,
        MaxAttempts = 3,
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    public static readonly BoardTask Failed = Queued with
    {
        Description = "The test fails on Sundays since somebody compared dates in local time. Find it, fix it, keep the others green.\n\n"
            + "\tdotnet test\n",
        Status = TaskState.Failed,
        Capabilities = ["dotnet", "git"],
        Priority = 5,
        Attempts = 3,
        AgentId = AgentId,
        SessionId = SessionId,
        Error = new TaskError("agent-error", "529 overloaded_error after four tries; the provider says to come back in an hour"),
        Verdict = "error",
        Usage = Spent,
        StartedAt = Now.AddSeconds(1),
        FinishedAt = Now.AddSeconds(62),
    };

    public static readonly Pane Working = new()
    {
        Id = AgentId,
        Agent = "pi",
        Runtime = "pi",
        Pid = 4711,
        Lifecycle = Lifecycle.Running,
        Activity = Activity.Working,
        TaskId = TaskId,
        StartedAt = Now,
        Turns = 3,
        Tool = "bash",
        Usage = Spent,
    };

    public static readonly Pane Dead = new()
    {
        Id = SessionId,
        Agent = "colibri-test-agent",
        Runtime = "local",
        Lifecycle = Lifecycle.Stopped,
        Activity = Activity.Error,
        NeedsAttention = true,
        StartedAt = Now,
        Turns = 1_234,
        Error = "no such model: \e[31mgpt-9",
        Exit = new ProcessExit(Code: 3),
    };

    public static readonly CostState Smart = new()
    {
        Mode = CostMode.Smart,
        SessionMaxBytes = 2_000_000,
        MaxUncompactedTurns = 20,
        ToolResultMaxBytes = 16_000,
    };

    public static readonly StatusReport Status = new()
    {
        Version = "0.1.0+8d5991cc76df12bdcd036395f0e20cc9d7594acf",
        Pid = 4242,
        Host = "clawdie",
        StartedAt = Now.AddDays(-3),
        UptimeMs = (long)new TimeSpan(3, 4, 5, 6).TotalMilliseconds,
        Paths = new StatusPaths("/var/run/colibri/colibri.sock", "/var/db/colibri/colibri.sqlite", "/var/db/colibri/sessions"),
        Cost = Smart with { EscalatedFrom = CostMode.Fast, EscalatedAt = Now, EscalatedBy = "session review-42" },
        Scheduler = new StatusScheduler(30_000, Now, 9_121, 2),
        Tasks = new StatusTasks(12, 0, 1, 1_340, 7, 2),
        Agents = new StatusAgents(1, 4, [new StatusAgent(AgentId, "pi", Activity.Working, TaskId)]),
        Panes = 3,
        Cgroup = new StatusCgroup("/sys/fs/cgroup/system.slice/colibri-daemon.service"),
        Cache = new StatusCache(21_800, 9_000, 0.4128),
        Headroom = new StatusHeadroom(false, null, false),
        Counters = new StatusCounters { EventsMissed = 17, RequestsTooLarge = 1 },
    };

    public static string Json<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.Serialize(value, type);
}
