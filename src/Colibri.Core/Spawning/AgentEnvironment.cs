using System.Collections;
using Colibri.Protocol;

namespace Colibri.Core.Spawning;

/// <summary>What an agent finds in its environment: the daemon's own without its settings, what was asked for, and who it is.</summary>
internal static class AgentEnvironment
{
    private const string OwnPrefix = "COLIBRI_";
    private const string TaskVariable = "COLIBRI_TASK_ID";

    public static Dictionary<string, string> Build(
        IReadOnlyDictionary<string, string> requested, string agentId, string? taskId, string sessionId, string socketPath)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            if (!name.StartsWith(OwnPrefix, StringComparison.Ordinal))
                variables[name] = (string?)entry.Value ?? "";
        }
        foreach (var (name, value) in requested)
            variables[name] = value;
        // Last, so that nobody can start an agent under another's marker.
        variables[AgentMarker.Variable] = agentId;
        variables["COLIBRI_SESSION_ID"] = sessionId;
        variables[SocketPaths.EnvironmentVariable] = socketPath;
        if (taskId is not null)
            variables[TaskVariable] = taskId;
        else
            variables.Remove(TaskVariable);
        return variables;
    }
}
