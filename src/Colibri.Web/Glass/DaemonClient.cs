using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;

namespace Colibri.Web.Glass;

/// <summary>Requests to the daemon, over connections that are kept. At most 16 are under way at once; the rest wait.</summary>
internal sealed class DaemonClient(string socketPath) : IDisposable
{
    private const int MaxUnderWay = 16;
    private const int MaxIdle = 4;

    private readonly SemaphoreSlim _slots = new(MaxUnderWay, MaxUnderWay);
    private readonly Stack<ColibriClient> _idle = new();

    public string SocketPath => socketPath;

    /// <summary>Asks something that changes nothing, so it is asked once more where a kept connection turns out to be closed.</summary>
    /// <exception cref="DaemonUnreachableException">There is no answer.</exception>
    /// <exception cref="RefusedException">The answer is a no.</exception>
    public async Task<T> AskAsync<T>(CommandRequest request, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        await _slots.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (Kept() is { } kept)
            {
                try
                {
                    return await AskAsync(kept, request, type, null, cancellation).ConfigureAwait(false);
                }
                catch (DaemonUnreachableException e) when (e.Reason is UnreachableReason.Closed or UnreachableReason.Failed)
                {
                    // It was closed at rest: the daemon was started anew, or had to make room.
                }
            }
            var client = await ColibriClient.ConnectAsync(socketPath, cancellation).ConfigureAwait(false);
            return await AskAsync(client, request, type, null, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Tells the daemon to do something, once.</summary>
    /// <param name="timeout">How long it may take.</param>
    /// <exception cref="DaemonUnreachableException">There is no answer.</exception>
    public async Task<Reply> DoAsync(CommandRequest request, TimeSpan timeout, CancellationToken cancellation)
    {
        using var client = await ColibriClient.ConnectAsync(socketPath, cancellation).ConfigureAwait(false);
        return await client.SendAsync(request, timeout, cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        while (Kept() is { } client)
            client.Dispose();
        _slots.Dispose();
    }

    private async Task<T> AskAsync<T>(ColibriClient client, CommandRequest request, JsonTypeInfo<T> type, TimeSpan? timeout, CancellationToken cancellation)
    {
        var isInStep = false;
        try
        {
            var reply = await client.SendAsync(request, timeout, cancellation).ConfigureAwait(false);
            isInStep = true;
            if (!reply.Ok)
                throw new RefusedException(reply.Error!);
            return reply.Read(type);
        }
        catch (JsonException e)
        {
            throw new RefusedException(new WireError("internal", $"the daemon's answer to {request.Cmd} is not understood: {e.Message}"));
        }
        finally
        {
            if (!isInStep || !Keep(client))
                client.Dispose();
        }
    }

    private ColibriClient? Kept()
    {
        lock (_idle)
            return _idle.TryPop(out var client) ? client : null;
    }

    private bool Keep(ColibriClient client)
    {
        lock (_idle)
        {
            if (_idle.Count >= MaxIdle)
                return false;
            _idle.Push(client);
            return true;
        }
    }
}
