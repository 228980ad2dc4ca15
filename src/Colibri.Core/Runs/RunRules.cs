using Colibri.Core.Processes;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>The limits of one run: the task's own come before its profile's, and those before the daemon's.</summary>
/// <param name="daemon">The daemon's settings.</param>
/// <param name="profile">The agent's profile; null without one.</param>
/// <param name="task">The run's task; null without one.</param>
internal sealed class RunRules(DaemonConfiguration daemon, ProfileSettings? profile, BoardTask? task)
{
    /// <summary>The daemon's settings with these limits.</summary>
    public DaemonConfiguration Settings { get; } = profile is null && task?.RunTimeoutMs is null ? daemon : daemon with
    {
        RunTimeout = task?.RunTimeoutMs is { } ms ? TimeSpan.FromMilliseconds(ms) : profile?.RunTimeout ?? daemon.RunTimeout,
        SilenceTimeout = profile?.SilenceTimeout ?? daemon.SilenceTimeout,
        ToolTimeout = profile?.ToolTimeout ?? daemon.ToolTimeout,
        QuestionTimeout = profile?.QuestionTimeout ?? daemon.QuestionTimeout,
    };

    /// <summary>What the task may cost over all its runs, in micro-cents; null where the daemon's budget applies.</summary>
    public long? BudgetMicrocents { get; } = task?.BudgetMicrocents ?? profile?.BudgetMicrocents;

    /// <summary>What the processes of a profile's agent, check or setup may hold together; null is no limit.</summary>
    public static MemoryLimit? MemoryOf(ProfileSettings? profile) => profile?.MemoryBytes is { } bytes ? new MemoryLimit(bytes, OfProfile("memory", profile)) : null;

    /// <summary>How many processes of a profile's agent, check or setup there may be at once; null is no limit.</summary>
    public static ProcessLimit? ProcessesOf(ProfileSettings? profile) => profile?.Processes is { } count ? new ProcessLimit(count, OfProfile("processes", profile)) : null;

    /// <summary>Where a limit is set, for a person.</summary>
    /// <param name="setting">The daemon's setting, such as <c>COLIBRI_RUN_TIMEOUT</c>.</param>
    public string NameOf(string setting) => setting switch
    {
        "COLIBRI_RUN_TIMEOUT" when task?.RunTimeoutMs is not null => "run_timeout of the task",
        "COLIBRI_RUN_TIMEOUT" when profile?.RunTimeout is not null => OfProfile("run_timeout"),
        "COLIBRI_SILENCE_TIMEOUT" when profile?.SilenceTimeout is not null => OfProfile("silence_timeout"),
        "COLIBRI_TOOL_TIMEOUT" when profile?.ToolTimeout is not null => OfProfile("tool_timeout"),
        "COLIBRI_QUESTION_TIMEOUT" when profile?.QuestionTimeout is not null => OfProfile("question_timeout"),
        "COLIBRI_BUDGET_TASK_USD" when task?.BudgetMicrocents is not null => "budget of the task",
        "COLIBRI_BUDGET_TASK_USD" when profile?.BudgetMicrocents is not null => OfProfile("budget_usd"),
        _ => setting,
    };

    private string OfProfile(string key) => OfProfile(key, profile!);

    private static string OfProfile(string key, ProfileSettings profile) => $"{key} of the profile {profile.Name}";
}
