using System.Net;
using System.Net.Sockets;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Sockets;

/// <summary>
/// The address of a listening Unix socket. It avoids a trap of <see cref="UnixDomainSocketEndPoint"/>: the runtime sizes the
/// buffer for a peer's address by the listener's own, which ends with its path. A client that bound its socket to
/// a longer name (anyone who may connect can) then makes an accept throw on a thread of the pool, where nothing catches it, and
/// the process ends. This one serialises to the whole of <c>struct sockaddr_un</c>, so every peer's address fits.
/// </summary>
/// <remarks>A socket bound with it does not delete its file when it is closed; one bound with the runtime's own does.</remarks>
public sealed class UnixListenerEndPoint : EndPoint
{
    private readonly UnixDomainSocketEndPoint _endPoint;

    /// <summary>The address of the file <paramref name="path"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Empty, or longer than sun_path: 108 bytes on Linux, 104 on FreeBSD, a NUL included.</exception>
    public UnixListenerEndPoint(string path) => _endPoint = new UnixDomainSocketEndPoint(path);

    /// <inheritdoc/>
    public override AddressFamily AddressFamily => AddressFamily.Unix;

    /// <summary>A whole sockaddr_un, 110 bytes on Linux and 106 on FreeBSD, the path padded with NULs.</summary>
    public override SocketAddress Serialize()
    {
        var path = _endPoint.Serialize();
        var whole = new SocketAddress(AddressFamily.Unix, AbiConstants.Current.SizeOfSockaddrUn);
        path.Buffer.Span[AbiConstants.OffsetOfSunPath..path.Size].CopyTo(whole.Buffer.Span[AbiConstants.OffsetOfSunPath..]);
        return whole;
    }

    /// <summary>Returns this end point for every address: a client chooses its own address, and no code here uses it.</summary>
    public override EndPoint Create(SocketAddress socketAddress) => this;

    /// <summary>The path.</summary>
    public override string ToString() => _endPoint.ToString();
}
