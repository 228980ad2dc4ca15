using System.Net.Sockets;
using Colibri.Core.Events;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Daemon.Commands;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Posix.Sockets;
using Colibri.Protocol;
using Colibri.Protocol.Wire;
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

    private readonly EventLoop _loop;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ServerCounters _counters;
    private readonly int _limit;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<Task, ClientConnection> _connections = [];
    private readonly PeerAuthorization _authorization;
    private readonly Lock _binding = new();
    private volatile Door _door;
    private Func<Door, Task>? _serve;
    private int _open;
    private long? _evictionsToldAt;
    private int _evictionsUntold;

    private SocketListener(BoundSocket bound, EventLoop loop, ServerCounters counters, TimeProvider time, ILogger logger, int limit)
    {
        (_loop, _counters, _time, _logger, _limit) = (loop, counters, time, logger, limit);
        _authorization = new PeerAuthorization(ProcessUser.EffectiveUid, bound.Gid);
        _door = new Door(bound, loop.Watch(bound.Socket.SafeHandle));
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
    public static void RefuseIfServed(string path) => BoundSocket.RefuseIfServed(path);

    /// <summary>Probes, binds and listens; clients wait in the backlog until <see cref="Serve"/>.</summary>
    /// <exception cref="ConfigurationException">The path cannot be used, or a live daemon listens there; nothing is left behind.</exception>
    public static SocketListener Bind(string path, EventLoop loop, ServerCounters counters, TimeProvider time, ILogger logger, int limit = MaxConnections)
    {
        var bound = BoundSocket.Bind(path, logger);
        try
        {
            return new SocketListener(bound, loop, counters, time, logger, limit);
        }
        catch
        {
            bound.RemoveName();
            bound.Dispose();
            throw;
        }
    }

    public void Serve(CommandTable commands, EventHub events)
    {
        lock (_binding)
        {
            _serve = door => AcceptAsync(door, commands, events);
            _door.Accepting = _serve(_door);
        }
    }

    /// <summary>
    /// Binds the socket anew where its name was removed, or is a dead daemon's; the connections stay. Called by one thread at a time.
    /// </summary>
    /// <returns>What is wrong with the name and cannot be mended here: it is another daemon's now, or no socket. Null while clients reach this daemon.</returns>
    public StatusFile? Look()
    {
        if (_stopping.IsCancellationRequested || _door.Bound.Look() is not { } trouble)
            return null;
        if (trouble.State is not (StatusFile.Gone or StatusFile.Replaced))
            return trouble;
        var before = _door;
        try
        {
            var bound = BoundSocket.Bind(before.Bound.Path, _logger);
            if (!TryOpen(bound, before))
                return null;
            _logger.SocketMadeAnew(bound.Path, trouble.State);
            // Nobody can have come by the old name since the look before this one, and who came before was accepted at once.
            before.Close();
            return null;
        }
        catch (Exception e) when (e is ConfigurationException or IOException)
        {
            // For want of a descriptor, say: it is tried again at the next look.
            return trouble with { Reason = e.Message };
        }
    }

    private bool TryOpen(BoundSocket bound, Door before)
    {
        var isOpen = false;
        try
        {
            lock (_binding)
            {
                if (_stopping.IsCancellationRequested)
                    return false;
                bound.TakeAfter(before.Bound, _logger);
                var door = new Door(bound, _loop.Watch(bound.Socket.SafeHandle));
                isOpen = true;
                if (_serve is not null)
                    door.Accepting = _serve(door);
                _door = door;
                return true;
            }
        }
        finally
        {
            if (!isOpen)
            {
                bound.RemoveName();
                bound.Dispose();
            }
        }
    }

    /// <summary>Removes the socket, accepts no more clients, ends the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        Door door;
        lock (_binding)
            door = _door;
        // Remove the name first: a client that comes now finds no daemon, instead of a connection without an answer.
        door.Bound.RemoveName();
        door.Close();
        await door.Accepting.ConfigureAwait(false);
        Task[] open;
        lock (_connections)
            open = [.. _connections.Keys];
        await Task.WhenAll(open).ConfigureAwait(false);
    }

    /// <summary>Takes no more clients and removes the socket; the connections end with the process. Disposal does nothing then.</summary>
    public void Abandon()
    {
        if (_stopping.IsCancellationRequested)
            return;
        _stopping.Cancel();
        lock (_binding)
            _door.Bound.RemoveName();
    }

    private async Task AcceptAsync(Door door, CommandTable commands, EventHub events)
    {
        const int RetryMs = 100;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                while (door.Bound.Socket.Poll(0, SelectMode.SelectRead))
                    Admit(door.Bound.Socket.Accept(), commands, events);
                await door.Arrivals.WaitReadableAsync().ConfigureAwait(false);
            }
            catch (Exception) when (_stopping.IsCancellationRequested || door.IsClosed)
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

    /// <summary>One bound socket and those who come by it.</summary>
    private sealed class Door(BoundSocket bound, PolledDescriptor arrivals)
    {
        private volatile bool _isClosed;

        public BoundSocket Bound => bound;

        public PolledDescriptor Arrivals => arrivals;

        public bool IsClosed => _isClosed;

        public Task Accepting { get; set; } = Task.CompletedTask;

        public void Close()
        {
            _isClosed = true;
            arrivals.Dispose();
            bound.Dispose();
        }
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
