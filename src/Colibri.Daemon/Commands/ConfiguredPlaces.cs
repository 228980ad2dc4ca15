using Colibri.Core.Board;
using Colibri.Core.Settings;
using Colibri.Daemon.Server;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>What of the configuration a task may name, asked anew for each request.</summary>
/// <param name="settings">The settings in force.</param>
internal sealed class ConfiguredPlaces(Func<ColibriSettings> settings)
{
    /// <summary>Why no profile can ever take such a task, in a line that begins with the field at fault; null where one can.</summary>
    public Func<NewTask, string?> WhyNever { get; init; } = static _ => null;

    public IReadOnlyList<StatusProfile>? Profiles =>
        settings().Agents is { Count: > 0 } agents ? [.. agents.Select(agent => new StatusProfile(agent.Name, agent.Kind, agent.Max))] : null;

    public IReadOnlyList<StatusWorkspace>? Workspaces =>
        settings().Workspaces is { Count: > 0 } workspaces ? [.. workspaces.Select(workspace => new StatusWorkspace(workspace.Name, workspace.Path))] : null;

    /// <summary>Refuses a task that names what is not there, before anything of it is stored.</summary>
    /// <exception cref="RequestException">Its message names the field, the value and what there is.</exception>
    public void Require(NewTask task)
    {
        var now = settings();
        if (task is { Workspace: not null, Cwd: not null })
            throw CommandContext.Bad("workspace", "and cwd exclude each other: a task works in a workspace or in a directory");
        if (task.Workspace is { } workspace && now.Workspace(workspace) is null)
            throw CommandContext.Bad("workspace", $"is '{workspace}', which is not configured; {Known("workspaces", now.Workspaces.Select(known => known.Name))}");
        if (task.Agent is { } agent && now.Agent(agent) is null)
            throw CommandContext.Bad("agent", $"is '{agent}', which is not configured; {Known("agents", now.Agents.Select(known => known.Name))}");
        if (WhyNever(task) is { } never)
            throw new RequestException(Protocol.ErrorCodes.BadRequest, never);
    }

    private static string Known(string what, IEnumerable<string> names) =>
        string.Join(", ", names) is { Length: > 0 } known ? $"there are: {known}" : $"there are no {what} in the configuration";
}
