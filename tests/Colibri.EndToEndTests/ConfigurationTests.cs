using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

public sealed class ConfigurationTests
{
    [Test]
    [Arguments("COLIBRI_AUTOSPAWN", "maybe")]
    [Arguments("COLIBRI_HEADROOM_ENABLED", "2")]
    [Arguments("COLIBRI_COST_MODE", "cheap")]
    [Arguments("COLIBRI_SCHEDULER_INTERVAL", "soon")]
    [Arguments("COLIBRI_SCHEDULER_INTERVAL", "-5s")]
    [Arguments("COLIBRI_MAX_AGENTS", "many")]
    [Arguments("COLIBRI_MAX_AGENTS", "0")]
    [Arguments("COLIBRI_STALL_AFTER", "4x")]
    [Arguments("COLIBRI_LOG_LEVEL", "loud")]
    [Arguments("COLIBRI_LOG_FORMAT", "xml")]
    [Arguments("COLIBRI_JAIL_PRIV_MODE", "root")]
    [Arguments("COLIBRI_DAEMON_SOCKET", "relative.sock")]
    public async Task A_value_that_cannot_be_used_ends_the_start_with_one_line_that_names_both(string variable, string value)
    {
        await using var daemon = ColibriDaemon.Prepared();
        foreach (var arguments in (string[][])[[], ["--check-config"]])
        {
            var refused = await daemon.RunToEndAsync(arguments, (variable, value));

            refused.ExitCode.ShouldNotBe(0);
            refused.Stdout.ShouldBeEmpty();
            var line = refused.ErrorLines.ShouldHaveSingleItem();
            line.ShouldContain(variable);
            line.ShouldContain(value);
        }
        File.Exists(daemon.SocketPath).ShouldBeFalse();
        File.Exists(daemon.DatabasePath).ShouldBeFalse();
    }

    [Test]
    [Arguments("1")]
    [Arguments("TRUE")]
    [Arguments("Yes")]
    [Arguments("off")]
    [Arguments("No")]
    [Arguments("0")]
    public async Task A_boolean_is_taken_in_any_of_its_spellings(string value)
    {
        await using var daemon = ColibriDaemon.Prepared();

        var checkedOut = await daemon.RunToEndAsync(["--check-config"], ("COLIBRI_AUTOSPAWN", value));

        checkedOut.ExitCode.ShouldBe(0, checkedOut.ToString());
    }

    [Test]
    public async Task Check_config_prints_what_would_hold_and_starts_nothing()
    {
        await using var daemon = ColibriDaemon.Prepared();

        var printed = await daemon.RunToEndAsync(["--check-config"], ("COLIBRI_COST_MODE", "FAST"), ("COLIBRI_MAX_AGENTS", "7"));

        printed.ExitCode.ShouldBe(0, printed.ToString());
        printed.Lines.ShouldContain($"COLIBRI_DAEMON_SOCKET={daemon.SocketPath}");
        printed.Lines.ShouldContain($"COLIBRI_DB_PATH={daemon.DatabasePath}");
        printed.Lines.ShouldContain("COLIBRI_COST_MODE=fast");
        printed.Lines.ShouldContain("COLIBRI_MAX_AGENTS=7");
        File.Exists(daemon.SocketPath).ShouldBeFalse();
        File.Exists(daemon.DatabasePath).ShouldBeFalse();
    }

    [Test]
    public async Task A_mistake_in_the_file_ends_the_start_with_one_line_that_names_its_place()
    {
        await using var daemon = ColibriDaemon.Prepared();
        var file = ConfigurationOf(daemon, "[agents.claude]\nkind = \"claud\"\n");
        foreach (var arguments in (string[][])[[], ["--check-config"]])
        {
            var refused = await daemon.RunToEndAsync(arguments);

            refused.ExitCode.ShouldBe(1, refused.ToString());
            refused.Stdout.ShouldBeEmpty();
            refused.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"colibri-daemon: {file}:2:1: agents.claude.kind = \"claud\" cannot be used: did you mean \"claude\"?");
        }
        File.Exists(daemon.DatabasePath).ShouldBeFalse();
    }

    [Test]
    public async Task Check_config_prints_where_each_value_comes_from_and_what_is_no_setting()
    {
        await using var daemon = ColibriDaemon.Prepared();
        var file = ConfigurationOf(daemon, "[daemon]\nmax_agents = 8\ncost_mode = \"max\"\n[agents.claude]\nkind = \"claude\"\n");

        var printed = await daemon.RunToEndAsync(["--check-config"], ("COLIBRI_COST_MODE", "fast"), ("COLIBRI_MAX_AGENT", "9"));

        printed.ExitCode.ShouldBe(0, printed.ToString());
        printed.Lines[printed.Lines.ToList().IndexOf("COLIBRI_MAX_AGENTS=8") - 1].ShouldBe($"# {file}:2");
        printed.Lines.ShouldContain("COLIBRI_COST_MODE=fast");
        printed.Lines.ShouldContain("[agents.claude]");
        printed.ErrorLines.ShouldHaveSingleItem().ShouldBe("colibri-daemon: COLIBRI_MAX_AGENT is no setting, did you mean COLIBRI_MAX_AGENTS?");
    }

    [Test]
    public async Task The_file_is_read_again_by_reload_and_by_a_signal_and_a_mistake_leaves_what_was_in_force()
    {
        await using var daemon = ColibriDaemon.Prepared(("COLIBRI_MAX_AGENT", "9"));
        var file = ConfigurationOf(daemon, "[agents.claude]\nkind = \"claude\"\n");
        await daemon.StartAgainAsync();
        daemon.Log.ShouldContain("COLIBRI_MAX_AGENT is no setting, did you mean COLIBRI_MAX_AGENTS?");

        ConfigurationOf(daemon, "[daemon]\nmax_agents = 8\n[agents.claude]\nkind = \"claude\"\nmax = 2\n");
        var changed = await daemon.DataAsync(new { cmd = "reload" });
        changed.Text("file").ShouldBe(file);
        changed.Items("changed").Select(one => one.Text("key")).ShouldBe(["daemon.max_agents", "agents.claude.max"]);
        changed.Items("restart_needed").Select(one => one.GetString()).ShouldBe(["daemon.max_agents"]);

        ConfigurationOf(daemon, "[agents.claude]\nkind = \"claude\"\nmax = 0\n");
        var refused = await daemon.CliAsync("reload");
        refused.ExitCode.ShouldBe(1, refused.ToString());
        refused.Stderr.ShouldContain($"{file}:3:1: agents.claude.max = 0 cannot be used: use a whole number from 1 to 4096; the settings in force stay");

        ConfigurationOf(daemon, "[agents.claude]\nkind = \"claude\"\nmax = 3\n");
        (await Launch.ToEndAsync("/bin/kill", ["-HUP", $"{daemon.Pid}"])).ExitCode.ShouldBe(0);
        await Eventually.HoldsAsync(() => daemon.Log.Contains($"{file} is read again, changes: 1", StringComparison.Ordinal), () => $"the signal is logged; the log:\n{daemon.Log}");
        (await daemon.CliAsync("reload")).Stdout.ShouldBe($"read {file}\nnothing changed\n");
    }

    [Test]
    public async Task Every_executable_says_its_version_with_the_commit_it_was_built_from()
    {
        List<string> versions = [];
        foreach (var executable in (string[])[Repository.Daemon, Repository.Cli, Repository.TestAgent])
        {
            var finished = await Launch.ToEndAsync(executable, ["--version"]);

            finished.ExitCode.ShouldBe(0, finished.ToString());
            finished.Lines.ShouldHaveSingleItem().ShouldMatch($@"^{Path.GetFileName(executable)} \d+\.\d+\.\d+(\+[0-9a-f]{{40}})?$");
            versions.Add(finished.Lines[0].Split(' ')[1]);
        }
        versions.Distinct().ShouldHaveSingleItem();
    }

    [Test]
    public async Task An_unknown_option_is_refused_with_one_line()
    {
        await using var daemon = ColibriDaemon.Prepared();

        var refused = await daemon.RunToEndAsync(["--chek-config"]);

        refused.ExitCode.ShouldBe(2, refused.ToString());
        refused.ErrorLines.ShouldHaveSingleItem().ShouldContain("--chek-config");
    }

    private static string ConfigurationOf(ColibriDaemon daemon, string text)
    {
        var path = Path.Combine(daemon.Environment["HOME"]!, ".config", "colibri", "colibri.toml");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
