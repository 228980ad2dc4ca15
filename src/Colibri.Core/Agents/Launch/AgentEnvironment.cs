using System.Collections;
using Colibri.Core.Processes;
using Colibri.Protocol;

namespace Colibri.Core.Agents.Launch;

/// <summary>What an agent finds in its environment: the daemon's own without its settings, what was asked for, and who it is.</summary>
public sealed class AgentEnvironment
{
    private const string OwnPrefix = "COLIBRI_";
    private const string TaskVariable = "COLIBRI_TASK_ID";

    // What a service manager tells the daemon is not meant for its children: an agent that answers on NOTIFY_SOCKET speaks as the daemon.
    private static readonly string[] NotInherited =
    [
        "OLDPWD", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM",
    ];

    private readonly Dictionary<string, string> _inherited = new(StringComparer.Ordinal);

    /// <summary>Takes this process's environment as it is now; it is read once, not at every start.</summary>
    public AgentEnvironment()
    {
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            if (!name.StartsWith(OwnPrefix, StringComparison.Ordinal) && !NotInherited.Contains(name) && !HarnessVariables.Contains(name))
                _inherited[name] = (string?)entry.Value ?? "";
        }
    }

    /// <param name="request">What was asked for.</param>
    /// <param name="keys">The keys it needs; no other key of the daemon's reaches it.</param>
    /// <param name="isSecret">Whether a variable of the daemon's is a key.</param>
    /// <param name="agentId">The agent.</param>
    /// <param name="taskId">Its task, or null.</param>
    /// <param name="sessionId">Its session.</param>
    /// <param name="socketPath">The daemon's socket.</param>
    internal Dictionary<string, string> Build(
        SpawnRequest request, IEnumerable<KeyValuePair<string, string>> keys, Predicate<string> isSecret, string agentId, string? taskId, string sessionId, string socketPath)
    {
        var variables = _inherited.Where(variable => !isSecret(variable.Key)).ToDictionary(StringComparer.Ordinal);
        // A shell trusts it where it fits, and prints the daemon's directory where it does not.
        variables["PWD"] = request.Cwd ?? Environment.CurrentDirectory;
        foreach (var (name, value) in keys)
            variables[name] = value;
        foreach (var (name, value) in request.Environment)
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
