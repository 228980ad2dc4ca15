using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Board;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol;

namespace Colibri.Core.Agents.Launch;

/// <summary>
/// An agent's environment: the daemon's own without its settings, what its kind and its rights need, the request's variables, and the agent's identity. What it inherits is handed
/// on byte for byte; names are looked at, and nothing is decoded.
/// </summary>
public sealed class AgentEnvironment
{
    private const string OwnPrefix = "COLIBRI_";
    private const string TaskVariable = "COLIBRI_TASK_ID";
    private const string TraceVariable = "TRACEPARENT";

    // A service manager's variables are for the daemon alone: an agent that answers on NOTIFY_SOCKET would speak as the daemon.
    // TERM names a terminal, which an agent does not have. PWD is replaced by the agent's own. The daemon's own place in a trace is not that of a run.
    private static readonly string[] NotInherited =
    [
        "TERM", "PWD", "OLDPWD", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM",
        TraceVariable, "TRACESTATE",
    ];

    private readonly EnvironmentBlock _inherited;

    /// <summary>Copies this process's environment once, so that not every start reads it.</summary>
    public AgentEnvironment()
        : this(EnvironmentBlock.Own())
    {
    }

    internal AgentEnvironment(EnvironmentBlock own) => _inherited = own.Where(
        name => !name.StartsWith(OwnPrefix, StringComparison.Ordinal) && !NotInherited.Contains(name) && !HarnessVariables.Contains(name));

    /// <summary>The value that a request's agent would find; null where it would find none.</summary>
    internal string? ValueFor(SpawnRequest request, string name) => request.Environment.TryGetValue(name, out var stated)
        ? stated
        : _inherited.ValueOf(name) is { } inherited ? Encoding.UTF8.GetString(inherited) : null;

    /// <summary>What a program of the daemon's own finds, such as a sink's: nothing secret, and no setting of the daemon.</summary>
    internal EnvironmentBlock ForTools(Secrets secrets) => _inherited.Where(name => !secrets.IsSecret(name));

    /// <summary>What a program of a kind finds when it is asked for its version, which needs no keys.</summary>
    internal Func<AgentProfile, string, EnvironmentBlock> ForVersions(Secrets secrets, string socketPath) => (kind, program) => Build(
        new SpawnRequest { Binary = program, Runtime = kind.Name, Cwd = "/" }, [], secrets.IsSecret, Guid.NewGuid().ToString(), null, Guid.NewGuid().ToString(), socketPath);

    /// <param name="request">The request.</param>
    /// <param name="keys">The keys that the agent needs; it gets no other key of the daemon.</param>
    /// <param name="isSecret">Whether a variable of the daemon is a key.</param>
    /// <param name="agentId">The agent.</param>
    /// <param name="taskId">Its task, or null.</param>
    /// <param name="sessionId">Its session.</param>
    /// <param name="socketPath">The daemon's socket.</param>
    /// <param name="trace">Its run's place in a trace, or null.</param>
    /// <exception cref="ArgumentException">The request's variables cannot be passed to a process.</exception>
    internal EnvironmentBlock Build(
        SpawnRequest request, IEnumerable<KeyValuePair<string, string>> keys, Predicate<string> isSecret, string agentId, string? taskId, string sessionId, string socketPath,
        RunTrace? trace = null)
    {
        IEnumerable<KeyValuePair<string, string>> identity =
        [
            new(AgentMarker.Variable, agentId),
            new("COLIBRI_SESSION_ID", sessionId),
            new(SocketPaths.EnvironmentVariable, socketPath),
            .. taskId is null ? Array.Empty<KeyValuePair<string, string>>() : [new(TaskVariable, taskId)],
        ];
        var inherited = _inherited.Where(name => !isSecret(name));
        // A shell trusts PWD if it fits, so it has to name the agent's directory and not the daemon's. Without one it finds out by itself.
        // The daemon leaves its own directory first where that was removed.
        _ = WorkingDirectory.Current;
        if (request.Cwd is { } cwd)
            inherited = inherited.With([new("PWD", cwd)]);
        else if (DirectoryBytes.Current() is { } own)
            inherited = inherited.With("PWD", own);
        // The identity is set last, so that a request cannot start an agent under another agent's marker.
        var kind = request.Kind;
        IEnumerable<KeyValuePair<string, string>> rights = request.HeldAccess is { } access ? kind.Rights.Environment(access) : [];
        IEnumerable<KeyValuePair<string, string>> traced = trace is null ? [] : [new(TraceVariable, trace.Parent)];
        return inherited.With([.. traced, .. kind.Environment, .. rights, .. keys, .. request.Environment.Where(variable => variable.Key != TaskVariable)]).With(identity);
    }
}
