using Colibri.Protocol;

namespace Colibri.UnitTests.Protocol;

/// <summary>Daemon and client choose the same socket, for everybody who may run either.</summary>
public sealed class SocketPathsTests
{
    private const string Own = "/run/user/1000/colibri/colibri.sock";

    /// <summary>A user's daemon takes the service's directory only where it may write there, and a member of the group may not.</summary>
    [Test]
    [Arguments(false, true, true, Own)]
    [Arguments(false, false, true, Own)]
    [Arguments(false, true, false, SocketPaths.Service)]
    [Arguments(true, true, true, SocketPaths.Service)]
    [Arguments(true, false, true, Own)]
    [Arguments(false, false, false, SocketPaths.Service)]
    public void A_client_talks_to_the_daemon_that_its_user_has_started(bool isRoot, bool isServiceThere, bool isOwnThere, string expected) =>
        SocketPaths.ResolveForClient(
            name => name == "XDG_RUNTIME_DIR" ? "/run/user/1000" : null, isRoot,
            path => (path == SocketPaths.Service && isServiceThere) || (path == Own && isOwnThere), path => path == "/var/run/colibri").ShouldBe(expected);

    [Test]
    public void Without_the_service_a_client_looks_where_the_daemon_would_be()
    {
        string? Environment(string name) => name == "HOME" ? "/home/a" : null;
        SocketPaths.ResolveForClient(Environment, isRoot: false, _ => false, _ => false).ShouldBe(SocketPaths.Resolve(Environment, () => false));
        SocketPaths.ResolveForClient(name => name == SocketPaths.EnvironmentVariable ? "/x.sock" : null, isRoot: true, _ => true, _ => true).ShouldBe("/x.sock");
    }
}
