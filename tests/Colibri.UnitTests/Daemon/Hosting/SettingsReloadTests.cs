using Colibri.Core.Settings;
using Colibri.Daemon.Hosting;
using Colibri.UnitTests.Sessions;
using static Colibri.UnitTests.Settings.Settings;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class SettingsReloadTests
{
    private string _file = "";
    private readonly CollectingLogger _log = new();

    [Test]
    public void A_reload_is_logged_with_how_much_changed_and_what_needs_a_restart()
    {
        var reload = Reload();
        _file = "[daemon]\nmax_agents = 8\nhost = \"jay\"\n[agents.pi]\nkind = \"pi\"";

        reload.Run().Changed.Count.ShouldBe(3);

        _log.Of(120).ShouldBe([$"{Colibri.UnitTests.Settings.Settings.File} is read again, changes: 3"]);
        _log.Of(123).ShouldBe(["changed, and in force only after a restart: daemon.host, daemon.max_agents"]);
    }

    [Test]
    public void A_mistake_is_logged_and_thrown()
    {
        var reload = Reload();
        _file = "[agents.pi]\nkind = \"pie\"";

        var thrown = Should.Throw<ConfigurationException>(() => reload.Run());

        _log.Of(121).ShouldBe([$"the settings are not read again, and those in force stay: {thrown.Message}"]);
        _log.All.Count.ShouldBe(1);
    }

    [Test]
    public void Without_a_file_there_is_nothing_to_reload()
    {
        new SettingsReload(LiveSettings.Of(Read()), _log).Run();

        _log.Of(104).ShouldBe(["nothing to reload: there is no configuration file, and the environment is read at start"]);
    }

    private SettingsReload Reload() => new(new LiveSettings(ReadFile(_file).Settings, () => ReadFile(_file)), _log);
}
