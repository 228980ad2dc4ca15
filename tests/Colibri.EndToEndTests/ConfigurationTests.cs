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
}
