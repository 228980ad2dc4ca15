using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Colibri.EndToEndTests.Pi;

/// <summary>
/// A model that is none: answers <c>POST /v1/chat/completions</c> on loopback as the word <c>SCENARIO:…</c> in the latest user
/// message says. The numbers are those behind the recordings, so that a run against it folds to the same usage.
/// </summary>
internal sealed class ModelStandIn : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, int> _asked = new();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private int _requests;

    public ModelStandIn()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Completions asked for so far, refused ones included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public int RequestsOf(string scenario) => _asked.GetValueOrDefault(scenario);

    /// <summary>Lets every answer of the scenario <c>slow</c> go on to its end.</summary>
    public void Release() => _released.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            var body = await HttpExchange.ReadBodyAsync(stream, _stop.Token);
            if (body is not null)
                await AnswerAsync(new HttpExchange(stream, _stop.Token), JsonElement.Parse(body));
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The agent was killed in the middle of an answer, or the test is over.
        }
    }

    private async Task AnswerAsync(HttpExchange exchange, JsonElement request)
    {
        var number = Interlocked.Increment(ref _requests);
        var conversation = Conversation.Of(request);
        var asked = _asked.AddOrUpdate(conversation.Scenario, 1, (_, before) => before + 1);
        var answer = new CompletionChunks($"chatcmpl-mock-{number}", request.GetProperty("model").GetString()!);
        switch (conversation.Scenario)
        {
            case "auth":
                await exchange.RefuseAsync(401, "invalid api key");
                break;
            case "fail":
                await exchange.RefuseAsync(503, "service unavailable");
                break;
            case "retry" when asked == 1:
                await exchange.RefuseAsync(529, "overloaded, please retry");
                break;
            case "length":
                await exchange.StreamAsync([answer.Words("This answer is cut"), answer.End("length"), answer.Usage(10, 0, 1, 0)]);
                break;
            case "billed" when asked == 1:
                // All of it sent and counted, and the connection gone before the end is said: the provider bills it.
                await exchange.StreamAsync([answer.Words("This answer is billed"), answer.Usage(1200, 1024, 40, 0)], complete: false);
                break;
            case "background":
                // First a tool that leaves processes behind, one of them in a session of its own; then one that does not end.
                await exchange.StreamAsync(
                [
                    answer.ToolCall(0, $"call_{number}", "bash", JsonSerializer.Serialize(new
                    {
                        command = asked == 1 ? "sleep 600 >/dev/null 2>&1 & setsid sleep 601 >/dev/null 2>&1 & echo left" : "sleep 602",
                    })),
                    answer.End("tool_calls"), answer.Usage(1200, 1024, 40, 8),
                ]);
                break;
            case "overflow":
                await exchange.RefuseAsync(400, "This model's maximum context length is 128000 tokens. context_length_exceeded");
                break;
            case "cut":
                await exchange.StreamAsync([answer.Words("This answer never")], complete: false);
                break;
            case "slow" when !conversation.HasToolResult:
                await exchange.StreamAsync([answer.Words("Thinking"), answer.Words(" slowly")], complete: false);
                await _released.Task.WaitAsync(_stop.Token);
                await exchange.ContinueAsync([answer.Words(", done."), answer.End("stop"), answer.Usage(1300, 1152, 12, 0)]);
                break;
            case "tool" or "two" or "retry" when !conversation.HasToolResult:
                await exchange.StreamAsync(
                [
                    answer.Words("Running"), answer.Words(" the command."),
                    answer.ToolCall(0, $"call_{number}a", "bash", "{\"command\":\"echo hi\"}"),
                    .. conversation.Scenario == "two"
                        ? [answer.ToolCall(1, $"call_{number}b", "write", "{\"path\":\"out.txt\",\"content\":\"hello\\n\"}")]
                        : Array.Empty<string>(),
                    answer.End("tool_calls"), answer.Usage(1200, 1024, 40, 8),
                ]);
                break;
            default:
                await exchange.StreamAsync(
                [
                    answer.Words("Done: it printed hi."), answer.Words(" sep[\u2028] emoji \U0001F426"), answer.Words(" nul? \u0001 end"),
                    answer.End("stop"), answer.Usage(1300, 1152, 12, 0),
                ]);
                break;
        }
    }
}
