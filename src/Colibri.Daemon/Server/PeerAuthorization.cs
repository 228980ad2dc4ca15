using Colibri.Posix.Sockets;

namespace Colibri.Daemon.Server;

/// <summary>Who is served: root, the daemon's user, and members of the socket's group.</summary>
/// <remarks>The socket's mode says the same to the kernel; this holds even when somebody loosened it.</remarks>
/// <param name="daemonUid">The daemon's effective user.</param>
/// <param name="socketGid">The socket file's group.</param>
internal sealed class PeerAuthorization(uint daemonUid, uint socketGid)
{
    public bool Allows(PeerCredentials peer) =>
        peer.Uid == 0 || peer.Uid == daemonUid || peer.Gid == socketGid || peer.Groups.Contains(socketGid);
}
