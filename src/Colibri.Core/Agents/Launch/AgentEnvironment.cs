using System.Collections;
using Colibri.Core.Processes;
using Colibri.Protocol;

namespace Colibri.Core.Agents.Launch;

/// <summary>An agent's environment: the daemon's own without its settings, the request's variables, and the agent's identity.</summary>
public sealed class AgentEnvironment
{
    private const string OwnPrefix = "COLIBRI_";
    private const string TaskVariable = "COLIBRI_TASK_ID";

    // A service manager's variables are for the daemon alone: an agent that answers on NOTIFY_SOCKET would speak as the daemon.
    private static readonly string[] NotInherited =
    [
        "OLDPWD", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM",
    ];

    private readonly Dictionary<string, string> _inherited = new(StringComparer.Ordinal);

    /// <summary>Copies this process's environment once, so that not every start reads it.</summary>
    public AgentEnvironment()
    {
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            if (!name.StartsWith(OwnPrefix, StringComparison.Ordinal) && !NotInherited.Contains(name) && !HarnessVariables.Contains(name))
                _inherited[name] = (string?)entry.Value ?? "";
        }
    }

    /// <param name="request">The request.</param>
    /// <param name="keys">The keys that the agent needs; it gets no other key of the daemon.</param>
    /// <param name="isSecret">Whether a variable of the daemon is a key.</param>
    /// <param name="agentId">The agent.</param>
    /// <param name="taskId">Its task, or null.</param>
    /// <param name="sessionId">Its session.</param>
    /// <param name="socketPath">The daemon's socket.</param>
    internal Dictionary<string, string> Build(
        SpawnRequest request, IEnumerable<KeyValuePair<string, string>> keys, Predicate<string> isSecret, string agentId, string? taskId, string sessionId, string socketPath)
    {
        var variables = _inherited.Where(variable => !isSecret(variable.Key)).ToDictionary(StringComparer.Ordinal);
        // A shell trusts PWD if it fits, so it has to name the agent's directory and not the daemon's.
        variables["PWD"] = request.Cwd ?? WorkingDirectory.Current;
        foreach (var (name, value) in keys)
            variables[name] = value;
        foreach (var (name, value) in request.Environment)
            variables[name] = value;
        // Set last, so that a request cannot start an agent under another agent's marker.
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
