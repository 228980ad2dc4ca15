using Colibri.Daemon.Hosting;

namespace Colibri.UnitTests.Daemon;

public sealed class DaemonArgumentsTests
{
    [Fact]
    public void Without_arguments_the_daemon_runs() => DaemonArguments.Parse([]).ShouldBe(new DaemonArguments(DaemonAction.Run));

    [Theory]
    [InlineData("--pidfile", "/run/c.pid")]
    [InlineData("--pidfile=/run/c.pid")]
    public void A_pidfile_is_taken_either_way(params string[] arguments) =>
        DaemonArguments.Parse(arguments).ShouldBe(new DaemonArguments(DaemonAction.Run, "/run/c.pid"));

    [Theory]
    [InlineData("--help", (int)DaemonAction.Help)]
    [InlineData("-h", (int)DaemonAction.Help)]
    [InlineData("--version", (int)DaemonAction.Version)]
    [InlineData("--check-config", (int)DaemonAction.CheckConfiguration)]
    public void A_question_is_answered_instead_of_running(string argument, int action) =>
        DaemonArguments.Parse([argument]).ShouldBe(new DaemonArguments((DaemonAction)action));

    [Fact]
    public void A_pidfile_beside_check_config_changes_nothing() =>
        DaemonArguments.Parse(["--check-config", "--pidfile", "/p"]).ShouldBe(new DaemonArguments(DaemonAction.CheckConfiguration, "/p"));

    [Theory]
    [InlineData("--pidfile needs a path", "--pidfile")]
    [InlineData("--pidfile needs a path", "--pidfile=")]
    [InlineData("--pidfile needs a path", "--pidfile", "")]
    [InlineData("unknown argument '--daemonize'", "--daemonize")]
    [InlineData("unknown argument 'start'", "--pidfile", "/p", "start")]
    public void What_is_not_understood_is_refused_and_said(string problem, params string[] arguments) =>
        DaemonArguments.Parse(arguments).ShouldBe(new DaemonArguments(DaemonAction.Refuse, Problem: problem));

    [Fact]
    public void The_usage_fits_a_terminal_of_80_columns() =>
        DaemonArguments.Usage.Split('\n').ShouldAllBe(line => line.Length <= 80);
}
