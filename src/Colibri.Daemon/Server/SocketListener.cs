using System.Net.Sockets;
using System.Text;
using Colibri.Core.Events;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Daemon.Commands;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Posix.Sockets;
using Colibri.Protocol;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Server;

/// <summary>The daemon's socket. It is bound once no other daemon answers on it, and removed at the daemon's end.</summary>
internal sealed class SocketListener : IAsyncDisposable
{
    /// <summary>Connections open at once. A further one takes the place of one that is idle, or is told and closed.</summary>
    public const int MaxConnections = 1_024;

    /// <summary>When all are open, the one that has been idle longest makes room for a new one, if it has been for this long.</summary>
    public static readonly TimeSpan EvictableAfter = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan EvictionsToldEvery = TimeSpan.FromMinutes(1);

    // FreeBSD's sun_path; Linux would take four bytes more (sys/un.h). One number on both keeps a configuration portable.
    private const int MaxPathBytes = 103;
    private const int Backlog = 512;

    // S_IFMT and S_IFSOCK, the same on both systems (sys/stat.h).
    private const uint FileTypeMask = 0xF000;
    private const uint SocketFileType = 0xC000;

    private const UnixFileMode SocketMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    private readonly Socket _listener;
    private readonly EventLoop _loop;
    private readonly PolledDescriptor _arrivals;
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ServerCounters _counters;
    private readonly int _limit;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<Task, ClientConnection> _connections = [];
    private readonly PeerAuthorization _authorization;
    private Task _accepting = Task.CompletedTask;
    private int _open;
    private long? _evictionsToldAt;
    private int _evictionsUntold;

    private SocketListener(
        Socket listener, EventLoop loop, string path, PeerAuthorization authorization, ServerCounters counters, TimeProvider time, ILogger logger, int limit)
    {
        (_listener, _loop, _path, _authorization, _counters, _time, _logger, _limit) = (listener, loop, path, authorization, counters, time, logger, limit);
        _arrivals = loop.Watch(listener.SafeHandle);
    }

    /// <summary>Connections without a request under way and without a subscription.</summary>
    internal int Idle
    {
        get
        {
            lock (_connections)
                return _connections.Values.Count(connection => connection.IdleSince is not null);
        }
    }

    /// <summary>How long the one has been idle that has been longest; null where none is.</summary>
    internal TimeSpan? Longest
    {
        get
        {
            lock (_connections)
                return _connections.Values.Min(connection => connection.IdleSince) is { } since ? _time.GetElapsedTime(since) : null;
        }
    }

    /// <exception cref="ConfigurationException">A live daemon listens there, or the path cannot be used.</exception>
    public static void RefuseIfServed(string path)
    {
        if (DirectoryOf(path) is not null && File.Exists(path))
            Probe(path);
    }

    /// <summary>Probes, binds and listens; clients wait in the backlog until <see cref="Serve"/>.</summary>
    /// <exception cref="ConfigurationException">The path cannot be used, or a live daemon listens there; nothing is left behind.</exception>
    public static SocketListener Bind(string path, EventLoop loop, ServerCounters counters, TimeProvider time, ILogger logger, int limit = MaxConnections)
    {
        var directory = DirectoryOf(path);
        try
        {
            ExactModes.CreateDirectory(directory, SocketMode);
            if (File.Exists(path) && !Probe(path))
            {
                File.Delete(path);
                logger.StaleSocketRemoved(path);
            }
            return Listen(path, loop, counters, time, logger, limit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            throw new ConfigurationException($"socket {path} cannot be made: {e.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ')} (set COLIBRI_DAEMON_SOCKET?)");
        }
    }

    public void Serve(CommandTable commands, EventHub events) => _accepting = AcceptAsync(commands, events);

    /// <summary>Removes the socket, accepts no more clients, ends the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        // Remove the name first: a client that comes now finds no daemon, instead of a connection without an answer.
        RemoveName(_path);
        _arrivals.Dispose();
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] open;
        lock (_connections)
            open = [.. _connections.Keys];
        await Task.WhenAll(open).ConfigureAwait(false);
    }

    private static SocketListener Listen(string path, EventLoop loop, ServerCounters counters, TimeProvider time, ILogger logger, int limit)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var isBound = false;
        try
        {
            listener.Bind(new UnixListenerEndPoint(path));
            isBound = true;
            File.SetUnixFileMode(path, SocketMode);
            listener.Listen(Backlog);
            listener.Blocking = false;
            var authorization = new PeerAuthorization(ProcessUser.EffectiveUid, FileOwner.Of(path).Gid);
            return new SocketListener(listener, loop, path, authorization, counters, time, logger, limit);
        }
        catch
        {
            // A name that was there before the bind is another program's.
            if (isBound)
                RemoveName(path);
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Takes no more clients and removes the socket; the connections end with the process. Disposal does nothing then.</summary>
    public void Abandon()
    {
        if (_stopping.IsCancellationRequested)
            return;
        _stopping.Cancel();
        RemoveName(_path);
    }

    private static string DirectoryOf(string path)
    {
        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > MaxPathBytes)
            throw new ConfigurationException($"socket path {path} is {bytes} bytes long; the limit is {MaxPathBytes}: set COLIBRI_DAEMON_SOCKET to a shorter one");
        return Path.GetDirectoryName(path) is { Length: > 0 } directory && Path.GetFileName(path).Length > 0
            ? directory
            : throw new ConfigurationException($"socket path {path} names no file; set COLIBRI_DAEMON_SOCKET to one");
    }

    /// <summary>False if no process listens on the existing socket.</summary>
    /// <exception cref="ConfigurationException">A process listens on it, or the path is no socket.</exception>
    private static bool Probe(string path)
    {
        // A connect to an ordinary file is refused too, so the type is checked before the path is taken for a dead socket.
        if ((FileOwner.Of(path).Mode & FileTypeMask) != SocketFileType)
            throw new ConfigurationException($"{path} is there and is no socket; move it away or set COLIBRI_DAEMON_SOCKET");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused)
        {
            return false;
        }
        catch (SocketException e)
        {
            throw new ConfigurationException($"{path} is there and does not answer as a daemon's socket ({e.Message}); move it away or set COLIBRI_DAEMON_SOCKET");
        }
        var listener = PeerCredentials.Read(probe);
        throw new ConfigurationException(
            $"a daemon already listens at {path} (pid {listener.Pid?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "unknown"}, uid {listener.Uid}); stop it first, or set COLIBRI_DAEMON_SOCKET");
    }

    private static void RemoveName(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is gone already.
        }
    }

    private async Task AcceptAsync(CommandTable commands, EventHub events)
    {
        const int RetryMs = 100;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                while (_listener.Poll(0, SelectMode.SelectRead))
                    Admit(_listener.Accept(), commands, events);
                await _arrivals.WaitReadableAsync().ConfigureAwait(false);
            }
            catch (Exception) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
            {
                // The client closed before it was accepted.
            }
            catch (SocketException e)
            {
                // The likely cause is a lack of descriptors. Present clients go on, new ones wait in the backlog.
                _logger.AcceptFailed(e.Message, RetryMs);
                await Task.Delay(RetryMs, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Go on after every other error too: a daemon that accepts no clients is of no use.
                _logger.UnexpectedFailure("accepting clients", e);
                await Task.Delay(RetryMs, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Serves the client, or closes its socket: nobody else has it. Never throws for what one client is.</summary>
    private void Admit(Socket client, CommandTable commands, EventHub events)
    {
        var isServed = false;
        try
        {
            isServed = TryServe(client, commands, events);
        }
        catch (SocketException)
        {
            // The client closed before its credentials were read.
        }
        catch (IOException e)
        {
            // The kernel lacks memory to watch one more descriptor.
            _logger.AcceptFailed(e.Message, 0);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _logger.UnexpectedFailure("admitting a client", e);
        }
        finally
        {
            if (!isServed)
                client.Dispose();
        }
    }

    private bool TryServe(Socket client, CommandTable commands, EventHub events)
    {
        var peer = PeerCredentials.Read(client);
        if (!_authorization.Allows(peer))
        {
            _logger.ClientDenied(peer.Uid);
            Refuse(client, Reply.Error(ErrorCodes.Denied, $"uid {peer.Uid} is neither root, nor the daemon's user, nor in the socket's group"));
            return false;
        }
        if (Interlocked.Increment(ref _open) > _limit && !TryEvict())
        {
            Interlocked.Decrement(ref _open);
            _logger.ClientsFull(_limit);
            Refuse(client, Reply.Error(ErrorCodes.Unavailable, $"{_limit} connections are open; close some and try again"));
            return false;
        }
        try
        {
            _logger.ClientConnected(_counters.ConnectionAccepted(), peer.Uid, peer.Pid);
            var connection = new ClientConnection(client, _loop.Watch(client.SafeHandle), commands, events, _counters, _time, _logger);
            Track(connection, connection.ServeAsync(_stopping.Token));
            return true;
        }
        catch
        {
            Interlocked.Decrement(ref _open);
            throw;
        }
    }

    /// <summary>Closes the connection that has been idle longest, if that is long enough; false where none is.</summary>
    private bool TryEvict()
    {
        while (true)
        {
            ClientConnection? longest = null;
            var since = long.MaxValue;
            lock (_connections)
            {
                foreach (var connection in _connections.Values)
                {
                    if (connection.IdleSince is { } idle && idle < since)
                        (longest, since) = (connection, idle);
                }
            }
            if (longest is null || _time.GetElapsedTime(since) < EvictableAfter)
                return false;
            // Its request may have come meanwhile: then it is not idle, and the next one is looked for.
            if (!longest.TryEvict(since))
                continue;
            Interlocked.Decrement(ref _open);
            _counters.ConnectionEvicted();
            TellOfEviction();
            return true;
        }
    }

    // Only the loop that accepts comes here.
    private void TellOfEviction()
    {
        _evictionsUntold++;
        if (_evictionsToldAt is { } at && _time.GetElapsedTime(at) < EvictionsToldEvery)
            return;
        _logger.ClientsEvicted(_evictionsUntold, (int)EvictableAfter.TotalSeconds, _limit);
        (_evictionsToldAt, _evictionsUntold) = (_time.GetTimestamp(), 0);
    }

    private void Track(ClientConnection connection, Task serving)
    {
        lock (_connections)
            _connections.Add(serving, connection);
        serving.ContinueWith(
            ended =>
            {
                // The place of one that was evicted is another's since.
                if (!connection.IsEvicted)
                    Interlocked.Decrement(ref _open);
                lock (_connections)
                    _connections.Remove(ended);
                if (ended.Exception is { } failure)
                    _logger.UnexpectedFailure("a connection", failure);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void Refuse(Socket client, Reply reply)
    {
        _counters.ConnectionRefused();
        var line = new System.Buffers.ArrayBufferWriter<byte>();
        reply.WriteLine(line, []);
        client.Blocking = false;
        client.Send(line.WrittenSpan, SocketFlags.None, out _);
    }
}

/// <summary>How often the socket's limits were hit.</summary>
internal sealed class ServerCounters
{
    private long _accepted;
    private long _refused;
    private long _evicted;
    private long _tooLarge;

    public long Accepted => Interlocked.Read(ref _accepted);
    public long Refused => Interlocked.Read(ref _refused);
    public long Evicted => Interlocked.Read(ref _evicted);
    public long TooLarge => Interlocked.Read(ref _tooLarge);

    public long ConnectionAccepted() => Interlocked.Increment(ref _accepted);

    public void ConnectionRefused() => Interlocked.Increment(ref _refused);

    public void ConnectionEvicted() => Interlocked.Increment(ref _evicted);

    public void RequestTooLarge() => Interlocked.Increment(ref _tooLarge);
}

/// <summary>Decides which users are served: root, the daemon's user, and members of the socket's group.</summary>
/// <remarks>The socket's mode makes the kernel enforce the same; this check holds even if the mode was loosened.</remarks>
/// <param name="daemonUid">The daemon's effective user.</param>
/// <param name="socketGid">The socket file's group.</param>
internal sealed class PeerAuthorization(uint daemonUid, uint socketGid)
{
    public bool Allows(PeerCredentials peer) =>
        peer.Uid == 0 || peer.Uid == daemonUid || peer.Gid == socketGid || peer.Groups.Contains(socketGid);
}
