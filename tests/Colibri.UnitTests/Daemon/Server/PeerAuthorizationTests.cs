using Colibri.Daemon.Server;
using Colibri.Posix.Sockets;

namespace Colibri.UnitTests.Daemon.Server;

public sealed class PeerAuthorizationTests
{
    private readonly PeerAuthorization _authorization = new(daemonUid: 250, socketGid: 300);

    [Test]
    [Arguments(0, 0, true)]
    [Arguments(250, 1, true)]
    [Arguments(1000, 300, true)]
    [Arguments(1000, 1000, true, 20, 300)]
    [Arguments(1000, 1000, false, 20, 301)]
    [Arguments(1000, 0, false)]
    [Arguments(300, 250, false)]
    public void Root_the_daemons_user_and_the_sockets_group_are_served(int uid, int gid, bool served, params int[] groups) =>
        _authorization.Allows(new PeerCredentials(4711, (uint)uid, (uint)gid, [.. groups.Select(group => (uint)group)])).ShouldBe(served);
}
