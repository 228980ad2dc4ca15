using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Settings;

public sealed class LiveSettingsTests
{
    private const string Claude = "[agents.claude]\nkind = \"claude\"\n";

    private string _file = Claude;
    private int _changes;

    [Test]
    public void Settings_of_a_configuration_alone_never_change()
    {
        var live = LiveSettings.Of(Settings.Read("COLIBRI_HOST=jay"));

        (live.Current.Daemon.Host, live.Current.Agents.Count, live.Current.File).ShouldBe(("jay", 0, null));
        Shown(live.Reload()).ShouldBe("");
    }

    [Test]
    public void What_the_file_says_now_is_in_force_after_a_reload()
    {
        var live = Live();
        var first = live.Current;
        _file = "[agents.claude]\nkind = \"claude\"\nmax = 2\nenv = { CI = \"1\" }\n[agents.pi]\nkind = \"pi\"\n[workspaces.site]\npath = \"/srv/site\"\n[retention]\ntasks = \"1d\"";

        var change = live.Reload();

        change.File.ShouldBe(Settings.File);
        Shown(change).ShouldBe(
            "agents.claude.max: > 2; agents.claude.env: > { CI }; agents.pi: > kind = \"pi\"; workspaces.site: > path = \"/srv/site\"; retention.tasks: \"90d\" > \"1d\"");
        change.RestartNeeded.ShouldBeEmpty();
        _changes.ShouldBe(1);
        live.Current.Agent("claude")!.Max.ShouldBe(2);
        live.Current.Workspace("site").ShouldNotBeNull();
        first.Agent("claude")!.Max.ShouldBeNull("a decision under way keeps what it began with");

        Shown(live.Reload()).ShouldBe("");
        _changes.ShouldBe(1);
    }

    [Test]
    public void The_limit_of_a_group_holds_at_once()
    {
        _file = $"{Claude}[groups.db]\nlimit = 2";
        var live = Live();
        live.Current.GroupLimits["db"].ShouldBe(2);
        _file = $"{Claude}[groups.db]\nlimit = 3\n[groups.web]\nlimit = 1";

        Shown(live.Reload()).ShouldBe("groups.db.limit: 2 > 3; groups.web: > limit = 1");
        (live.Current.GroupLimits["db"], live.Current.GroupLimits["web"]).ShouldBe((3, 1));
        _file = Claude;
        Shown(live.Reload()).ShouldBe("groups.db: limit = 3 > ; groups.web: limit = 1 > ");
        live.Current.GroupLimits.ShouldBeEmpty();
    }

    [Test]
    public void A_value_that_is_not_for_eyes_is_told_as_changed_alone()
    {
        _file = $"{Claude}env = {{ WHO = \"hunter2\" }}\n[notify.n]\non = \"all\"\nurl = \"http://host/hunter2\"";
        var live = Live();
        _file = _file.Replace("hunter2", "hunter3", StringComparison.Ordinal);

        Shown(live.Reload()).ShouldBe("agents.claude.env: > ; notify.n.url: > ");
        live.Current.Agent("claude")!.Environment["WHO"].ShouldBe("hunter3");
    }

    [Test]
    public void An_option_for_a_secret_is_masked_where_arguments_are_told()
    {
        var live = Live();
        _file = $"[daemon]\nagent_args = [\"--api-key\", \"hunter2\", \"go on\"]\n{Claude}extra_args = [\"--token=hunter2\", \"--json\"]\n[notify.n]\non = \"all\"\nexec = [\"/bin/x\", \"--password\", \"hunter2\"]";

        Shown(live.Reload()).ShouldBe(
            "daemon.agent_args: > --api-key '***' 'go on'; agents.claude.extra_args: > [\"--token=***\", \"--json\"]; notify.n: > on = [\"question\", \"failed\", \"review\", \"held\", \"budget\", \"stalled\", \"disk\", \"provider\", \"schedule\", \"done\"]");
        EffectiveSettings.SectionsOf(live.Current).SelectMany(section => section.Values).ShouldAllBe(value => value.Shown == null || !value.Shown.Contains("hunter2"));
        live.Current.Agent("claude")!.ExtraArguments.ShouldBe(["--token=hunter2", "--json"]);

        _file = _file.Replace("hunter2", "hunter3", StringComparison.Ordinal);
        Shown(live.Reload()).ShouldBe("daemon.agent_args: > --api-key '***' 'go on'; agents.claude.extra_args: > ; notify.n.exec: > ");
    }

    [Test]
    public void What_is_gone_and_another_order_are_changes()
    {
        _file = $"{Claude}[agents.pi]\nkind = \"pi\"\n[agents.zot]\nkind = \"zot\"";
        var live = Live();
        _file = $"[agents.pi]\nkind = \"pi\"\n{Claude}";

        Shown(live.Reload()).ShouldBe("agents.zot: kind = \"zot\" > ; agents: [\"claude\", \"pi\", \"zot\"] > [\"pi\", \"claude\"]");
        live.Current.Agents.Select(profile => profile.Name).ShouldBe(["pi", "claude"]);
    }

    [Test]
    public void A_mistake_leaves_what_was_in_force()
    {
        var live = Live();
        var first = live.Current;
        _file = "[agents.claude]\nkind = \"clod\"";

        Should.Throw<ConfigurationException>(() => live.Reload()).Message.ShouldContain("agents.claude.kind = \"clod\"");

        live.Current.ShouldBeSameAs(first);
        _changes.ShouldBe(0);
    }

    [Test]
    public void A_setting_of_the_daemon_stays_until_a_restart_and_is_told_each_time()
    {
        var live = Live();
        _file = $"[daemon]\nmax_agents = 8\n{Claude}max = 3";

        var change = live.Reload();

        Shown(change).ShouldBe("daemon.max_agents: 4 > 8; agents.claude.max: > 3");
        change.RestartNeeded.ShouldBe(["daemon.max_agents"]);
        live.Current.Daemon.MaxAgents.ShouldBe(4);
        live.Current.Agent("claude")!.Max.ShouldBe(3);

        var again = live.Reload();
        Shown(again).ShouldBe("daemon.max_agents: 4 > 8");
        again.RestartNeeded.ShouldBe(["daemon.max_agents"]);
        _changes.ShouldBe(1, "nothing of what is in force changed again");
    }

    [Test]
    public void Of_two_readings_the_later_one_holds_whichever_ends_first()
    {
        LiveSettings? live = null;
        var isNested = false;
        live = new LiveSettings(Settings.ReadFile(Claude).Settings, () =>
        {
            var reading = Settings.ReadFile(_file);
            if (isNested)
                return reading;
            isNested = true;
            // While the first reading is under way the file changes and a second one begins and ends.
            _file = $"{Claude}max = 2";
            live!.Reload();
            return reading;
        });
        _file = $"{Claude}max = 1";

        Shown(live.Reload()).ShouldBe("");

        live.Current.Agent("claude")!.Max.ShouldBe(2);
    }

    private static string Shown(SettingsChange change) =>
        string.Join("; ", change.Changed.Select(one => $"{one.Key}: {(one.From is null ? "" : one.From + " ")}> {one.To}"));

    private LiveSettings Live()
    {
        var live = new LiveSettings(Settings.ReadFile(_file).Settings, () => Settings.ReadFile(_file));
        live.Changed += () => _changes++;
        return live;
    }
}
