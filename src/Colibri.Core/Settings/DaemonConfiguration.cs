using Colibri.Protocol;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Settings;

/// <summary>Everything that the environment decides, read once at start.</summary>
public sealed record DaemonConfiguration
{
    private const string DefaultJailStageDirectory = "/var/colibri-stage";

    public required string SocketPath { get; init; }
    public required string DatabasePath { get; init; }
    public required string SessionsDirectory { get; init; }
    public required string Host { get; init; }
    public CostMode CostMode { get; init; } = CostMode.Smart;

    /// <summary>Time between scheduler ticks, 10 ms to 1 day.</summary>
    public TimeSpan SchedulerInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Agents alive at once, 1 to 4,096.</summary>
    public int MaxAgents { get; init; } = 4;

    /// <summary>The agent started for a queued task; null leaves tasks to outside claimants.</summary>
    public string? AgentBinary { get; init; }
    public IReadOnlyList<string> AgentArguments { get; init; } = [];
    public bool Autospawn { get; init; }
    public string AutospawnBinary { get; init; } = "zot";
    public IReadOnlyList<string> AutospawnArguments { get; init; } = [];
    public string? AutospawnRpcPrompt { get; init; }
    public IReadOnlyList<ProviderRoute> Providers { get; init; } = [];

    /// <summary>Providers of <see cref="Providers"/> that need no key.</summary>
    public IReadOnlyList<string> KeylessProviders { get; init; } = [];

    /// <summary>The file that holds keys; null for none.</summary>
    public string? ProviderEnvFile { get; init; }

    /// <summary>Silence after which a live agent counts as stalled, 100 ms to 365 days.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromHours(4);
    /// <summary>While a tool of its runs, a live agent counts as stalled after this silence, where that is longer; 100 ms to 365 days.</summary>
    public TimeSpan ToolTimeout { get; init; } = TimeSpan.FromHours(2);

    /// <summary>An agent with a prompt must have printed an event by then, 1 s to 1 day.</summary>
    public TimeSpan FirstEventTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A stalled agent that works is not only shown but ended.</summary>
    public bool StallKill { get; init; }

    /// <summary>Once its run is over, an agent that was started for it must have exited by then, 100 ms to 1 day.</summary>
    public TimeSpan ExitTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a run may take, 1 s to 365 days.</summary>
    public TimeSpan RunTimeout { get; init; } = TimeSpan.FromHours(24);
    public JailPrivilegeMode JailPrivilegeMode { get; init; } = JailPrivilegeMode.Mdo;

    /// <summary>Where files are left for an agent in a jail, within the jail's root.</summary>
    public string JailStageDirectory { get; init; } = DefaultJailStageDirectory;
    public string? JailRootBase { get; init; }
    public bool HeadroomEnabled { get; init; }
    /// <summary>Where the sidecar that shortens tool results listens; by default <c>headroom.sock</c> beside the daemon's own socket.</summary>
    public string? HeadroomSocket { get; init; }
    /// <summary>What one task may cost, in micro-cents (1 USD is 100,000,000); null is no budget.</summary>
    public long? TaskBudgetMicrocents { get; init; }

    /// <summary>What all agents may cost in a day of UTC, in micro-cents; null is no budget.</summary>
    public long? DayBudgetMicrocents { get; init; }

    /// <summary>The operator's prices; null is none.</summary>
    public string? PricesFile { get; init; }
    public string? PromptPrefixFile { get; init; }

    /// <summary>A task whose session already has entries starts with them before its own prompt.</summary>
    public bool SchedulerPromptInjection { get; init; }
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
    public LogFormat LogFormat { get; init; } = LogFormat.Text;

    /// <summary>Reads an environment.</summary>
    /// <param name="environment">The process environment.</param>
    /// <param name="isWritableDirectory">Whether a directory is there and this user may create files in it.</param>
    /// <param name="hostName">The host's own name, where <c>COLIBRI_HOST</c> does not state one.</param>
    /// <exception cref="ConfigurationException">A variable holds what cannot be used.</exception>
    public static DaemonConfiguration Read(
        IReadOnlyDictionary<string, string> environment, Func<string, bool> isWritableDirectory, string hostName)
    {
        var reader = new EnvironmentReader(environment);
        var database = AbsolutePath(reader, "COLIBRI_DB_PATH") ?? DefaultDatabasePath(reader, isWritableDirectory);
        var socket = AbsolutePath(reader, SocketPaths.EnvironmentVariable)
            ?? SocketPaths.Resolve(reader.Text, () => isWritableDirectory(Path.GetDirectoryName(SocketPaths.Service)!));
        return new DaemonConfiguration
        {
            SocketPath = socket,
            DatabasePath = database,
            SessionsDirectory = AbsolutePath(reader, "COLIBRI_SESSIONS_DIR") ?? Path.Combine(Path.GetDirectoryName(database)!, "sessions"),
            Host = reader.Text("COLIBRI_HOST") ?? hostName,
            CostMode = reader.Choice("COLIBRI_COST_MODE", CostMode.Smart, ("fast", CostMode.Fast), ("smart", CostMode.Smart), ("max", CostMode.Max)),
            SchedulerInterval = reader.Duration(
                "COLIBRI_SCHEDULER_INTERVAL", TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1)),
            MaxAgents = reader.Integer("COLIBRI_MAX_AGENTS", 4, 1, 4_096),
            AgentBinary = reader.Text("COLIBRI_AGENT_BINARY"),
            AgentArguments = reader.Words("COLIBRI_AGENT_ARGS"),
            Autospawn = reader.Boolean("COLIBRI_AUTOSPAWN", false),
            AutospawnBinary = reader.Text("COLIBRI_AUTOSPAWN_BINARY") ?? "zot",
            AutospawnArguments = reader.Words("COLIBRI_AUTOSPAWN_ARGS"),
            AutospawnRpcPrompt = reader.Text("COLIBRI_AUTOSPAWN_RPC_PROMPT"),
            Providers = Routes(reader, "COLIBRI_PROVIDERS"),
            KeylessProviders = (reader.Text("COLIBRI_PROVIDERS_KEYLESS") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            ProviderEnvFile = AbsolutePath(reader, "COLIBRI_PROVIDER_ENV"),
            StallAfter = reader.Duration("COLIBRI_STALL_AFTER", TimeSpan.FromHours(4), TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365)),
            FirstEventTimeout = reader.Duration(
                "COLIBRI_FIRST_EVENT_TIMEOUT", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            StallKill = reader.Boolean("COLIBRI_STALL_KILL", false),
            ToolTimeout = reader.Duration("COLIBRI_TOOL_TIMEOUT", TimeSpan.FromHours(2), TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365)),
            ExitTimeout = reader.Duration("COLIBRI_EXIT_TIMEOUT", TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1)),
            RunTimeout = reader.Duration("COLIBRI_RUN_TIMEOUT", TimeSpan.FromHours(24), TimeSpan.FromSeconds(1), TimeSpan.FromDays(365)),
            JailPrivilegeMode = reader.Choice(
                "COLIBRI_JAIL_PRIV_MODE",
                JailPrivilegeMode.Mdo,
                ("none", JailPrivilegeMode.None),
                ("mdo", JailPrivilegeMode.Mdo),
                ("sudo", JailPrivilegeMode.Sudo)),
            JailStageDirectory = StageDirectory(reader, "COLIBRI_JAIL_STAGE_DIR"),
            JailRootBase = AbsolutePath(reader, "COLIBRI_JAIL_ROOT_BASE"),
            HeadroomEnabled = reader.Boolean("COLIBRI_HEADROOM_ENABLED", false),
            HeadroomSocket = AbsolutePath(reader, "COLIBRI_HEADROOM_SOCKET") ?? Path.Combine(Path.GetDirectoryName(socket)!, "headroom.sock"),
            TaskBudgetMicrocents = reader.Dollars("COLIBRI_BUDGET_TASK_USD"),
            DayBudgetMicrocents = reader.Dollars("COLIBRI_BUDGET_DAY_USD"),
            PricesFile = AbsolutePath(reader, "COLIBRI_PRICES_FILE"),
            PromptPrefixFile = AbsolutePath(reader, "COLIBRI_PROMPT_PREFIX_FILE"),
            SchedulerPromptInjection = reader.Boolean("COLIBRI_SCHEDULER_PROMPT_INJECTION", false),
            LogLevel = reader.Choice(
                "COLIBRI_LOG_LEVEL",
                LogLevel.Information,
                ("trace", LogLevel.Trace),
                ("debug", LogLevel.Debug),
                ("info", LogLevel.Information),
                ("warning", LogLevel.Warning),
                ("error", LogLevel.Error)),
            LogFormat = reader.Choice("COLIBRI_LOG_FORMAT", LogFormat.Text, ("text", LogFormat.Text), ("json", LogFormat.Json)),
        };
    }

    private static string DefaultDatabasePath(EnvironmentReader reader, Func<string, bool> isWritableDirectory)
    {
        const string Service = "/var/db/colibri";
        if (isWritableDirectory(Service))
            return $"{Service}/colibri.sqlite";
        if (reader.Text("XDG_DATA_HOME") is { } data)
            return Path.Combine(data, "colibri", "colibri.sqlite");
        return reader.Text("HOME") is { } home
            ? Path.Combine(home, ".local", "share", "colibri", "colibri.sqlite")
            : throw new ConfigurationException(
                $"no place for the database: {Service} is not writable and neither XDG_DATA_HOME nor HOME is set; set COLIBRI_DB_PATH");
    }

    private static string StageDirectory(EnvironmentReader reader, string name) => AbsolutePath(reader, name) switch
    {
        null => DefaultJailStageDirectory,
        var path when path.Split('/') is var steps && !steps.Contains("..") && !steps.Contains(".") && steps.Any(step => step.Length > 0) => path.TrimEnd('/'),
        var path => throw EnvironmentReader.Invalid(name, path, "use a directory within the jail, without dots, such as /var/colibri-stage"),
    };

    private static string? AbsolutePath(EnvironmentReader reader, string name) => reader.Text(name) switch
    {
        null => null,
        var path when path.StartsWith('/') => path,
        var path => throw EnvironmentReader.Invalid(name, path, "use an absolute path; a service's working directory is nobody's promise"),
    };

    private static List<ProviderRoute> Routes(EnvironmentReader reader, string name)
    {
        var routes = new List<ProviderRoute>();
        foreach (var entry in (reader.Text(name) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            // A model's own name may hold colons (llama3:8b): only the first one separates.
            var parts = entry.Split(':', 2);
            if (parts[0].Length == 0)
                throw EnvironmentReader.Invalid(name, entry, "use provider:model, provider:model, …");
            routes.Add(new ProviderRoute(parts[0], parts.Length == 2 && parts[1].Length > 0 ? parts[1] : null));
        }
        return routes;
    }
}

/// <summary>A setting that cannot be used. The message is the one line the operator sees: variable, value, what would do.</summary>
public sealed class ConfigurationException(string message) : Exception(message);

/// <summary>How the daemon gets the right to create and enter jails.</summary>
public enum JailPrivilegeMode
{
    None,
    Mdo,
    Sudo,
}

public enum LogFormat
{
    Text,
    Json,
}

/// <summary>One entry of <c>COLIBRI_PROVIDERS</c>.</summary>
/// <param name="Provider">The provider's name as the agents spell it.</param>
/// <param name="Model">The model, or null for the provider's default.</param>
public sealed record ProviderRoute(string Provider, string? Model);
