namespace Colibri.Core.Settings;

/// <summary>The keys of <c>[workspaces.NAME]</c>, in the order in which they are printed.</summary>
internal static class WorkspaceKeys
{
    private static readonly TimeSpan ShortestCommand = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestCommand = TimeSpan.FromDays(1);

    public static IReadOnlyList<FileKey<WorkspaceSettings>> All { get; } =
    [
        FileKey<WorkspaceSettings>.Path("path", workspace => workspace.Path is { Length: > 0 } path ? path : null, (workspace, path) => workspace with { Path = path }),
        FileKey<WorkspaceSettings>.Choice(
            "isolation", [("worktree", Isolation.Worktree), ("shared", Isolation.Shared)], workspace => workspace.Isolation, (workspace, value) => workspace with { Isolation = value }),
        new(
            "base",
            "a branch's name",
            (workspace, value) => workspace with { Base = value.Text(BranchName.IsRight, "use a branch's name that git takes, such as \"main\"") },
            workspace => workspace.Base is { } name ? TomlLiteral.Text(name) : null),
        new(
            "branch",
            "a branch's name with {number}",
            (workspace, value) => workspace with
            {
                Branch = value.Text(BranchName.IsTemplate, "use a branch's name that git takes, with {number} and perhaps {slug}, such as \"colibri/{number}-{slug}\""),
            },
            workspace => TomlLiteral.Text(workspace.Branch)),
        FileKey<WorkspaceSettings>.Command("setup", workspace => workspace.Setup, (workspace, command) => workspace with { Setup = command }),
        FileKey<WorkspaceSettings>.Duration(
            "setup_timeout", ShortestCommand, LongestCommand, workspace => workspace.SetupTimeout, (workspace, time) => workspace with { SetupTimeout = time }),
        FileKey<WorkspaceSettings>.Command("check", workspace => workspace.Check, (workspace, command) => workspace with { Check = command }),
        FileKey<WorkspaceSettings>.Duration(
            "check_timeout", ShortestCommand, LongestCommand, workspace => workspace.CheckTimeout, (workspace, time) => workspace with { CheckTimeout = time }),
        FileKey<WorkspaceSettings>.Integer("rework", 0, WorkspaceSettings.MaxRework, workspace => workspace.Rework, (workspace, times) => workspace with { Rework = times }),
        FileKey<WorkspaceSettings>.Choice(
            "land", [("review", LandMode.Review), ("auto", LandMode.Auto), ("never", LandMode.Never)], workspace => workspace.Land, (workspace, value) => workspace with { Land = value }),
        FileKey<WorkspaceSettings>.Choice(
            "merge",
            [("merge", MergeMode.Merge), ("squash", MergeMode.Squash), ("rebase", MergeMode.Rebase)],
            workspace => workspace.Merge,
            (workspace, value) => workspace with { Merge = value }),
        new(
            "agents",
            "a list of profiles",
            (workspace, value) => workspace with
            {
                Agents = value.Names(SettingsReader.MaxProfiles, SettingsReader.IsName, $"use a list of up to {SettingsReader.MaxProfiles} profiles, such as [\"claude\"]"),
            },
            workspace => workspace.Agents is { Count: > 0 } names ? TomlLiteral.Texts(names) : null),
        FileKey<WorkspaceSettings>.Duration("keep", TimeSpan.Zero, TimeSpan.FromDays(3_650), workspace => workspace.Keep, (workspace, time) => workspace with { Keep = time }),
    ];
}
