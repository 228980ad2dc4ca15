using System.Net;
using System.Net.Sockets;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Sockets;

namespace Colibri.UnitTests.Posix.Sockets;

/// <summary>
/// What a listener bound with the runtime's own UnixDomainSocketEndPoint cannot do: there the second client below makes the
/// runtime throw ArgumentOutOfRangeException on a thread of the pool, and the test process would end.
/// </summary>
public sealed class UnixListenerTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("cl").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    public UnixListenerTests()
    {
        _listener.Bind(new UnixListenerEndPoint(ListenerPath));
        _listener.Listen(8);
    }

    private string ListenerPath => Path.Combine(_directory, "s");

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    [Arguments(ClientName.None)]
    [Arguments(ClientName.LongPath)]
    [Arguments(ClientName.LongAbstractName)]
    public async Task A_client_of_any_name_that_waits_in_the_backlog_is_accepted(ClientName name)
    {
        using var client = await Connect(name);
        using var accepted = await _listener.AcceptAsync(Token).AsTask().WaitAsync(Deadline, Token);
        await ShouldTalk(client, accepted);
    }

    [Test]
    [Arguments(ClientName.None)]
    [Arguments(ClientName.LongPath)]
    [Arguments(ClientName.LongAbstractName)]
    public async Task A_client_of_any_name_that_comes_while_an_accept_is_pending_is_accepted(ClientName name)
    {
        var accepting = _listener.AcceptAsync(Token).AsTask();
        accepting.IsCompleted.ShouldBeFalse();
        using var client = await Connect(name);
        using var accepted = await accepting.WaitAsync(Deadline, Token);
        await ShouldTalk(client, accepted);
    }

    [Test]
    public void The_address_is_a_whole_sockaddr_un_padded_with_NULs()
    {
        var address = new UnixListenerEndPoint("/run/x").Serialize();
        address.Family.ShouldBe(AddressFamily.Unix);
        address.Size.ShouldBe(HostPlatform.UsesLinuxAbi ? 110 : 106);
        Encoding.UTF8.GetString(address.Buffer.Span[2..address.Size]).TrimEnd('\0').ShouldBe("/run/x");
    }

    [Test]
    public void A_path_that_does_not_fit_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => new UnixListenerEndPoint("/" + new string('x', 108)));

    private async Task<Socket> Connect(ClientName name)
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (name is ClientName.LongPath)
            client.Bind(new UnixDomainSocketEndPoint((_directory + "/").PadRight(100, 'p')));
        if (name is ClientName.LongAbstractName)
        {
            Skip.Unless(HostPlatform.Kind is OperatingSystemKind.Linux, "abstract names are Linux's");
            client.Bind(new UnixDomainSocketEndPoint('\0' + Guid.NewGuid().ToString("N").PadRight(107, 'a')));
        }
        await client.ConnectAsync(new UnixDomainSocketEndPoint(ListenerPath), Token);
        return client;
    }

    private static async Task ShouldTalk(Socket client, Socket accepted)
    {
        (await client.SendAsync("x"u8.ToArray(), Token)).ShouldBe(1);
        (await accepted.ReceiveAsync(new byte[8], Token)).ShouldBe(1);
        accepted.RemoteEndPoint.ShouldNotBeNull();
    }
}

public enum ClientName
{
    None,
    LongPath,
    LongAbstractName,
}
