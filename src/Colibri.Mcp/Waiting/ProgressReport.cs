using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Colibri.Mcp.Waiting;

/// <summary>
/// Tells the client of a long call that it is under way: what was said last, at once, and the same again every 15 s, so that a client that counts
/// the time since it last heard something does not give the call up. Only the latest words wait. The last ones are told before the answer.
/// </summary>
internal sealed class ProgressReport : IAsyncDisposable
{
    /// <summary>The official clients give a request up after 60 s of silence.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly McpServer _client;
    private readonly ProgressToken _token;
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationToken _cancellation;
    private readonly SemaphoreSlim _said = new(0, 1);
    private readonly Task _telling;
    private volatile string _words = "under way";
    private int _told;

    public ProgressReport(McpServer client, ProgressToken token, CancellationToken cancellation)
    {
        (_client, _token, _cancellation) = (client, token, cancellation);
        _telling = TellAsync();
    }

    /// <summary>What the client is to be told next.</summary>
    public void Say(string words)
    {
        _words = words;
        try
        {
            _said.Release();
        }
        catch (SemaphoreFullException)
        {
            // The teller has not taken the earlier words yet, and finds these.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await _telling.ConfigureAwait(false);
        _over.Dispose();
        _said.Dispose();
    }

    private async Task TellAsync()
    {
        try
        {
            while (await IsToTellAsync().ConfigureAwait(false))
            {
                var value = new ProgressNotificationValue { Progress = ++_told, Message = _words };
                await _client.NotifyProgressAsync(_token, value, cancellationToken: _cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException or ObjectDisposedException)
        {
            // The call is given up, or its client is gone.
        }
    }

    private async Task<bool> IsToTellAsync()
    {
        try
        {
            await _said.WaitAsync(Interval, _over.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return _said.Wait(0, CancellationToken.None);
        }
    }
}
