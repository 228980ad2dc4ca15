using Colibri.Protocol;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Settings;

/// <summary>
/// Everything that the environment decides, and <c>[daemon]</c> of the configuration file where the environment is silent, read once at start: a
/// property for each setting, which begins with its default, and its row in <see cref="All"/>.
/// </summary>
public sealed record DaemonConfiguration
{
    public required string SocketPath { get; init; }
    public required string DatabasePath { get; init; }
    public required string SessionsDirectory { get; init; }
    public required string Host { get; init; }
    public CostMode CostMode { get; init; } = CostMode.Smart;

    /// <summary>Time between scheduler ticks.</summary>
    public TimeSpan SchedulerInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Agents alive at once.</summary>
    public int MaxAgents { get; init; } = 4;

    /// <summary>A task is held when so many of its runs in a row were interrupted because the daemon was killed.</summary>
    public int MaxInterruptions { get; init; } = 3;

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

    /// <summary>Silence after which a live agent counts as stalled.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromHours(4);

    /// <summary>A tool call, or work in the background that a run waits for, must be over by then. Until then its agent does not count as stalled.</summary>
    public TimeSpan ToolTimeout { get; init; } = TimeSpan.FromHours(2);

    /// <summary>An agent at work must have given a sign of it by then, while none of its tools runs.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>A question that can be answered must have its answer by then; null is no limit.</summary>
    public TimeSpan? QuestionTimeout { get; init; }

    /// <summary>An agent with a prompt must have printed an event by then.</summary>
    public TimeSpan FirstEventTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A stalled agent that works is not only shown but ended.</summary>
    public bool StallKill { get; init; }

    /// <summary>Once its run is over, an agent that was started for it must have exited by then.</summary>
    public TimeSpan ExitTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a run may take, without the time in which it waits for an answer.</summary>
    public TimeSpan RunTimeout { get; init; } = TimeSpan.FromHours(24);
    public JailPrivilegeMode JailPrivilegeMode { get; init; } = JailPrivilegeMode.Mdo;

    /// <summary>Where files are left for an agent in a jail, within the jail's root.</summary>
    public string JailStageDirectory { get; init; } = "/var/colibri-stage";
    public string? JailRootBase { get; init; }
    public bool HeadroomEnabled { get; init; }
    /// <summary>
    /// Where the sidecar that shortens tool results listens; by default <c>headroom.sock</c> beside the daemon's own socket, because an appliance
    /// keeps both in one directory.
    /// </summary>
    public string? HeadroomSocket { get; init; }
    /// <summary>What one task may cost, in micro-cents (1 USD is 100,000,000); null is no budget.</summary>
    public long? TaskBudgetMicrocents { get; init; }

    /// <summary>What all agents may cost in a day of UTC, in micro-cents; null is no budget.</summary>
    public long? DayBudgetMicrocents { get; init; }

    /// <summary>The operator's prices; null is none.</summary>
    public string? PricesFile { get; init; }
    public string? PromptPrefixFile { get; init; }

    /// <summary>
    /// A task whose session already has entries starts with them before its own prompt. Off by default: an agent with a memory of its own would read
    /// the session twice.
    /// </summary>
    public bool SchedulerPromptInjection { get; init; }
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
    public LogFormat LogFormat { get; init; } = LogFormat.Text;

    /// <summary>Every setting, in the order in which <c>--check-config</c> prints them; one whose default follows from another's stands below it.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        Setting.Path(SocketPaths.EnvironmentVariable, "the socket", "the service's, or the user's",
            (_, source) => SocketPaths.Resolve(source.Reader.Text, () => source.IsWritableDirectory(Path.GetDirectoryName(SocketPaths.Service)!)),
            c => c.SocketPath, (c, value) => c with { SocketPath = value }),
        Setting.Path("COLIBRI_DB_PATH", "the board", "the service's, or the user's", (_, source) => DefaultDatabasePath(source.Reader, source.IsWritableDirectory),
            c => c.DatabasePath, (c, value) => c with { DatabasePath = value }),
        Setting.Path("COLIBRI_SESSIONS_DIR", "session logs", "beside the database", (c, _) => Path.Combine(Path.GetDirectoryName(c.DatabasePath)!, "sessions"),
            c => c.SessionsDirectory, (c, value) => c with { SessionsDirectory = value }),
        Setting.Text("COLIBRI_HOST", "this host's name", "the system's", (_, source) => source.HostName, c => c.Host, (c, value) => c with { Host = value }),
        Setting.Choice("COLIBRI_COST_MODE", "how large sessions may grow", [("fast", CostMode.Fast), ("smart", CostMode.Smart), ("max", CostMode.Max)],
            c => c.CostMode, (c, value) => c with { CostMode = value }),
        Setting.Duration("COLIBRI_SCHEDULER_INTERVAL", "time between two ticks", TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1),
            c => c.SchedulerInterval, (c, value) => c with { SchedulerInterval = value }),
        Setting.Integer("COLIBRI_MAX_AGENTS", "agents alive at once", 1, 4_096, c => c.MaxAgents, (c, value) => c with { MaxAgents = value }),
        Setting.Integer("COLIBRI_MAX_INTERRUPTIONS", "kills under a task that hold it", 1, 1_000,
            c => c.MaxInterruptions, (c, value) => c with { MaxInterruptions = value }),
        Setting.Text("COLIBRI_AGENT_BINARY", "the agent for queued tasks", c => c.AgentBinary, (c, value) => c with { AgentBinary = value }),
        Setting.Words("COLIBRI_AGENT_ARGS", "arguments in place of its kind's", c => c.AgentArguments, (c, value) => c with { AgentArguments = value }),
        Setting.Boolean("COLIBRI_AUTOSPAWN", "keep one long-lived agent", c => c.Autospawn, (c, value) => c with { Autospawn = value }),
        Setting.Text("COLIBRI_AUTOSPAWN_BINARY", "its program", c => c.AutospawnBinary, (c, value) => c with { AutospawnBinary = value! }),
        Setting.Words("COLIBRI_AUTOSPAWN_ARGS", "arguments in place of its kind's", c => c.AutospawnArguments, (c, value) => c with { AutospawnArguments = value }),
        Setting.Text("COLIBRI_AUTOSPAWN_RPC_PROMPT", "what it is told first", c => c.AutospawnRpcPrompt, (c, value) => c with { AutospawnRpcPrompt = value }),
        Setting.Parsed("COLIBRI_PROVIDERS", "routes: provider:model,...", Routes, PrintRoutes, c => c.Providers, (c, value) => c with { Providers = value }, SettingType.List),
        Setting.Parsed("COLIBRI_PROVIDERS_KEYLESS", "providers that need no key", Entries, value => string.Join(',', value),
            c => c.KeylessProviders, (c, value) => c with { KeylessProviders = value }, SettingType.List),
        Setting.Path("COLIBRI_PROVIDER_ENV", "the file of keys", c => c.ProviderEnvFile, (c, value) => c with { ProviderEnvFile = value }),
        Setting.Duration("COLIBRI_STALL_AFTER", "silence that is shown as stalled", TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365),
            c => c.StallAfter, (c, value) => c with { StallAfter = value }),
        Setting.Duration("COLIBRI_TOOL_TIMEOUT", "time for one tool call", TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365),
            c => c.ToolTimeout, (c, value) => c with { ToolTimeout = value }),
        Setting.Duration("COLIBRI_SILENCE_TIMEOUT", "silence of an agent at work", TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365),
            c => c.SilenceTimeout, (c, value) => c with { SilenceTimeout = value }),
        Setting.Duration("COLIBRI_QUESTION_TIMEOUT", "time for an answer to a question", TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365),
            c => c.QuestionTimeout, (c, value) => c with { QuestionTimeout = value }),
        Setting.Duration("COLIBRI_FIRST_EVENT_TIMEOUT", "time to an agent's first event", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1),
            c => c.FirstEventTimeout, (c, value) => c with { FirstEventTimeout = value }),
        Setting.Boolean("COLIBRI_STALL_KILL", "end an agent that stalls at work", c => c.StallKill, (c, value) => c with { StallKill = value }),
        Setting.Duration("COLIBRI_EXIT_TIMEOUT", "time from a run's end to the exit", TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1),
            c => c.ExitTimeout, (c, value) => c with { ExitTimeout = value }),
        Setting.Duration("COLIBRI_RUN_TIMEOUT", "time for a run on a task", TimeSpan.FromSeconds(1), TimeSpan.FromDays(365),
            c => c.RunTimeout, (c, value) => c with { RunTimeout = value }),
        Setting.Choice("COLIBRI_JAIL_PRIV_MODE", "how to become root for jails",
            [("none", JailPrivilegeMode.None), ("mdo", JailPrivilegeMode.Mdo), ("sudo", JailPrivilegeMode.Sudo)],
            c => c.JailPrivilegeMode, (c, value) => c with { JailPrivilegeMode = value }),
        Setting.Parsed("COLIBRI_JAIL_STAGE_DIR", "files left in a jail", StageDirectory, value => value, c => c.JailStageDirectory, (c, value) => c with { JailStageDirectory = value }),
        Setting.Path("COLIBRI_JAIL_ROOT_BASE", "where confined agents' roots lie", c => c.JailRootBase, (c, value) => c with { JailRootBase = value }),
        Setting.Boolean("COLIBRI_HEADROOM_ENABLED", "have tool results shortened", c => c.HeadroomEnabled, (c, value) => c with { HeadroomEnabled = value }),
        Setting.Path("COLIBRI_HEADROOM_SOCKET", "its socket", "beside the daemon's own", (c, _) => Path.Combine(Path.GetDirectoryName(c.SocketPath)!, "headroom.sock"),
            c => c.HeadroomSocket, (c, value) => c with { HeadroomSocket = value }),
        Setting.Dollars("COLIBRI_BUDGET_TASK_USD", "US dollars that a task may cost", c => c.TaskBudgetMicrocents, (c, value) => c with { TaskBudgetMicrocents = value }),
        Setting.Dollars("COLIBRI_BUDGET_DAY_USD", "US dollars a day, of all agents", c => c.DayBudgetMicrocents, (c, value) => c with { DayBudgetMicrocents = value }),
        Setting.Path("COLIBRI_PRICES_FILE", "prices of models", c => c.PricesFile, (c, value) => c with { PricesFile = value }),
        Setting.Path("COLIBRI_PROMPT_PREFIX_FILE", "what prompts start with", c => c.PromptPrefixFile, (c, value) => c with { PromptPrefixFile = value }),
        Setting.Boolean("COLIBRI_SCHEDULER_PROMPT_INJECTION", "give an agent its session's log",
            c => c.SchedulerPromptInjection, (c, value) => c with { SchedulerPromptInjection = value }),
        Setting.Choice("COLIBRI_LOG_LEVEL", "what is logged",
            [("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)],
            c => c.LogLevel, (c, value) => c with { LogLevel = value }),
        Setting.Choice("COLIBRI_LOG_FORMAT", "how it is logged", [("text", LogFormat.Text), ("json", LogFormat.Json)], c => c.LogFormat, (c, value) => c with { LogFormat = value }),
    ];

    /// <summary>What holds where nothing is set, without what is computed.</summary>
    internal static DaemonConfiguration Unset => new() { SocketPath = "", DatabasePath = "", SessionsDirectory = "", Host = "" };

    /// <summary>Reads an environment.</summary>
    /// <param name="environment">The process environment.</param>
    /// <param name="isWritableDirectory">Whether a directory is there and this user may create files in it.</param>
    /// <param name="hostName">The host's own name, where <c>COLIBRI_HOST</c> does not state one.</param>
    /// <exception cref="ConfigurationException">A variable's value cannot be used.</exception>
    public static DaemonConfiguration Read(
        IReadOnlyDictionary<string, string> environment, Func<string, bool> isWritableDirectory, string hostName)
    {
        var source = new SettingSource(new EnvironmentReader(environment), isWritableDirectory, hostName);
        var configuration = Unset;
        foreach (var setting in All)
            configuration = setting.Read(configuration, source);
        return configuration;
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

    private static string StageDirectory(EnvironmentReader reader, string name) =>
        reader.AbsolutePath(name)! is var path && path.Split('/') is var steps && !steps.Contains("..") && !steps.Contains(".") && steps.Any(step => step.Length > 0)
            ? path.TrimEnd('/')
            : throw EnvironmentReader.Invalid(name, reader.Text(name)!, "use a directory within the jail, without dots, such as /var/colibri-stage");

    private static IReadOnlyList<string> Entries(EnvironmentReader reader, string name) =>
        (reader.Text(name) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static IReadOnlyList<ProviderRoute> Routes(EnvironmentReader reader, string name)
    {
        var routes = new List<ProviderRoute>();
        foreach (var entry in Entries(reader, name))
        {
            // A model's own name may hold colons (llama3:8b): only the first one separates.
            var parts = entry.Split(':', 2);
            if (parts[0].Length == 0)
                throw EnvironmentReader.Invalid(name, entry, "use provider:model, provider:model, …");
            routes.Add(new ProviderRoute(parts[0], parts.Length == 2 && parts[1].Length > 0 ? parts[1] : null));
        }
        return routes;
    }

    private static string PrintRoutes(IReadOnlyList<ProviderRoute> routes) =>
        string.Join(',', routes.Select(route => route.Model is null ? route.Provider : $"{route.Provider}:{route.Model}"));
}

/// <summary>A setting that cannot be used. The message is one line for the operator: variable, value, allowed values.</summary>
public sealed class ConfigurationException(string message) : Exception(message)
{
    /// <summary>What is allowed in place of the value; null where no value was refused.</summary>
    public string? Remedy { get; init; }
}

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
