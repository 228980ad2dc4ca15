using Colibri.Protocol.Client;

namespace Colibri.UnitTests.Protocol.Client;

public sealed class DaemonHintTests
{
    /// <summary>A Linux executable also runs under FreeBSD, where there is no systemctl: the service manager is told by rc.subr(8).</summary>
    [Test]
    [Arguments(true, "service colibri_daemon restart")]
    [Arguments(false, "systemctl restart colibri-daemon")]
    public void The_command_is_that_of_the_hosts_service_manager(bool hasRcSubr, string command) =>
        DaemonUnreachableException.Service("restart", hasRcSubr).ShouldBe(command);
}
