using System.Reflection;
using Colibri.Daemon.Commands;
using Colibri.Protocol;

namespace Colibri.UnitTests.Daemon.Commands;

public sealed class CommandTableTests
{
    private readonly CommandTable _table = new(
    [
        .. new DaemonCommands(null!).Handlers,
        .. new CostCommands(null!, null!, null!, null!, null!, null!).Handlers,
        .. new TaskCommands(null!, null!, null!).Handlers,
        .. new AgentCommands(null!, null!, "clawdie").Handlers,
        .. new SessionCommands(null!, null!).Handlers,
        .. new RegistryCommands(null!).Handlers,
    ]);

    [Test]
    public void Every_command_of_the_protocol_has_a_handler_and_no_other_has()
    {
        var names = typeof(CommandNames).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        // The connection itself answers subscribe: it is the connection that changes.
        _table.Names.Order().ShouldBe(names.Where(name => name != CommandNames.Subscribe).Order());
    }

    [Test]
    [Arguments("Ping")]
    [Arguments("ping ")]
    [Arguments("")]
    public void A_name_is_taken_literally(string name) => _table.Find(name).ShouldBeNull();
}
