using System.Text.RegularExpressions;
using Colibri.Core.Settings;
using Colibri.Daemon.Hosting;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Settings;

public sealed partial class SettingTests
{
    /// <summary>What names the configuration file, what the daemon tells an agent, what belongs to scripts and tests, and a manual page's title.</summary>
    private static readonly string[] NoSettings =
    [
        "COLIBRI_CONFIG", "COLIBRI_AGENT_ID", "COLIBRI_SESSION_ID", "COLIBRI_TASK_ID", "COLIBRI_BIN_DIR", "COLIBRI_STATIC_BIN_DIR", "COLIBRI_BUILD_LOCK", "COLIBRI_TEST_CACHE",
        "COLIBRI_TEST_TRACE", "COLIBRI_TEST_LEG",
        "COLIBRI_CHECKOUT", "COLIBRI_IMAGE_KIB", "COLIBRI_DAEMON", "COLIBRI_MCP_WRITE", "COLIBRI_MCP_EXTERNAL", "COLIBRI_WEB_OPTIONS", "COLIBRI_WEB_OTLP",
    ];

    public static List<string> Names => [.. DaemonConfiguration.All.Select(setting => setting.Name)];

    [Test]
    public void The_printed_defaults_are_read_as_the_same_configuration() => ShouldRoundTrip(Settings.Read());

    [Test]
    [Arguments("COLIBRI_AGENT_ARGS='it'\"'\"'s' '' \"a \\\"b\\\"\" back\\\\slash 'tab\there' $HOME *")]
    [Arguments("COLIBRI_AUTOSPAWN_ARGS='\\' '\"' '#' é\u00a0x")]
    [Arguments("COLIBRI_AUTOSPAWN_RPC_PROMPT=look 'around', \"twice\" = 2")]
    [Arguments("COLIBRI_PROVIDERS=a:b:c,d,e:f/g")]
    [Arguments("COLIBRI_SCHEDULER_INTERVAL=15.5ms")]
    [Arguments("COLIBRI_STALL_AFTER=365d")]
    [Arguments("COLIBRI_QUESTION_TIMEOUT=2h")]
    [Arguments("COLIBRI_DB_PATH=/a path/with = in it.sqlite")]
    [Arguments("COLIBRI_AUTOSPAWN=on")]
    [Arguments("COLIBRI_HEADROOM_ENABLED=true")]
    [Arguments("COLIBRI_COST_MODE=fast")]
    [Arguments("COLIBRI_JAIL_PRIV_MODE=none")]
    [Arguments("COLIBRI_LOG_LEVEL=trace")]
    [Arguments("COLIBRI_LOG_LEVEL=info")]
    [Arguments("COLIBRI_LOG_LEVEL=warning")]
    [Arguments("COLIBRI_LOG_LEVEL=error")]
    [Arguments("COLIBRI_LOG_FORMAT=json")]
    public void What_is_printed_is_read_as_the_same_configuration(string assignment) => ShouldRoundTrip(Settings.Read(assignment));

    [Test]
    public void Every_variable_is_printed_once()
    {
        var variables = DaemonConfiguration.All.Select(setting => setting.Name).ToList();
        variables.ShouldBeUnique();
        variables.Count.ShouldBe(typeof(DaemonConfiguration).GetProperties().Length);
    }

    [Test]
    public void The_manual_page_has_every_setting_and_no_other() => Entries().Keys.ShouldBe(Names, ignoreOrder: true);

    [Test]
    [MethodDataSource(nameof(Names))]
    public void The_manual_page_says_a_settings_bounds_and_default(string name)
    {
        var (setting, entry) = (DaemonConfiguration.All.Single(one => one.Name == name), Entries()[name]);

        entry.ShouldContain(setting.Form);
        var (said, byDefault) = (entry.LastIndexOf("Default: ", StringComparison.Ordinal), setting.Default);
        said.ShouldBeGreaterThanOrEqualTo(0, entry);
        entry[(said + "Default: ".Length)..].ShouldMatch($@"^(\S+ )?{Regex.Escape(byDefault)}($|[;:,. ])");
    }

    [Test]
    [MethodDataSource(nameof(Names))]
    public void The_help_has_every_setting_with_its_default(string name)
    {
        var setting = DaemonConfiguration.All.Single(one => one.Name == name);
        DaemonArguments.Usage.Split('\n').ShouldContain(line => line.StartsWith($"  {name} ", StringComparison.Ordinal) && line.EndsWith($" {setting.Help} ({setting.Default})", StringComparison.Ordinal));
    }

    /// <summary>Where a default follows from another setting there is none to read.</summary>
    [Test]
    public void A_default_in_words_is_read_as_what_holds_without_it()
    {
        var settings = DaemonConfiguration.All.Where(setting => setting.Default != "none" && !setting.Default.Contains("the ", StringComparison.Ordinal)).ToList();
        settings.Count.ShouldBeGreaterThan(15);
        Settings.Read([.. settings.Select(setting => $"{setting.Name}={setting.Default}")]).ShouldBeEquivalentTo(Settings.Read());
    }

    [Test]
    public void What_the_packages_ship_can_be_read_and_names_settings_alone()
    {
        var lines = File.ReadAllLines(Path.Combine(SourceTree.Root, "packaging/linux/colibri.env")).Select(line => line.TrimStart('#')).Where(line => line.StartsWith("COLIBRI_", StringComparison.Ordinal)).ToArray();
        lines.Length.ShouldBeGreaterThan(3);
        Settings.Read(lines);
        lines.Select(line => line.Split('=')[0]).ShouldBeSubsetOf(Names);
    }

    /// <summary>Each of its lines that is commented out shows the default; the service has places of its own.</summary>
    [Test]
    public void The_services_sample_shows_the_defaults()
    {
        var script = File.ReadAllText(Path.Combine(SourceTree.Root, "packaging/freebsd/colibri_daemon.in"));
        var shown = 0;
        foreach (Match line in Sample().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "packaging/freebsd/rc.conf.sample"))))
        {
            var (variable, value) = (line.Groups[1].Value, line.Groups[2].Value);
            var exported = Exported().Matches(script).SingleOrDefault(match => match.Groups[2].Value == variable)?.Groups[1].Value;
            if (exported is null || value.StartsWith('/'))
                continue;
            script.ShouldContain($": ${{{variable}:=\"{value}\"}}");
            var setting = DaemonConfiguration.All.Single(one => one.Name == exported);
            setting.Default.ShouldBe(value.Length == 0 ? "none" : value, exported);
            shown++;
        }
        shown.ShouldBe(5);
    }

    [Test]
    public void No_page_package_or_script_names_a_setting_that_is_not_there()
    {
        string[] folders = ["docs", "packaging", "iso", "scripts"];
        var files = folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SourceTree.Root, folder), "*", SearchOption.AllDirectories)).Append(Path.Combine(SourceTree.Root, "README.md"));
        var named = files.SelectMany(file => Variable().Matches(File.ReadAllText(file)).Select(match => match.Value)).Distinct().ToList();

        named.Count.ShouldBeGreaterThan(Names.Count);
        named.Except(Names).Except(NoSettings).ShouldBeEmpty();
        NoSettings.Except(named).ShouldBeEmpty();
    }

    [Test]
    public void A_variable_that_is_ours_without_being_a_setting_is_not_told_as_unknown() =>
        NoSettings.Where(name => name != "COLIBRI_DAEMON").Except(UnknownNames.NoSettings).ShouldBeEmpty();

    /// <summary>The entries of colibri-daemon.8, as plain text.</summary>
    private static Dictionary<string, string> Entries()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/man/colibri-daemon.8"));
        return page.Split("\n.It Ev ").Skip(1).Select(entry => entry.Split("\n.El")[0].Split('\n', 2)).ToDictionary(
            entry => entry[0],
            entry => SpaceBeforeStop().Replace(string.Join(' ', entry[1].Split('\n').Select(line => Macro().Replace(line, ""))), "$1"));
    }

    [GeneratedRegex(@"^\.[A-Z][a-z] ")]
    private static partial Regex Macro();

    [GeneratedRegex(@" ([,.;:])(?= |$)")]
    private static partial Regex SpaceBeforeStop();

    [GeneratedRegex(@"^#(colibri_daemon_\w+)=""([^""]*)""", RegexOptions.Multiline)]
    private static partial Regex Sample();

    [GeneratedRegex(@"export (COLIBRI_\w+)=""\$\{(colibri_daemon_\w+)\}""")]
    private static partial Regex Exported();

    [GeneratedRegex(@"\bCOLIBRI_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")]
    private static partial Regex Variable();

    private static void ShouldRoundTrip(DaemonConfiguration expected)
    {
        var printed = DaemonConfiguration.All.Select(setting => $"{setting.Name}={setting.Print(expected)}").ToArray();
        printed.ShouldAllBe(line => !line.Contains('\n'));
        Settings.Read([.. printed, "HOME=/elsewhere"]).ShouldBeEquivalentTo(expected);
    }
}
