using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models.Completions;
using Colibri.EndToEndTests.Models.Gemini;
using Colibri.EndToEndTests.Models.Messages;
using Colibri.EndToEndTests.Models.Responses;

namespace Colibri.EndToEndTests.Models;

/// <summary>
/// A model that is none: answers on loopback, in whichever API it is asked, as the word <c>SCENARIO:…</c> in the latest user message
/// says. The numbers are those behind the recordings, so that a run against it folds to the same usage. Named as a proxy it refuses
/// what is meant for anywhere else, and keeps where to.
/// </summary>
internal sealed class ModelStandIn : IAsyncDisposable
{
    private static readonly IModelApi[] Apis = [new CompletionsApi(), new MessagesApi(), new ResponsesApi(), new GeminiApi()];

    private TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, int> _asked = new();
    private readonly ConcurrentQueue<string> _strays = new();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _accepting;
    private int _requests;
    private int _refused;
    private string _longestSaid = "";
    private string _latestConversation = "";

    public ModelStandIn()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Answers asked for so far, refused ones included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>The longest that a user has said in one message so far, as raw JSON.</summary>
    public string LongestSaid => Volatile.Read(ref _longestSaid);

    /// <summary>All that was said in the latest conversation of a scenario, as raw JSON.</summary>
    public string LatestConversation => Volatile.Read(ref _latestConversation);

    public int RequestsOf(string scenario) => _asked.GetValueOrDefault(scenario);

    /// <summary>How long the command of the scenario <c>aside</c> takes.</summary>
    public int BackgroundSeconds { get; init; }

    /// <summary>What the scenario <c>commands</c> asks the shell for, one after another.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];

    /// <summary>The shell that it asks for though the agent offers none.</summary>
    public string? Shell { get; init; }

    /// <summary>Requests that were meant for somebody else, and for nobody here.</summary>
    public IReadOnlyCollection<string> Strays => _strays;

    /// <summary>When the limit of the scenario <c>limit</c> is lifted: to the second, and long after any test.</summary>
    public DateTimeOffset LimitResets { get; } = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3600);

    /// <summary>How requests fail by now, but for the first of each scenario; null where they are answered.</summary>
    public Outage? Outage { get; set; }

    /// <summary>Requests that have met an outage.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Goes away: connections are refused.</summary>
    public async Task LeaveAsync()
    {
        _listener.Stop();
        await _accepting;
    }

    /// <summary>Is back, at the same port.</summary>
    public void Return()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

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
            if (await HttpExchange.ReadAsync(stream, _stop.Token) is not { } request)
                return;
            var exchange = new HttpExchange(stream, _stop.Token);
            if (request.Method == "POST" && Array.Find(Apis, api => api.IsAsked(request.Target.Split('?')[0])) is { } api)
            {
                await AnswerAsync(api, exchange, JsonElement.Parse(request.Body.Span));
                return;
            }
            _strays.Enqueue($"{request.Method} {request.Target}");
            await exchange.RefuseAsync(404, """{"error":{"message":"not here","type":"mock_error","code":404}}""");
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The agent was killed in the middle of an answer, or the test is over.
        }
    }

    private async Task AnswerAsync(IModelApi api, HttpExchange exchange, JsonElement request)
    {
        var number = Interlocked.Increment(ref _requests);
        var conversation = Conversation.Of(api, request);
        if (api.Read(request).Select(said => said.UserText ?? "").MaxBy(text => text.Length) is { } said && said.Length > LongestSaid.Length)
            Volatile.Write(ref _longestSaid, said);
        if (conversation.Scenario != "plain")
            Volatile.Write(ref _latestConversation, request.GetRawText());
        var asked = _asked.AddOrUpdate(conversation.Scenario, 1, (_, before) => before + 1);
        IReadOnlyList<OfferedTool> offered = request.TryGetProperty("tools", out _) ? [.. api.Tools(request)] : [];
        Answer Said(params string[] words) => new(number, request.TryGetProperty("model", out var model) ? model.GetString()! : "mock-1", words) { Offered = Shell is { } shell ? [new OfferedTool(shell, [])] : offered };
        if (asked > 1 && conversation.Scenario != "plain" && Outage is { } outage)
        {
            Interlocked.Increment(ref _refused);
            // The connection is closed behind this.
            if (outage == Models.Outage.Overloaded)
                await RefuseAsync(503, "service unavailable");
            return;
        }
        switch (conversation.Scenario)
        {
            case "auth":
                await RefuseAsync(401, "invalid api key");
                break;
            case "fail":
                await RefuseAsync(503, "service unavailable");
                break;
            case "retry" when asked == 1:
                await RefuseAsync(529, "overloaded, please retry");
                break;
            case "later" when asked == 1:
                await RefuseAsync(429, "rate limited", ("Retry-After", "40"));
                break;
            case "limit":
                // One API says for how long in a header of HTTP's, the other until when in one of its own.
                await RefuseAsync(
                    429, "rate limited", ("Retry-After", "1"), ("anthropic-ratelimit-unified-status", "rejected"),
                    ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
                    ("anthropic-ratelimit-unified-reset", $"{LimitResets.ToUnixTimeSeconds()}"));
                break;
            case "length":
                await SendAsync(Said("This answer is cut") with { Ending = Ending.Length, Prompt = 10, Cached = 0, Completion = 1 });
                break;
            case "billed" when asked == 1:
                // All of it sent and counted, and the connection gone before the end is said: the provider bills it.
                await SendAsync(Said("This answer is billed") with { Ending = Ending.Missing, Prompt = 1200, Cached = 1024, Completion = 40 });
                break;
            case "background":
                // First a tool that leaves processes behind, one of them in a session of its own; then one that does not end. By way of
                // env, for Claude Code refuses a command that does nothing but sleep.
                await SendAsync(Said().Calling(new ToolCall(
                    $"call_{number}", asked == 1 ? "env sleep 600 >/dev/null 2>&1 & setsid sleep 601 >/dev/null 2>&1 & echo left" : "env sleep 602")));
                break;
            case "aside" when !conversation.HasToolResult:
                await SendAsync(Said("Starting it.").Calling(new ToolCall(
                    $"call_{number}", $"env sleep {BackgroundSeconds}; echo late > late.txt", InBackground: true)));
                break;
            case "work" when !conversation.HasToolResult && conversation.Command is { } work:
                await SendAsync(Said("Doing it.").Calling(new ToolCall($"call_{number}", work)));
                break;
            case "commands" when asked <= Commands.Count:
                await SendAsync(Said("Doing it.").Calling(new ToolCall($"call_{number}", Commands[asked - 1])));
                break;
            case "dear":
                // Every answer asks for another, and for a hundred thousand tokens.
                await SendAsync(Said("Spending.").Calling(new ToolCall($"call_{number}", $"echo spent {asked}")) with { Prompt = 100_000, Cached = 0 });
                break;
            case "overflow":
                await RefuseAsync(400, "This model's maximum context length is 128000 tokens. context_length_exceeded");
                break;
            case "cut":
                await exchange.StreamAsync(api.Opening(Said("This answer never")), complete: false);
                break;
            // Of completions alone: the other APIs open an answer once.
            case "slow" when !conversation.HasToolResult:
                await exchange.StreamAsync(api.Opening(Said("Thinking", " slowly")), complete: false);
                await _released.Task.WaitAsync(_stop.Token);
                await exchange.ContinueAsync([.. api.Opening(Said(", done.")), .. api.Ending(Said())]);
                break;
            case "tool" or "two" or "retry" or "later" when !conversation.HasToolResult:
                var calls = new[] { new ToolCall($"call_{number}a", "echo hi"), new ToolCall($"call_{number}b", Command: null) };
                await SendAsync(Said("Running", " the command.").Calling(calls[..(conversation.Scenario == "two" ? 2 : 1)]));
                break;
            default:
                await SendAsync(Said("Done: it printed hi.", " sep[\u2028] emoji \U0001F426", " nul? \u0001 end"));
                break;
        }

        Task RefuseAsync(int status, string message, params (string Name, string Value)[] headers) => exchange.RefuseAsync(status, api.Refusal(status, message), headers);

        Task SendAsync(Answer answer) => exchange.StreamAsync([.. api.Opening(answer), .. api.Ending(answer)], complete: answer.Ending != Ending.Missing);
    }
}

/// <summary>How a provider fails.</summary>
public enum Outage
{
    /// <summary>It answers 503.</summary>
    Overloaded,

    /// <summary>It closes the connection without an answer.</summary>
    Closed,
}
