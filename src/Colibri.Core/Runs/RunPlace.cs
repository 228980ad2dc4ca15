using Colibri.Core.Processes;
using Colibri.Core.Settings;
using Colibri.Posix.Spawning;

namespace Colibri.Core.Runs;

/// <summary>Where a run works.</summary>
/// <param name="Directory">Absolute.</param>
internal sealed record RunPlace(string Directory)
{
    /// <summary>The same directory as a confined agent sees it.</summary>
    public string? Inside { get; init; }

    /// <summary>The workspace's name; null for a directory of the task's own, or one that the task names.</summary>
    public string? Workspace { get; init; }

    /// <summary>The workspace as it was when the run was placed; null outside of one.</summary>
    public WorkspaceSettings? Settings { get; init; }

    /// <summary>The task's worktree; null where it works elsewhere.</summary>
    public RunTree? Tree { get; init; }
}

/// <summary>What a step may do in the name of the run's agent: as its user, confined as it is, and found by its marker after a kill of the daemon.</summary>
internal interface IRunSite
{
    /// <summary>Whether the run is to end: the daemon stops, or the task was cancelled.</summary>
    bool IsStopping { get; }

    /// <summary>The directory that is the agent's root; null where it is not confined.</summary>
    string? Root { get; }

    /// <summary>The tenant in whose root the agent is confined; null without one.</summary>
    string? Tenant { get; }

    /// <summary>A directory as the agent sees it; null where its confinement does not hold it.</summary>
    string? Inside(string directory);

    /// <summary>Shows where the run works.</summary>
    void ShowPlace(string directory);

    /// <summary>Runs a shell command (<c>/bin/sh -c</c>) while no process of the agent lives, and ends all that it leaves.</summary>
    /// <param name="command">The command.</param>
    /// <param name="directory">Where.</param>
    /// <param name="limit">Its time.</param>
    /// <exception cref="SpawnException">It cannot be started.</exception>
    Task<CommandOutcome> ExecuteAsync(string command, string directory, TimeSpan limit);
}
