using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// A run of a tenant's task is confined in that tenant's root, and a run of another task is not. The claimed task decides: it may have been edited since
/// its agent was chosen. Then the attempt is given back, and the task goes to another agent.
/// </summary>
internal sealed class TenantStep : IRunStep
{
    /// <summary>The error code of a run whose agent is confined for another tenant than its task's.</summary>
    public const string Moved = "tenant";

    public Task<TaskError?> RunAsync(Run run)
    {
        if (run is not { Task: { } task, Site: { } site } || task.Tenant == site.Tenant)
            return Task.FromResult<TaskError?>(null);
        var confined = site.Tenant is { } tenant ? $"is confined in the root of tenant {tenant}" : "is not confined for a tenant";
        return Task.FromResult<TaskError?>(new TaskError(Moved, $"the task was edited while its agent was chosen: it is of {(task.Tenant is { } its ? $"tenant {its}" : "no tenant")}, and the agent {confined}"));
    }
}
