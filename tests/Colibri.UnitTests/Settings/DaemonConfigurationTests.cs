using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.UnitTests.Settings;

public sealed class DaemonConfigurationTests
{
    [Test]
    public void Every_variable_has_its_default()
    {
        var c = Settings.Read();
        (c.SocketPath, c.DatabasePath, c.SessionsDirectory).ShouldBe(
            ("/home/op/.colibri/run/colibri.sock", "/home/op/.local/share/colibri/colibri.sqlite", "/home/op/.local/share/colibri/sessions"));
        (c.Host, c.CostMode, c.MaxAgents).ShouldBe(("clawdie", CostMode.Smart, 4));
        (c.SchedulerInterval, c.StallAfter, c.ToolTimeout).ShouldBe((TimeSpan.FromSeconds(30), TimeSpan.FromHours(4), TimeSpan.FromHours(2)));
        (c.AgentBinary, c.Autospawn, c.AutospawnBinary, c.AutospawnRpcPrompt).ShouldBe((null, false, "zot", null));
        c.AgentArguments.ShouldBeEmpty();
        c.AutospawnArguments.ShouldBeEmpty();
        c.Providers.ShouldBeEmpty();
        (c.JailPrivilegeMode, c.JailStageDirectory, c.JailRootBase).ShouldBe((JailPrivilegeMode.Mdo, "/var/colibri-stage", null));
        (c.HeadroomEnabled, c.HeadroomSocket, c.PromptPrefixFile).ShouldBe((false, "/home/op/.colibri/run/headroom.sock", null));
        (c.TaskBudgetMicrocents, c.DayBudgetMicrocents, c.PricesFile).ShouldBe((null, null, null));
        (c.FirstEventTimeout, c.ExitTimeout, c.RunTimeout, c.StallKill).ShouldBe((TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30), TimeSpan.FromHours(24), false));
        (c.SilenceTimeout, c.QuestionTimeout).ShouldBe((TimeSpan.FromMinutes(15), null));
        (c.LogLevel, c.LogFormat).ShouldBe((LogLevel.Information, LogFormat.Text));
    }

    [Test]
    public void An_empty_variable_counts_as_unset() =>
        Settings.Read([.. DaemonConfiguration.All.Select(setting => $"{setting.Name}=")]).ShouldBeEquivalentTo(Settings.Read());

    [Test]
    public void Every_variable_is_read()
    {
        var c = Settings.Read(
            "COLIBRI_DAEMON_SOCKET=/s/c.sock",
            "COLIBRI_DB_PATH=/d/b.sqlite",
            "COLIBRI_SESSIONS_DIR=/e/sessions",
            "COLIBRI_HOST=jay",
            "COLIBRI_COST_MODE=Max",
            "COLIBRI_SCHEDULER_INTERVAL=250ms",
            "COLIBRI_MAX_AGENTS=17",
            "COLIBRI_AGENT_BINARY=pi",
            "COLIBRI_AGENT_ARGS=--mode json",
            "COLIBRI_AUTOSPAWN=yes",
            "COLIBRI_AUTOSPAWN_BINARY=pi",
            "COLIBRI_AUTOSPAWN_ARGS=--mode rpc",
            "COLIBRI_AUTOSPAWN_RPC_PROMPT=look around",
            "COLIBRI_PROVIDERS=deepseek:deepseek-chat,ollama:llama3:8b , openrouter",
            "COLIBRI_STALL_AFTER=90m",
            "COLIBRI_TOOL_TIMEOUT=5h",
            "COLIBRI_SILENCE_TIMEOUT=20m",
            "COLIBRI_QUESTION_TIMEOUT=3d",
            "COLIBRI_JAIL_PRIV_MODE=sudo",
            "COLIBRI_JAIL_STAGE_DIR=/j/stage",
            "COLIBRI_JAIL_ROOT_BASE=/j/root",
            "COLIBRI_HEADROOM_ENABLED=1",
            "COLIBRI_HEADROOM_SOCKET=/h/h.sock",
            "COLIBRI_PROMPT_PREFIX_FILE=/p/prefix",
            "COLIBRI_LOG_LEVEL=DEBUG",
            "COLIBRI_LOG_FORMAT=json");
        (c.SocketPath, c.DatabasePath, c.SessionsDirectory, c.Host).ShouldBe(("/s/c.sock", "/d/b.sqlite", "/e/sessions", "jay"));
        (c.CostMode, c.SchedulerInterval, c.MaxAgents).ShouldBe((CostMode.Max, TimeSpan.FromMilliseconds(250), 17));
        (c.AgentBinary, c.Autospawn, c.AutospawnBinary, c.AutospawnRpcPrompt).ShouldBe(("pi", true, "pi", "look around"));
        c.AgentArguments.ShouldBe(["--mode", "json"]);
        c.AutospawnArguments.ShouldBe(["--mode", "rpc"]);
        c.Providers.ShouldBe([new("deepseek", "deepseek-chat"), new("ollama", "llama3:8b"), new("openrouter", null)]);
        (c.StallAfter, c.ToolTimeout).ShouldBe((TimeSpan.FromMinutes(90), TimeSpan.FromHours(5)));
        (c.SilenceTimeout, c.QuestionTimeout).ShouldBe((TimeSpan.FromMinutes(20), TimeSpan.FromDays(3)));
        (c.JailPrivilegeMode, c.JailStageDirectory, c.JailRootBase).ShouldBe((JailPrivilegeMode.Sudo, "/j/stage", "/j/root"));
        (c.HeadroomEnabled, c.HeadroomSocket, c.PromptPrefixFile).ShouldBe((true, "/h/h.sock", "/p/prefix"));
        (c.LogLevel, c.LogFormat).ShouldBe((LogLevel.Debug, LogFormat.Json));
    }

    [Test]
    [Arguments("COLIBRI_COST_MODE", "thrifty")]
    [Arguments("COLIBRI_SCHEDULER_INTERVAL", "9ms")]
    [Arguments("COLIBRI_SCHEDULER_INTERVAL", "2d")]
    [Arguments("COLIBRI_SCHEDULER_INTERVAL", "soon")]
    [Arguments("COLIBRI_MAX_AGENTS", "0")]
    [Arguments("COLIBRI_MAX_AGENTS", "4097")]
    [Arguments("COLIBRI_MAX_AGENTS", "four")]
    [Arguments("COLIBRI_MAX_AGENTS", "99999999999")]
    [Arguments("COLIBRI_AGENT_ARGS", "--title 'half")]
    [Arguments("COLIBRI_AUTOSPAWN", "maybe")]
    [Arguments("COLIBRI_AUTOSPAWN_ARGS", "\"half")]
    [Arguments("COLIBRI_PROVIDERS", ":model")]
    [Arguments("COLIBRI_STALL_AFTER", "-4h")]
    [Arguments("COLIBRI_STALL_AFTER", "NaN")]
    [Arguments("COLIBRI_STALL_AFTER", "Infinity")]
    [Arguments("COLIBRI_STALL_AFTER", "9999999999999999999999d")]
    [Arguments("COLIBRI_SILENCE_TIMEOUT", "99ms")]
    [Arguments("COLIBRI_SILENCE_TIMEOUT", "none")]
    [Arguments("COLIBRI_QUESTION_TIMEOUT", "366d")]
    [Arguments("COLIBRI_QUESTION_TIMEOUT", "0")]
    [Arguments("COLIBRI_JAIL_PRIV_MODE", "doas")]
    [Arguments("COLIBRI_HEADROOM_ENABLED", "2")]
    [Arguments("COLIBRI_LOG_LEVEL", "loud")]
    [Arguments("COLIBRI_LOG_FORMAT", "xml")]
    public void A_bad_value_is_refused_by_variable_and_value(string variable, string value) =>
        Settings.Refusal($"{variable}={value}").ShouldStartWith($"{variable}={value} cannot be used: ");

    [Test]
    [Arguments("COLIBRI_DAEMON_SOCKET")]
    [Arguments("COLIBRI_DB_PATH")]
    [Arguments("COLIBRI_SESSIONS_DIR")]
    [Arguments("COLIBRI_JAIL_STAGE_DIR")]
    [Arguments("COLIBRI_JAIL_ROOT_BASE")]
    [Arguments("COLIBRI_HEADROOM_SOCKET")]
    [Arguments("COLIBRI_PROMPT_PREFIX_FILE")]
    public void A_relative_path_is_refused(string variable) =>
        Settings.Refusal($"{variable}=run/it").ShouldStartWith($"{variable}=run/it cannot be used: use an absolute path");

    [Test]
    [Arguments("/")]
    [Arguments("//")]
    [Arguments("/var/../tmp")]
    [Arguments("/var/./stage")]
    public void A_stage_directory_with_dots_or_without_a_name_is_refused(string path) =>
        Settings.Refusal($"COLIBRI_JAIL_STAGE_DIR={path}").ShouldStartWith($"COLIBRI_JAIL_STAGE_DIR={path} cannot be used: ");

    [Test]
    public void A_refusal_is_one_short_line_whatever_the_value_is()
    {
        var message = Settings.Refusal($"COLIBRI_COST_MODE=a\nb\u001b[2J{new string('x', 10_000)}");
        message.ShouldStartWith("COLIBRI_COST_MODE=a?b?[2Jxxx");
        message.Length.ShouldBeLessThan(200);
    }

    [Test]
    [Arguments("1", true)]
    [Arguments("true", true)]
    [Arguments("TRUE", true)]
    [Arguments("Yes", true)]
    [Arguments("oN", true)]
    [Arguments("0", false)]
    [Arguments("false", false)]
    [Arguments("False", false)]
    [Arguments("NO", false)]
    [Arguments("off", false)]
    public void A_boolean_is_a_word_in_any_case(string word, bool expected) =>
        new EnvironmentReader(new Dictionary<string, string> { ["B"] = word }).Boolean("B", !expected).ShouldBe(expected);

    [Test]
    [Arguments("100ms", 100)]
    [Arguments("30", 30_000)]
    [Arguments("30s", 30_000)]
    [Arguments("1.5S", 1_500)]
    [Arguments("5m", 300_000)]
    [Arguments("4H", 14_400_000)]
    [Arguments("365d", 31_536_000_000)]
    public void A_duration_is_a_number_with_a_unit(string text, long milliseconds) =>
        Settings.Read($"COLIBRI_STALL_AFTER={text}").StallAfter.ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Test]
    public void The_refusal_of_a_duration_states_the_bounds() =>
        Settings.Refusal("COLIBRI_SCHEDULER_INTERVAL=1x").ShouldEndWith("from 10ms to 1d");

    [Test]
    [Arguments("  a   b\tc ", "a", "b", "c")]
    [Arguments("'a b' \"c d\"", "a b", "c d")]
    [Arguments("a'b c'd", "ab cd")]
    [Arguments("a\\ b", "a b")]
    [Arguments("'a\\b'", "a\\b")]
    [Arguments("\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d")]
    [Arguments("'' \"\" x", "", "", "x")]
    [Arguments("a\\", "a\\")]
    [Arguments("\"it's\" 'say \"hi\"'", "it's", "say \"hi\"")]
    [Arguments("--prompt 'é\u2028\U0001F426'", "--prompt", "é\u2028\U0001F426")]
    public void Arguments_are_split_as_a_shell_would(string text, params string[] words) =>
        Settings.Read($"COLIBRI_AGENT_ARGS={text}").AgentArguments.ShouldBe(words);

    [Test]
    public void The_service_directories_come_before_the_users()
    {
        var c = Settings.Read(_ => true, "XDG_RUNTIME_DIR=/run/user/1", "XDG_DATA_HOME=/home/op/data");
        (c.SocketPath, c.DatabasePath, c.SessionsDirectory).ShouldBe(
            ("/var/run/colibri/colibri.sock", "/var/db/colibri/colibri.sqlite", "/var/db/colibri/sessions"));
    }

    [Test]
    public void A_user_without_them_gets_the_xdg_directories()
    {
        var c = Settings.Read("XDG_RUNTIME_DIR=/run/user/1", "XDG_DATA_HOME=/home/op/data");
        (c.SocketPath, c.DatabasePath, c.SessionsDirectory).ShouldBe(
            ("/run/user/1/colibri/colibri.sock", "/home/op/data/colibri/colibri.sqlite", "/home/op/data/colibri/sessions"));
    }

    [Test]
    public void Sessions_lie_beside_the_database() =>
        Settings.Read("COLIBRI_DB_PATH=/d/b.sqlite").SessionsDirectory.ShouldBe("/d/sessions");

    [Test]
    public void Without_any_place_for_the_database_the_refusal_names_the_variable_to_set() =>
        Settings.Refusal("HOME=").ShouldEndWith("set COLIBRI_DB_PATH");
}
