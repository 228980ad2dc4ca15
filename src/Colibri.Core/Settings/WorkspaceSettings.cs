namespace Colibri.Core.Settings;

/// <summary>A workspace: a git repository with rules, <c>[workspaces.NAME]</c>. Only the path must be stated.</summary>
public sealed record WorkspaceSettings
{
    /// <summary>The most times that a failed check sends a run's work back to its agent.</summary>
    public const int MaxRework = 10;

    /// <summary>What tasks ask for: 1 to 64 of <c>a-z A-Z 0-9 . _ -</c>, beginning with a letter or a digit.</summary>
    public required string Name { get; init; }

    /// <summary>The repository's checkout, or a bare repository; absolute.</summary>
    public required string Path { get; init; }
    public Isolation Isolation { get; init; } = Isolation.Worktree;

    /// <summary>The branch that changes start from and land on; null is the branch that is checked out.</summary>
    public string? Base { get; init; }

    /// <summary>The name of a task's branch; <c>{number}</c> and <c>{slug}</c> are replaced.</summary>
    public string Branch { get; init; } = "colibri/{number}-{slug}";

    /// <summary>A shell command for a new worktree; null is none.</summary>
    public string? Setup { get; init; }
    public TimeSpan SetupTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>A shell command that must pass before a run counts as done; null is none.</summary>
    public string? Check { get; init; }
    public TimeSpan CheckTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>How often a failed check goes back to the agent, 0 to <see cref="MaxRework"/>.</summary>
    public int Rework { get; init; } = 1;
    public LandMode Land { get; init; } = LandMode.Review;
    public MergeMode Merge { get; init; } = MergeMode.Merge;

    /// <summary>The profiles that may work here; empty is any.</summary>
    public IReadOnlyList<string> Agents { get; init; } = [];

    /// <summary>How long worktrees of failed and discarded runs are kept.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(7);
}

/// <summary>Where the runs of a workspace work.</summary>
public enum Isolation
{
    /// <summary>Each in a git worktree of its own.</summary>
    Worktree,

    /// <summary>All in the checkout itself, one at a time.</summary>
    Shared,
}

/// <summary>What becomes of a change.</summary>
public enum LandMode
{
    /// <summary>It waits for a person.</summary>
    Review,

    /// <summary>It lands by itself once its check has passed.</summary>
    Auto,

    /// <summary>It stays on its branch.</summary>
    Never,
}

/// <summary>How a change is put onto its base.</summary>
public enum MergeMode
{
    Merge,
    Squash,
    Rebase,
}
