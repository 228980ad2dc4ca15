using System.Globalization;

namespace Colibri.Core.Settings;

/// <summary>The configuration as <c>--check-config</c> prints it: the variables as they would have to be set, one a line.</summary>
public static class EffectiveConfiguration
{
    /// <summary>Every variable with its effective value; an unset one without a default has an empty value.</summary>
    public static IEnumerable<(string Variable, string Value)> Lines(DaemonConfiguration c)
    {
        ArgumentNullException.ThrowIfNull(c);
        return
        [
            ("COLIBRI_DAEMON_SOCKET", c.SocketPath),
            ("COLIBRI_DB_PATH", c.DatabasePath),
            ("COLIBRI_SESSIONS_DIR", c.SessionsDirectory),
            ("COLIBRI_HOST", c.Host),
            ("COLIBRI_COST_MODE", Word(c.CostMode)),
            ("COLIBRI_SCHEDULER_INTERVAL", Milliseconds(c.SchedulerInterval)),
            ("COLIBRI_MAX_AGENTS", c.MaxAgents.ToString(CultureInfo.InvariantCulture)),
            ("COLIBRI_AGENT_BINARY", c.AgentBinary ?? ""),
            ("COLIBRI_AGENT_ARGS", Quoted(c.AgentArguments)),
            ("COLIBRI_AUTOSPAWN", c.Autospawn ? "on" : "off"),
            ("COLIBRI_AUTOSPAWN_BINARY", c.AutospawnBinary),
            ("COLIBRI_AUTOSPAWN_ARGS", Quoted(c.AutospawnArguments)),
            ("COLIBRI_AUTOSPAWN_RPC_PROMPT", c.AutospawnRpcPrompt ?? ""),
            ("COLIBRI_PROVIDERS", string.Join(',', c.Providers.Select(p => p.Model is null ? p.Provider : $"{p.Provider}:{p.Model}"))),
            ("COLIBRI_PROVIDERS_KEYLESS", string.Join(',', c.KeylessProviders)),
            ("COLIBRI_PROVIDER_ENV", c.ProviderEnvFile ?? ""),
            ("COLIBRI_STALL_AFTER", Milliseconds(c.StallAfter)),
            ("COLIBRI_FIRST_EVENT_TIMEOUT", Milliseconds(c.FirstEventTimeout)),
            ("COLIBRI_STALL_KILL", c.StallKill ? "on" : "off"),
            ("COLIBRI_TOOL_TIMEOUT", Milliseconds(c.ToolTimeout)),
            ("COLIBRI_EXIT_TIMEOUT", Milliseconds(c.ExitTimeout)),
            ("COLIBRI_RUN_TIMEOUT", Milliseconds(c.RunTimeout)),
            ("COLIBRI_JAIL_PRIV_MODE", Word(c.JailPrivilegeMode)),
            ("COLIBRI_JAIL_STAGE_DIR", c.JailStageDirectory),
            ("COLIBRI_JAIL_ROOT_BASE", c.JailRootBase ?? ""),
            ("COLIBRI_HEADROOM_ENABLED", c.HeadroomEnabled ? "on" : "off"),
            ("COLIBRI_HEADROOM_SOCKET", c.HeadroomSocket ?? ""),
            ("COLIBRI_BUDGET_TASK_USD", Dollars(c.TaskBudgetMicrocents)),
            ("COLIBRI_BUDGET_DAY_USD", Dollars(c.DayBudgetMicrocents)),
            ("COLIBRI_PRICES_FILE", c.PricesFile ?? ""),
            ("COLIBRI_PROMPT_PREFIX_FILE", c.PromptPrefixFile ?? ""),
            ("COLIBRI_SCHEDULER_PROMPT_INJECTION", c.SchedulerPromptInjection ? "on" : "off"),
            ("COLIBRI_LOG_LEVEL", c.LogLevel == Microsoft.Extensions.Logging.LogLevel.Information ? "info" : Word(c.LogLevel)),
            ("COLIBRI_LOG_FORMAT", Word(c.LogFormat)),
        ];
    }

    private static string Milliseconds(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.####}ms");

    private static string Dollars(long? microcents) => microcents is { } amount ? (amount / 100_000_000m).ToString("0.########", CultureInfo.InvariantCulture) : "";

    private static string Quoted(IEnumerable<string> words) =>
        string.Join(' ', words.Select(w => w.Length > 0 && w.All(c => char.IsLetterOrDigit(c) || "-_./=:,@%+".Contains(c)) ? w : $"'{w.Replace("'", "'\"'\"'")}'"));

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
