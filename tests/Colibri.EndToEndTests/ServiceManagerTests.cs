using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>What a service manager hears from the daemon by sd_notify(3).</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ServiceManagerTests
{
    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task It_hears_when_clients_are_answered_and_when_the_daemon_stops(bool isAbstract)
    {
        await using var daemon = ColibriDaemon.Prepared();
        var (socket, address) = Listen(daemon, isAbstract);
        using var _ = socket;
        daemon.Change("NOTIFY_SOCKET", address);
        await daemon.StartedAsync();

        (await NextAsync(socket)).ShouldBe(["READY=1", "STATUS=0 of 4 agents running, 0 tasks queued, cost mode smart"]);

        (await daemon.TerminateAsync()).ShouldBe(0);
        (await NextAsync(socket)).ShouldBe(["STOPPING=1", "STATUS=stopping on SIGTERM: 0 agents to end"]);
        socket.Available.ShouldBe(0);
    }

    [Test]
    public async Task It_hears_of_life_only_while_a_client_can_reach_the_daemon()
    {
        await using var daemon = ColibriDaemon.Prepared();
        var (socket, address) = Listen(daemon, isAbstract: false);
        using var _ = socket;
        daemon.Change("NOTIFY_SOCKET", address);
        daemon.Change("WATCHDOG_USEC", "3000000");
        await daemon.StartedAsync();
        (await NextAsync(socket))[0].ShouldBe("READY=1");
        (await NextAsync(socket))[0].ShouldBe("WATCHDOG=1");
        (await NextAsync(socket))[0].ShouldBe("WATCHDOG=1");

        // A socket that is merely gone would be made anew.
        File.Delete(daemon.SocketPath);
        Directory.CreateDirectory(daemon.SocketPath);
        await Eventually.HoldsAsync(
            async () => await NextAsync(socket) is ["STATUS=the socket does not answer"], () => "it hears that something is wrong");
        await Eventually.HoldsAsync(() => daemon.Log.Contains("[108]", StringComparison.Ordinal), () => daemon.Log);
        socket.Available.ShouldBe(0);

        Directory.Delete(daemon.SocketPath);
        (await NextAsync(socket))[0].ShouldBe("WATCHDOG=1");
    }

    [Test]
    [Arguments("/nonexistent/notify")]
    [Arguments("vsock:2:1")]
    public async Task One_that_is_not_there_is_logged_and_does_not_matter(string address)
    {
        await using var daemon = await ColibriDaemon.StartAsync(("NOTIFY_SOCKET", address), ("WATCHDOG_USEC", "1000000"));

        await Eventually.HoldsAsync(() => daemon.Log.Contains("[107]", StringComparison.Ordinal), () => daemon.Log);

        (await daemon.DataAsync(new { cmd = "status" })).Number("pid").ShouldBe(daemon.Pid);
        (await daemon.TerminateAsync()).ShouldBe(0);
    }

    private static (Socket Socket, string Address) Listen(ColibriDaemon daemon, bool isAbstract)
    {
        var path = isAbstract ? $"\0colibri-test-{Guid.NewGuid():N}" : Path.Combine(daemon.DirectoryPath, "notify");
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return (socket, path.Replace('\0', '@'));
    }

    private static async Task<string[]> NextAsync(Socket socket)
    {
        var buffer = new byte[4096];
        var received = await Eventually.WithinAsync(socket.ReceiveAsync(buffer.AsMemory()).AsTask(), "the service manager hears something");
        return Encoding.UTF8.GetString(buffer, 0, received).Split('\n');
    }
}
