using System.Net.Sockets;
using System.Text;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Daemon.Hosting;

/// <summary>A service manager's socket, at a path or in the abstract space.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-notify-").FullName;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public NotifySocket(bool isAbstract = false)
    {
        Address = isAbstract ? $"@colibri-test-{Guid.NewGuid():N}" : Path.Combine(_directory, "notify");
        _socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + Address[1..] : Address));
        _socket.ReceiveTimeout = (int)Shell.Deadline.TotalMilliseconds;
    }

    /// <summary>As it stands in <c>NOTIFY_SOCKET</c>.</summary>
    public string Address { get; }

    public bool IsEmpty => _socket.Available == 0;

    /// <summary>The lines of the next datagram.</summary>
    public string[] Next()
    {
        var buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer)).Split('\n');
    }

    /// <summary>From now on nobody listens there.</summary>
    public void Close() => _socket.Dispose();

    public void Dispose()
    {
        _socket.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
