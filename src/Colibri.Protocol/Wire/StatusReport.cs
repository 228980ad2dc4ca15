namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>status</c>: the daemon at a glance.</summary>
public sealed record StatusReport
{
    public required string Version { get; init; }
    public required int Pid { get; init; }
    public required string Host { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required long UptimeMs { get; init; }
    public required StatusPaths Paths { get; init; }

    /// <summary>The daemon's own files that are gone, replaced or refused by the disk; absent while all are as they should be.</summary>
    public IReadOnlyList<StatusFile>? Files { get; init; }
    public required CostState Cost { get; init; }
    public required StatusScheduler Scheduler { get; init; }
    public required StatusTasks Tasks { get; init; }
    public required StatusAgents Agents { get; init; }

    /// <summary>Those that tasks may name; absent where none is configured.</summary>
    public IReadOnlyList<StatusWorkspace>? Workspaces { get; init; }

    /// <summary>The groups of tasks that have a limit; absent where none is configured.</summary>
    public IReadOnlyList<StatusGroup>? Groups { get; init; }

    /// <summary>Panes in the glasspane, stopped ones included.</summary>
    public required int Panes { get; init; }
    public required StatusCache Cache { get; init; }

    /// <summary>Absent from a daemon that keeps no budgets.</summary>
    public BudgetState? Budget { get; init; }

    /// <summary>Programs that are not started for a while, since they do nothing but crash; absent where there are none.</summary>
    public IReadOnlyList<StatusBreaker>? Breakers { get; init; }

    /// <summary>Where agents get cgroups of their own, or why not; absent on a system that has none.</summary>
    public StatusCgroup? Cgroup { get; init; }

    /// <summary>The resident agent of COLIBRI_AUTOSPAWN; absent where there is to be none.</summary>
    public StatusAutospawn? Autospawn { get; init; }

    /// <summary>Runs of an earlier daemon that are not closed yet; absent where there are none.</summary>
    public StatusLeftovers? Leftovers { get; init; }

    /// <summary>The routes of COLIBRI_PROVIDERS in order, then the providers without a route that have failed; absent where there are none.</summary>
    public IReadOnlyList<StatusRoute>? Providers { get; init; }

    /// <summary>The file system that has the least room, measured by what starts need; absent where none can be looked at.</summary>
    public StatusDisk? Disk { get; init; }

    /// <summary>What operators have paused; absent from a daemon that knows no pauses.</summary>
    public QueueState? Queue { get; init; }

    /// <summary>Who is told of what waits for a person; absent where nobody is.</summary>
    public SinkReport? Notify { get; init; }

    /// <summary>The schedules at a glance; absent where there are none.</summary>
    public StatusSchedules? Schedules { get; init; }

    /// <summary>Absent from a daemon that assembles no prompts.</summary>
    public StatusPrompt? Prompt { get; init; }
    public required StatusHeadroom Headroom { get; init; }
    public required StatusCounters Counters { get; init; }
}

/// <param name="Count">How many there are, paused ones included.</param>
/// <param name="Next">Which fires next; absent where none does.</param>
/// <param name="NextAt">When.</param>
/// <param name="Problems">How many cannot fire.</param>
public sealed record StatusSchedules(long Count, string? Next, DateTimeOffset? NextAt, long Problems);

public sealed record StatusPaths(string Socket, string Db, string Sessions, string? Log = null);

/// <param name="IntervalMs">Time between ticks.</param>
/// <param name="LastTickAt">When the latest tick ran; absent before the first.</param>
/// <param name="Ticks">Ticks since the daemon started.</param>
/// <param name="Unmatched">Queued tasks that no configured agent can take, seen when the queue was last looked through.</param>
/// <param name="MissingAgent">The configured agent's program, where it is not there to be started or cannot be executed: tasks wait for it.</param>
/// <param name="MissingReason">Why it cannot be executed though it is there.</param>
public sealed record StatusScheduler(long IntervalMs, DateTimeOffset? LastTickAt, long Ticks, int Unmatched, string? MissingAgent = null, string? MissingReason = null);

public sealed record StatusTasks(long Queued, long Claimed, long Started, long Done, long Failed, long Cancelled);

/// <param name="Running">Those that live.</param>
/// <param name="Max">The most at once.</param>
/// <param name="List">Those that live.</param>
/// <param name="Profiles">Those that tasks may name; absent where none is configured.</param>
public sealed record StatusAgents(int Running, int Max, IReadOnlyList<StatusAgent> List, IReadOnlyList<StatusProfile>? Profiles = null);

public sealed record StatusAgent(string Id, string Agent, Activity Activity, string? TaskId = null, string? Label = null, long? TaskNumber = null);

/// <param name="Name">What tasks ask for.</param>
/// <param name="Kind">One of <see cref="Runtimes"/>.</param>
/// <param name="Max">Its agents at once; absent for no limit of its own.</param>
public sealed record StatusProfile(string Name, string Kind, int? Max = null);

/// <param name="Name">What tasks ask for.</param>
/// <param name="Path">Its repository.</param>
public sealed record StatusWorkspace(string Name, string Path);

/// <param name="Name">What tasks name.</param>
/// <param name="Limit">The most of its tasks that are claimed or started at once.</param>
/// <param name="Running">Those that are.</param>
/// <param name="Queued">Those that wait, for whatever reason.</param>
public sealed record StatusGroup(string Name, int Limit, long Running, long Queued);

/// <param name="InputTokens">Tokens sent, cached or not, since the daemon started.</param>
/// <param name="CachedTokens">Of those, read from a provider's prefix cache.</param>
/// <param name="HitRate">Cached over sent, 0 to 1; 0 when nothing was sent.</param>
public sealed record StatusCache(long InputTokens, long CachedTokens, double HitRate);

/// <param name="PrefixSha256">SHA-256 of the prefix that every prompt starts with, in lower-case hexadecimal.</param>
/// <param name="PrefixBytes">Its length in UTF-8.</param>
public sealed record StatusPrompt(string PrefixSha256, int PrefixBytes);

/// <param name="Enabled">Whether tool results are handed to a sidecar that shortens them.</param>
/// <param name="Socket">Where it listens.</param>
/// <param name="Connected">Whether it is there now.</param>
/// <param name="Requests">Texts handed over since the daemon started.</param>
/// <param name="Shortened">Of those, the ones that came back shorter in time.</param>
/// <param name="Passed">Of those, the ones that stayed as they were.</param>
/// <param name="BytesSaved">By the shortened ones, in UTF-8.</param>
/// <param name="LastError">Why a text stayed as it was, or why there is no connection.</param>
public sealed record StatusHeadroom(
    bool Enabled, string? Socket, bool Connected, long Requests = 0, long Shortened = 0, long Passed = 0, long BytesSaved = 0, string? LastError = null);

/// <param name="State"><c>ok</c>, or <c>low</c>: no agent is started.</param>
/// <param name="FreeBytes">What is free for the daemon's user.</param>
/// <param name="MinFreeBytes">What must be free for starts.</param>
/// <param name="Path">A directory of the daemon's on it.</param>
public sealed record StatusDisk(string State, long FreeBytes, long MinFreeBytes, string Path)
{
    public const string Ok = "ok";

    public const string Low = "low";
}

/// <param name="Program">Its path.</param>
/// <param name="Until">When it is tried again.</param>
/// <param name="Crashes">In a row.</param>
/// <param name="LastError">Why, the latest time.</param>
public sealed record StatusBreaker(string Program, DateTimeOffset Until, int Crashes, string? LastError);

/// <param name="Parent">The directory of the cgroup below which each agent gets one; absent where none does.</param>
/// <param name="Reason">Why none does, or why the latest agent without one got none.</param>
public sealed record StatusCgroup(string? Parent, string? Reason = null);

/// <param name="Binary">Its program.</param>
/// <param name="State"><c>starting</c>, <c>waiting-for-key</c>, <c>running</c>, <c>backing-off</c> after an end that no operator asked for, or <c>stopped</c> by an operator.</param>
/// <param name="AgentId">While it runs.</param>
public sealed record StatusAutospawn(string Binary, string State, string? AgentId = null);

/// <param name="Runs">How many; their tasks are held.</param>
/// <param name="Reason">Why the latest try failed; absent where a process of theirs survives.</param>
public sealed record StatusLeftovers(int Runs, string? Reason = null);

/// <param name="Provider">Its name; where it is not known, the name of the program that asks it.</param>
/// <param name="Model">The model; absent for the provider's default.</param>
/// <param name="State">
/// <c>ready</c>, <c>no-key</c>, <c>auth-failed</c> (until the key changes or <c>resume-queue</c>), <c>backing-off</c>, <c>resting</c>, or <c>trying</c>: the
/// wait is over, and one task tries first.
/// </param>
/// <param name="Until">When it is ready again.</param>
/// <param name="Failures">In a row.</param>
/// <param name="LastError">The agent's words about the latest one.</param>
/// <param name="Program">The program, where its provider is not known; else absent.</param>
public sealed record StatusRoute(string Provider, string? Model, string State, DateTimeOffset? Until, int Failures, string? LastError, string? Program = null);

/// <summary>How often each stated limit was hit since the daemon started.</summary>
public sealed record StatusCounters
{
    public long Connections { get; init; }
    public long ConnectionsRefused { get; init; }

    /// <summary>Idle ones, closed to make room for new ones.</summary>
    public long ConnectionsEvicted { get; init; }
    public long RequestsTooLarge { get; init; }
    public long EventsMissed { get; init; }
    public long PanesEvicted { get; init; }
    public long LogLinesDropped { get; init; }
    public long SessionEntriesDropped { get; init; }
    public long BoardQueueFull { get; init; }
}
