using Colibri.Daemon.Hosting;

namespace Colibri.UnitTests.Daemon;

public sealed class DaemonArgumentsTests
{
    [Test]
    public void Without_arguments_the_daemon_runs() => DaemonArguments.Parse([]).ShouldBe(new DaemonArguments(DaemonAction.Run));

    [Test]
    [Arguments("--pidfile", "/run/c.pid")]
    [Arguments("--pidfile=/run/c.pid")]
    public void A_pidfile_is_taken_either_way(params string[] arguments) =>
        DaemonArguments.Parse(arguments).ShouldBe(new DaemonArguments(DaemonAction.Run, "/run/c.pid"));

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
    [Arguments("unknown argument 'start'", "--pidfile", "/p", "start")]
    public void What_is_not_understood_is_refused_and_said(string problem, params string[] arguments) =>
        DaemonArguments.Parse(arguments).ShouldBe(new DaemonArguments(DaemonAction.Refuse, Problem: problem));

    [Test]
    public void The_usage_fits_a_terminal_of_80_columns() =>
        DaemonArguments.Usage.Split('\n').ShouldAllBe(line => line.Length <= 80);
}
