using Colibri.Daemon.Commands;
using Colibri.Daemon.Server;
using Colibri.Protocol;

namespace Colibri.UnitTests.Daemon.Commands;

public sealed class CommandTableTests
{
    private static readonly CommandHandler[] Handlers =
    [
        .. new DaemonCommands(null!, null!, null!, null!).Handlers,
        .. new MetricsCommands(null!, null!).Handlers,
        .. new CostCommands(null!, null!, null!, null!, null!, null!).Handlers,
        .. new TaskCommands(null!, null!, null!, null!, null!).Handlers,
        .. new ScheduleCommands(null!, null!).Handlers,
        .. new RunCommands(null!).Handlers,
        .. new QueueCommands(null!).Handlers,
        .. new AgentCommands(null!, null!, null!, "clawdie").Handlers,
        .. new SessionCommands(null!, null!, null!).Handlers,
        .. new RegistryCommands(null!).Handlers,
        .. new RetentionCommands(null!).Handlers,
        .. new LandingCommands(null!).Handlers,
        .. new NoticeCommands(null!).Handlers,
    ];

    [Test]
    public void Every_command_of_the_protocol_has_a_handler_and_no_other_has() =>
        // The connection itself answers subscribe: it is the connection that changes.
        new CommandTable(Handlers).Names.Order().ShouldBe(WireCommand.All.Where(command => command != WireCommand.Subscribe).Select(command => command.Name).Order());

    [Test]
    public void A_daemon_without_a_commands_handler_does_not_start() =>
        Should.Throw<InvalidOperationException>(() => new CommandTable(Handlers[1..])).Message.ShouldBe("ping has 0 handlers");

    [Test]
    public void A_daemon_with_two_handlers_of_a_command_does_not_start() =>
        Should.Throw<InvalidOperationException>(() => new CommandTable([.. Handlers, Handlers[0]])).Message.ShouldBe("ping has 2 handlers");

    [Test]
    public void What_the_connection_itself_answers_has_no_handler() => Should.Throw<InvalidOperationException>(() =>
        new CommandTable([.. Handlers, new CommandHandler(WireCommand.Subscribe, _ => ValueTask.FromResult(Reply.Empty))])).Message.ShouldBe("subscribe has 1 handlers");

    [Test]
    [Arguments("Ping")]
    [Arguments("ping ")]
    [Arguments("")]
    public void A_name_is_taken_literally(string name) => new CommandTable(Handlers).Find(name).ShouldBeNull();
}
