using System.Buffers.Binary;
using System.Net.Sockets;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Sockets;

/// <summary>The process and user at the other end of a Unix socket, as the kernel recorded them when the connection was made.</summary>
/// <param name="Pid">Process id; null where the kernel does not know it.</param>
/// <param name="Uid">Effective user id.</param>
/// <param name="Gid">Effective group id.</param>
/// <param name="Groups">Supplementary groups; FreeBSD reports at most 16, the effective group among them.</param>
public readonly record struct PeerCredentials(int? Pid, uint Uid, uint Gid, IReadOnlyList<uint> Groups)
{
    // Linux: NGROUPS_MAX (<linux/limits.h>).
    private const int MostGroups = 65536;
    private const int UsualGroups = 64;

    /// <summary>Whether the peer is in the group, by its effective or by a supplementary group.</summary>
    public bool IsInGroup(uint gid) => Gid == gid || Groups.Contains(gid);

    /// <summary>Reads the credentials of the peer of a connected Unix stream socket.</summary>
    /// <exception cref="SocketException">Not a connected Unix socket.</exception>
    public static PeerCredentials Read(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return HostPlatform.UsesLinuxAbi ? ReadUcred(socket) : ReadXucred(socket);
    }

    private static PeerCredentials ReadUcred(Socket socket)
    {
        Span<byte> ucred = stackalloc byte[AbiConstants.SizeOfUcred];
        var length = socket.GetRawSocketOption(AbiConstants.Linux.SOL_SOCKET, AbiConstants.SO_PEERCRED, ucred);
        if (length < AbiConstants.SizeOfUcred)
            throw new SocketException((int)SocketError.OperationNotSupported);
        var pid = BinaryPrimitives.ReadInt32LittleEndian(ucred[AbiConstants.OffsetOfUcredPid..]);
        var uid = BinaryPrimitives.ReadUInt32LittleEndian(ucred[AbiConstants.OffsetOfUcredUid..]);
        var gid = BinaryPrimitives.ReadUInt32LittleEndian(ucred[AbiConstants.OffsetOfUcredGid..]);
        // SO_PEERCRED answers uid -1 for a socket that is not connected.
        if (uid == uint.MaxValue)
            throw new SocketException((int)SocketError.NotConnected);
        return new PeerCredentials(pid > 0 ? pid : null, uid, gid, ReadPeerGroups(socket));
    }

    private static uint[] ReadPeerGroups(Socket socket)
    {
        for (var capacity = UsualGroups; ; capacity = MostGroups)
        {
            var buffer = new byte[capacity * sizeof(uint)];
            try
            {
                var length = socket.GetRawSocketOption(AbiConstants.Linux.SOL_SOCKET, AbiConstants.SO_PEERGROUPS, buffer);
                return ReadGroups(buffer.AsSpan(0, length));
            }
            catch (SocketException) when (capacity < MostGroups)
            {
                // ERANGE: more groups than the buffer holds.
            }
            catch (SocketException)
            {
                // A kernel without SO_PEERGROUPS (before 4.13, or an older linux64): the effective group is all we have.
                return [];
            }
        }
    }

    private static PeerCredentials ReadXucred(Socket socket)
    {
        Span<byte> xucred = stackalloc byte[AbiConstants.SizeOfXucred];
        var length = socket.GetRawSocketOption(AbiConstants.SOL_LOCAL, AbiConstants.LOCAL_PEERCRED, xucred);
        if (length < AbiConstants.SizeOfXucred)
            throw new SocketException((int)SocketError.OperationNotSupported);
        return ParseXucred(xucred);
    }

    internal static PeerCredentials ParseXucred(ReadOnlySpan<byte> xucred)
    {
        var count = Math.Clamp(
            (int)BinaryPrimitives.ReadInt16LittleEndian(xucred[AbiConstants.OffsetOfXucredNgroups..]),
            0,
            (AbiConstants.OffsetOfXucredPid - AbiConstants.OffsetOfXucredGroups) / sizeof(uint));
        var groups = ReadGroups(xucred.Slice(AbiConstants.OffsetOfXucredGroups, count * sizeof(uint)));
        var pid = BinaryPrimitives.ReadInt32LittleEndian(xucred[AbiConstants.OffsetOfXucredPid..]);
        return new PeerCredentials(
            pid > 0 ? pid : null,
            BinaryPrimitives.ReadUInt32LittleEndian(xucred[AbiConstants.OffsetOfXucredUid..]),
            groups.Length > 0 ? groups[0] : uint.MaxValue,
            groups);
    }

    private static uint[] ReadGroups(ReadOnlySpan<byte> bytes)
    {
        var groups = new uint[bytes.Length / sizeof(uint)];
        for (var i = 0; i < groups.Length; i++)
            groups[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i * sizeof(uint))..]);
        return groups;
    }
}
