using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Sockets;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Server;

/// <summary>
/// A listening socket and the name that it was bound to. The name is this daemon's only as long as it leads to the inode that was bound: the kernel
/// holds that inode while the socket is open, so no other file gets its number.
/// </summary>
internal sealed class BoundSocket : IDisposable
{
    // FreeBSD's sun_path; Linux would take four bytes more (sys/un.h). One number on both keeps a configuration portable.
    private const int MaxPathBytes = 103;
    private const int Backlog = 512;

    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    /// <summary>For a program that holds a lock on the directory for its own purposes.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(2);

    private readonly FileIdentity _identity;

    private BoundSocket(Socket socket, string path, FileLook look) => (Socket, Path, _identity, Gid) = (socket, path, look.Identity!.Value, look.Owner.Gid);

    public Socket Socket { get; }

    public string Path { get; }

    /// <summary>The socket file's group when it was bound.</summary>
    public uint Gid { get; }

    /// <summary>Mode and group that an operator may have given the name since; as bound before the first look.</summary>
    public FileOwner? Seen { get; private set; }

    /// <exception cref="ConfigurationException">A live daemon listens there, or the path cannot be used.</exception>
    public static void RefuseIfServed(string path)
    {
        _ = DirectoryOf(path);
        if (FileLook.At(path).Identity is not null)
            Probe(path);
    }

    /// <summary>Probes, binds and listens. A dead daemon's socket is removed.</summary>
    /// <exception cref="ConfigurationException">The path cannot be used, or a live daemon listens there; nothing is left behind.</exception>
    public static BoundSocket Bind(string path, ILogger logger)
    {
        var directory = DirectoryOf(path);
        try
        {
            ExactModes.CreateDirectory(directory, Mode);
            // Between a probe and the removal, and between bind and listen, another daemon would take this one's socket for a dead one.
            using var alone = DirectoryLock.Take(directory, LockPatience);
            if (FileLook.AtName(path).Identity is not null && !Probe(path))
            {
                File.Delete(path);
                logger.StaleSocketRemoved(path);
            }
            return Listen(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            throw new ConfigurationException($"socket {path} cannot be made: {e.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ')} (set COLIBRI_DAEMON_SOCKET?)");
        }
    }

    /// <summary>What is wrong with the name; null while clients reach this socket by it.</summary>
    public StatusFile? Look()
    {
        var look = FileLook.At(Path);
        if (look.Identity == _identity)
        {
            Seen = look.Owner;
            return (look.Owner.Mode & (uint)UnixFileMode.UserWrite) != 0 || ProcessUser.EffectiveUid == 0 ? null
                : Trouble(StatusFile.ReadOnly, $"nobody may connect to it: chmod 770 {Path}");
        }
        if (look.Identity is null && !look.IsMissing)
            return Trouble(StatusFile.Gone, $"{Path} cannot be looked at: {look.Problem}");
        if (FileLook.AtName(Path).Identity is null)
            return Trouble(StatusFile.Gone, $"{Path} was removed");
        try
        {
            return Probe(Path) ? null : Trouble(StatusFile.Replaced, $"the socket of a dead daemon is at {Path}");
        }
        catch (ConfigurationException e)
        {
            return look.IsSocket
                ? Trouble(StatusFile.Taken, $"{e.Message}; clients reach that one: once it has ended, this daemon binds the socket anew")
                : Trouble(StatusFile.Replaced, e.Message);
        }
    }

    /// <summary>Removes the name, if it is this socket's still.</summary>
    public void RemoveName()
    {
        try
        {
            using var alone = DirectoryLock.Take(System.IO.Path.GetDirectoryName(Path)!, LockPatience);
            if (FileLook.AtName(Path).Identity == _identity)
                File.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is gone already.
        }
    }

    /// <summary>Gives the name the mode and the group that another had.</summary>
    public void TakeAfter(BoundSocket other, ILogger logger)
    {
        if (other.Seen is not { } seen)
            return;
        Seen = seen;
        try
        {
            if (seen.Gid != Gid && !FileGroup.TrySet(Path, seen.Gid))
                logger.SocketGroupLost(Path, seen.Gid, $"chgrp {seen.Gid.ToString(CultureInfo.InvariantCulture)} {Path}");
            File.SetUnixFileMode(Path, (UnixFileMode)(seen.Mode & 0x1FF) | UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was removed again: the next look tells.
        }
    }

    /// <summary>Closes the socket. The name is left alone.</summary>
    public void Dispose() => Socket.Dispose();

    private StatusFile Trouble(string state, string reason) => new("socket", Path, state, reason);

    private static BoundSocket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        FileLook bound = default;
        try
        {
            socket.Bind(new UnixListenerEndPoint(path));
            bound = FileLook.AtName(path);
            File.SetUnixFileMode(path, Mode);
            socket.Listen(Backlog);
            socket.Blocking = false;
            return bound.Identity is null ? throw new IOException("it was removed at once") : new BoundSocket(socket, path, bound);
        }
        catch
        {
            // A name that was there before the bind is another program's.
            if (bound.Identity is not null && FileLook.AtName(path).Identity == bound.Identity)
                File.Delete(path);
            socket.Dispose();
            throw;
        }
    }

    private static string DirectoryOf(string path)
    {
        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > MaxPathBytes)
            throw new ConfigurationException($"socket path {path} is {bytes} bytes long; the limit is {MaxPathBytes}: set COLIBRI_DAEMON_SOCKET to a shorter one");
        return System.IO.Path.GetDirectoryName(path) is { Length: > 0 } directory && System.IO.Path.GetFileName(path).Length > 0
            ? directory
            : throw new ConfigurationException($"socket path {path} names no file; set COLIBRI_DAEMON_SOCKET to one");
    }

    /// <summary>False if no process listens on the existing socket. Does not wait.</summary>
    /// <exception cref="ConfigurationException">A process listens on it, or the path is no socket.</exception>
    private static bool Probe(string path)
    {
        // A connect to an ordinary file is refused too, so the type is checked before the path is taken for a dead socket.
        var look = FileLook.At(path);
        if (look.Identity is not null ? !look.IsSocket : !FileLook.AtName(path).IsLink)
            throw new ConfigurationException($"{path} is there and is no socket; move it away or set COLIBRI_DAEMON_SOCKET");
        if (look.Identity is null)
            throw new ConfigurationException($"{path} is a symbolic link that leads nowhere; remove it or set COLIBRI_DAEMON_SOCKET");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused)
        {
            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress or SocketError.TryAgain)
        {
            // Its backlog is full: it is open, and nobody accepts.
            throw new ConfigurationException($"a daemon already listens at {path} and accepts nobody; stop it first, or set COLIBRI_DAEMON_SOCKET");
        }
        catch (SocketException e)
        {
            throw new ConfigurationException($"{path} is there and does not answer as a daemon's socket ({e.Message}); move it away or set COLIBRI_DAEMON_SOCKET");
        }
        var listener = PeerCredentials.Read(probe);
        throw new ConfigurationException(
            $"a daemon already listens at {path} (pid {listener.Pid?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}, uid {listener.Uid}); stop it first, or set COLIBRI_DAEMON_SOCKET");
    }
}
