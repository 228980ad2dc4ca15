namespace Colibri.Core.Settings;

/// <summary>All that is configured: the daemon's own settings, and what only the configuration file can hold.</summary>
public sealed record ColibriSettings
{
    public required DaemonConfiguration Daemon { get; init; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<ProfileSettings> Agents { get; init; } = [];
    public IReadOnlyList<WorkspaceSettings> Workspaces { get; init; } = [];

    /// <summary>The groups of tasks that have a limit.</summary>
    public IReadOnlyList<GroupSettings> Groups
    {
        get;
        init => (field, GroupLimits) = (value, value.ToDictionary(group => group.Name, group => group.Limit, StringComparer.Ordinal));
    } = [];

    /// <summary>The limits of <see cref="Groups"/> by their names.</summary>
    public IReadOnlyDictionary<string, int> GroupLimits { get; private init; } = new Dictionary<string, int>();
    public RetentionSettings Retention { get; init; } = new();
    public IReadOnlyList<NotifySettings> Notify { get; init; } = [];

    /// <summary>The file that was read; null where there is none.</summary>
    public string? File { get; init; }

    public ProfileSettings? Agent(string name) => Agents.FirstOrDefault(agent => agent.Name == name);

    public WorkspaceSettings? Workspace(string name) => Workspaces.FirstOrDefault(workspace => workspace.Name == name);
}
