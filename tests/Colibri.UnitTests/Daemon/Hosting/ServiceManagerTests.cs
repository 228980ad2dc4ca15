using Colibri.Daemon.Hosting;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class ServiceManagerTests
{
    private const int Unreachable = 107;
    private const int Pid = 4711;
    private readonly CollectingLogger _logger = new();

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public void What_it_is_told_comes_in_one_datagram(bool isAbstract)
    {
        using var socket = new NotifySocket(isAbstract);
        using var manager = Find(("NOTIFY_SOCKET", socket.Address))!;

        manager.Tell("READY=1", "STATUS=2 of 4 agents running").ShouldBeTrue();

        socket.Next().ShouldBe(["READY=1", "STATUS=2 of 4 agents running"]);
        socket.IsEmpty.ShouldBeTrue();
    }

    [Test]
    public void Without_one_there_is_nobody_to_tell()
    {
        Find().ShouldBeNull();
        Find(("NOTIFY_SOCKET", "")).ShouldBeNull();
        _logger.Of(Unreachable).ShouldBeEmpty();
    }

    [Test]
    [Arguments("vsock:2:1234")]
    [Arguments("relative/path")]
    [Arguments("/a/path/that/is/longer/than/the/108/bytes/that/the/address/of/a/unix/socket/has/room/for/on/linux/and/on/freebsd/too")]
    public void An_address_that_cannot_be_used_is_logged_and_left_alone(string address)
    {
        Find(("NOTIFY_SOCKET", address)).ShouldBeNull();
        _logger.Of(Unreachable).ShouldHaveSingleItem().ShouldContain(address);
    }

    [Test]
    public void One_that_went_away_is_logged_once_and_throws_nothing()
    {
        using var socket = new NotifySocket();
        using var manager = Find(("NOTIFY_SOCKET", socket.Address))!;
        socket.Close();

        manager.Tell("WATCHDOG=1").ShouldBeFalse();
        manager.Tell("WATCHDOG=1").ShouldBeFalse();

        _logger.Of(Unreachable).ShouldHaveSingleItem().ShouldContain(socket.Address);
    }

    [Test]
    public void One_that_does_not_read_holds_nobody_up_for_good()
    {
        using var socket = new NotifySocket();
        using var manager = Find(("NOTIFY_SOCKET", socket.Address))!;

        // Linux queues net.unix.max_dgram_qlen datagrams, by custom 10 or 512.
        var sent = 0;
        while (sent < 100_000 && manager.Tell("WATCHDOG=1"))
            sent++;

        sent.ShouldBeInRange(1, 99_999);
    }

    [Test]
    [Arguments("30000000", null, 30.0)]
    [Arguments("30000000", "4711", 30.0)]
    [Arguments("30000000", "4712", null)]
    [Arguments("0", null, null)]
    [Arguments("soon", null, null)]
    [Arguments("-5", null, null)]
    [Arguments(null, null, null)]
    public void The_watchdog_is_the_one_that_is_meant_for_this_process(string? microseconds, string? pid, double? seconds)
    {
        using var socket = new NotifySocket();
        using var manager = Find(("NOTIFY_SOCKET", socket.Address), ("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid))!;

        (manager.Watchdog?.TotalSeconds).ShouldBe(seconds);
    }

    private ServiceManager? Find(params (string Name, string? Value)[] variables) =>
        ServiceManager.Find(name => Array.Find(variables, variable => variable.Name == name).Value, Pid, _logger);
}
