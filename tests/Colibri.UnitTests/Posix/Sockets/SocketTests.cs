using System.Buffers.Binary;
using System.Net.Sockets;
using Colibri.Posix.Host;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Sockets;

[NotInParallel]
public sealed class SocketTests
{
    private static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    [Test]
    public async Task An_empty_receive_waits_until_there_is_something_to_read()
    {
        var (ours, theirs) = SocketPair.Create();
        using var _ = ours;
        using var __ = theirs;
        var waiting = ours.ReceiveAsync(Memory<byte>.Empty, Token).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        // A second turn through the event loop: readiness of the other direction must not wake it.
        await Task.Yield();
        waiting.IsCompleted.ShouldBeFalse();

        await using (var end = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(theirs.DangerousGetHandle(), false), FileAccess.Write, 0))
            end.Write("x"u8);
        (await waiting.WaitAsync(Shell.Deadline, Token)).ShouldBe(0);
        var buffer = new byte[8];
        (await ours.ReceiveAsync(buffer.AsMemory(), Token)).ShouldBe(1);

        waiting = ours.ReceiveAsync(Memory<byte>.Empty, Token).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        theirs.Dispose();
        (await waiting.WaitAsync(Shell.Deadline, Token)).ShouldBe(0);
        (await ours.ReceiveAsync(buffer.AsMemory(), Token)).ShouldBe(0);
    }

    [Test]
    public async Task A_child_talks_over_the_pair_in_both_directions()
    {
        var (ours, theirs) = SocketPair.Create();
        using var output = new LineReader(ours);
        ChildProcess child;
        using (theirs)
            child = SharedChildren.Instance.Spawn(Shell.Options("read line; echo \"got $line\"; read line || echo end") with { StandardInput = theirs, StandardOutput = theirs });
        await ours.SendAsync("hello\n"u8.ToArray(), Token);
        (await output.ReadLine()).ShouldBe("got hello");
        ours.Shutdown(SocketShutdown.Send);
        (await output.ReadToEnd()).ShouldBe("end\n");
        (await Shell.Exit(child)).ShouldBe(new ExitStatus(0, null));
    }

    [Test]
    public void The_peer_of_a_socket_pair_is_this_process()
    {
        var (ours, theirs) = SocketPair.Create();
        using var _ = ours;
        using var __ = theirs;
        var peer = PeerCredentials.Read(ours);
        peer.Pid.ShouldBe(Environment.ProcessId);
        peer.Uid.ShouldBe(ProcessUser.EffectiveUid);
        peer.Gid.ShouldBe(ProcessUser.EffectiveGid);
        peer.IsInGroup(peer.Gid).ShouldBeTrue();
        peer.IsInGroup(4_000_000_000).ShouldBeFalse();
    }

    [Test]
    public async Task The_peer_of_an_accepted_connection_is_known_with_its_groups()
    {
        var path = Path.Combine(Path.GetTempPath(), $"colibri-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        try
        {
            listener.Listen();
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await client.ConnectAsync(new UnixDomainSocketEndPoint(path), Token);
            using var accepted = await listener.AcceptAsync(Token);
            var peer = PeerCredentials.Read(accepted);
            peer.Pid.ShouldBe(Environment.ProcessId);
            peer.Uid.ShouldBe(ProcessUser.EffectiveUid);
            var groups = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("Groups:", StringComparison.Ordinal));
            peer.Groups.ShouldBe(groups[7..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(uint.Parse), ignoreOrder: true);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void A_socket_that_is_not_connected_has_no_peer()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Should.Throw<SocketException>(() => PeerCredentials.Read(socket));
    }

    [Test]
    public void The_credentials_of_a_FreeBSD_peer_are_read_from_xucred()
    {
        var xucred = new byte[88];
        BinaryPrimitives.WriteUInt32LittleEndian(xucred.AsSpan(4), 1001);
        BinaryPrimitives.WriteInt16LittleEndian(xucred.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt32LittleEndian(xucred.AsSpan(12), 1002);
        BinaryPrimitives.WriteUInt32LittleEndian(xucred.AsSpan(16), 5);
        BinaryPrimitives.WriteInt32LittleEndian(xucred.AsSpan(80), 4711);
        var peer = PeerCredentials.ParseXucred(xucred);
        (peer.Pid, peer.Uid, peer.Gid).ShouldBe((4711, 1001u, 1002u));
        peer.Groups.ShouldBe([1002u, 5u]);
    }
}
