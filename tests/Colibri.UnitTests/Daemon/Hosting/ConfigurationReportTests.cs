using Colibri.Core.Settings;
using Colibri.Daemon.Hosting;
using static Colibri.UnitTests.Settings.Settings;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class ConfigurationReportTests
{
    [Test]
    public void Every_setting_is_a_line_of_its_own_below_where_it_comes_from()
    {
        var lines = ConfigurationReport.Of(ReadFile("[daemon]\nmax_agents = 8\ncost_mode = \"fast\"\nautospawn_rpc_prompt = \"one\\ntwo\"", "COLIBRI_COST_MODE=max", "COLIBRI_HOST=jay")).ToList();

        lines.Where(line => line.StartsWith("COLIBRI_", StringComparison.Ordinal)).Select(line => line.Split('=')[0]).ShouldBe(DaemonConfiguration.All.Select(setting => setting.Name));
        OriginOf("COLIBRI_DAEMON_SOCKET=/home/op/.colibri/run/colibri.sock").ShouldBe("# default");
        OriginOf("COLIBRI_COST_MODE=max").ShouldBe("# environment");
        OriginOf("COLIBRI_HOST=jay").ShouldBe("# environment");
        OriginOf("COLIBRI_MAX_AGENTS=8").ShouldBe($"# {Colibri.UnitTests.Settings.Settings.File}:2");
        OriginOf("COLIBRI_AUTOSPAWN_RPC_PROMPT=one?two").ShouldBe($"# {Colibri.UnitTests.Settings.Settings.File}:4");

        string OriginOf(string line) => lines.Take(lines.IndexOf(line)).Last(before => before.StartsWith('#'));
    }

    [Test]
    public void What_a_kind_cannot_hold_is_a_warning()
    {
        ConfigurationReport.Warnings(ReadFile("[agents.a]\nkind = \"pi\"\naccess = \"edit\"\n[agents.b]\nkind = \"pi\"\n[agents.c]\nkind = \"pi\"\naccess = \"full\"\n[agents.d]\nkind = \"codex\"\naccess = \"edit\""))
            .Select(line => line.Split(": access")[0]).ShouldBe(["profile a: it takes no tasks", "profile b: its runs count as full access"]);
    }

    [Test]
    [Arguments("kind = \"acp\"\nbinary = \"mine\"\nargs = [\"serve\"]\naccess = \"edit\"", "profile a: it takes no tasks")]
    [Arguments("kind = \"acp\"\nbinary = \"mine\"\nargs = [\"serve\"]", "profile a: its runs count as full access")]
    [Arguments("kind = \"acp\"\nbinary = \"mine\"\nargs = [\"serve\"]\naccess = \"full\"", null)]
    [Arguments("kind = \"claude\"\nargs = [\"-p\"]\naccess = \"edit\"", "profile a: it takes no tasks")]
    [Arguments("kind = \"claude\"\nargs = [\"-p\"]\naccess = \"full\"", null)]
    [Arguments("kind = \"claude\"\nargs = [\"-p\"]", null)]
    [Arguments("kind = \"claude\"\nextra_args = [\"--verbose\"]\naccess = \"edit\"", null)]
    [Arguments("kind = \"goose\"\ntransport = \"acp\"\nargs = [\"acp\"]\naccess = \"edit\"", null)]
    public void An_access_beside_arguments_is_a_warning_where_nothing_holds_it(string profile, string? warning) =>
        ConfigurationReport.Warnings(ReadFile($"[agents.a]\n{profile}")).Select(line => line.Split(": access")[0]).ShouldBe(warning is null ? [] : [warning]);

    [Test]
    public void Profiles_workspaces_and_retention_are_printed_as_the_file_would_have_them()
    {
        const string Toml = """
            [agents.claude]
            kind = "claude"
            extra_args = ["--one", "--two", "--three", "--four", "--five"]
            env = { WHO = "hunter2" }

            [workspaces.site]
            path = "/srv/site"
            keep = "36h"
            """;

        var lines = ConfigurationReport.Of(ReadFile(Toml)).SkipWhile(line => line.Length > 0).ToList();

        string.Join('\n', lines).ShouldBe("""

            [agents.claude]
            kind = "claude"                                # /etc/colibri/colibri.toml:2
            # /etc/colibri/colibri.toml:3
            extra_args = ["--one", "--two", "--three", "--four", "--five"]
            access = "edit"                                # default
            env = { WHO }                                  # /etc/colibri/colibri.toml:4

            [workspaces.site]
            path = "/srv/site"                             # /etc/colibri/colibri.toml:7
            isolation = "worktree"                         # default
            branch = "colibri/{number}-{slug}"             # default
            setup_timeout = "20m"                          # default
            check_timeout = "20m"                          # default
            rework = 1                                     # default
            land = "review"                                # default
            merge = "merge"                                # default
            keep = "36h"                                   # /etc/colibri/colibri.toml:8

            [retention]
            tasks = "90d"                                  # default
            sessions = "30d"                               # default
            sessions_bytes = "20GiB"                       # default
            min_free = "1GiB"                              # default
            """);
        lines.ShouldAllBe(line => line.Length <= 80);
    }

    [Test]
    public void What_is_printed_of_the_sections_is_read_as_the_same()
    {
        const string Toml = "[agents.\"gpt-4.1\"]\nkind = \"codex\"\nargs = []\nmemory = \"1536MiB\"\nbudget_usd = 0.125\nsilence_timeout = \"90s\"\nconfine = { path = \"/r\" }\n[workspaces.w]\npath = \"/w \\\"x\\\"\"\nkeep = 0\n[retention]\nsessions_bytes = \"none\"\nmin_free = 1000";
        var first = ReadFile(Toml);

        var printed = string.Join('\n', ConfigurationReport.Of(first).SkipWhile(line => line.Length > 0));

        ConfigurationReport.Of(ReadFile(printed)).Select(line => line.Split(" #")[0].TrimEnd()).Where(line => !line.StartsWith('#'))
            .ShouldBe(ConfigurationReport.Of(first).Select(line => line.Split(" #")[0].TrimEnd()).Where(line => !line.StartsWith('#')));
        EffectiveSettings.Changes(first.Settings, ReadFile(printed).Settings).ShouldBeEmpty();
    }
}
