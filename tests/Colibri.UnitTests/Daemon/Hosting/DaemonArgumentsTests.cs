using Colibri.Daemon.Hosting;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class DaemonArgumentsTests
{
    [Test]
    public void Without_arguments_the_daemon_runs() => DaemonArguments.Parse([]).ShouldBe(new DaemonArguments(DaemonAction.Run));

    [Test]
    [Arguments("--pidfile", "/run/c.pid")]
    [Arguments("--pidfile=/run/c.pid")]
    [Arguments("--pidfile", "/run/d.pid", "--pidfile=/run/c.pid")]
    [Arguments("--pidfile=", "--pidfile", "/run/c.pid")]
    public void A_pidfile_is_taken_either_way(params string[] arguments) =>
        DaemonArguments.Parse(arguments).ShouldBe(new DaemonArguments(DaemonAction.Run, "/run/c.pid"));

    [Test]
    [Arguments("--check-config")]
    [Arguments("--help")]
    [Arguments("-h")]
    [Arguments("--version")]
    [Arguments("--pidfile")]
    [Arguments("--mark")]
    [Arguments("--")]
    [Arguments("-1")]
    public void A_pidfile_may_have_the_name_of_an_option(string path)
    {
        DaemonArguments.Parse(["--pidfile", path]).ShouldBe(new DaemonArguments(DaemonAction.Run, path));
        DaemonArguments.Parse([$"--pidfile={path}"]).ShouldBe(new DaemonArguments(DaemonAction.Run, path));
    }

    [Test]
    [Arguments((int)DaemonAction.Help, "--help", "--version")]
    [Arguments((int)DaemonAction.Version, "--version", "--help")]
    [Arguments((int)DaemonAction.Version, "--version", "--daemonize")]
    [Arguments((int)DaemonAction.Help, "--pidfile=", "--help")]
    [Arguments((int)DaemonAction.Help, "--check-config", "--pidfile", "/p", "-h", "--pidfile")]
    public void A_question_is_answered_as_soon_as_it_is_read(int action, params string[] arguments) =>
        DaemonArguments.Parse(arguments).ShouldBe(new DaemonArguments((DaemonAction)action));

    [Test]
    [Arguments("--help", (int)DaemonAction.Help)]
    [Arguments("-h", (int)DaemonAction.Help)]
    [Arguments("--version", (int)DaemonAction.Version)]
    [Arguments("--check-config", (int)DaemonAction.CheckConfiguration)]
    public void A_question_is_answered_instead_of_running(string argument, int action) =>
        DaemonArguments.Parse([argument]).ShouldBe(new DaemonArguments((DaemonAction)action));

    [Test]
    public void A_pidfile_beside_check_config_changes_nothing() =>
        DaemonArguments.Parse(["--check-config", "--pidfile", "/p"]).ShouldBe(new DaemonArguments(DaemonAction.CheckConfiguration, "/p"));

    [Test]
    [Arguments("--pidfile needs a path", "--pidfile")]
    [Arguments("--pidfile needs a path", "--pidfile=")]
    [Arguments("--pidfile needs a path", "--pidfile", "")]
    [Arguments("unknown argument '--daemonize'", "--daemonize")]
    [Arguments("--pidfile needs a path", "--pidfile", "/p", "--pidfile", "")]
    [Arguments("unknown argument 'start'", "--pidfile", "/p", "start")]
    [Arguments("unknown argument '--daemonize'", "--daemonize", "--help")]
    [Arguments("unknown argument '--PIDFILE'", "--PIDFILE", "/p")]
    [Arguments("unknown argument '--check-config=1'", "--check-config=1")]
    [Arguments("unknown argument '--mark'", "--mark", "x")]
    [Arguments("unknown argument '--show-help'", "--show-help")]
    [Arguments("unknown argument '--'", "--")]
    [Arguments("unknown argument ''", "")]
    public void What_is_not_understood_is_refused_and_said(string problem, params string[] arguments) =>
        DaemonArguments.Parse(arguments).ShouldBe(new DaemonArguments(DaemonAction.Refuse, Problem: problem));

    [Test]
    public void The_usage_fits_a_terminal_of_80_columns() =>
        DaemonArguments.Usage.Split('\n').ShouldAllBe(line => line.Length <= 80);
}
