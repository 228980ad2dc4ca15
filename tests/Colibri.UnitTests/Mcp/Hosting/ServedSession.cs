using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using Colibri.Mcp.Hosting;
using Colibri.Mcp.Tools;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Mcp.Hosting;

/// <summary>The whole server but for its process, with the SDK's own client.</summary>
internal sealed class ServedSession : IAsyncDisposable
{
    public const string Old = "2025-11-25";
    public const string New = "2026-07-28";

    public static readonly BoardTask Started = Queued with { Number = 7, Status = TaskState.Started };
    public static readonly BoardTask Done = Started with { Status = TaskState.Done, Result = new TaskResult("it is fixed") };
    public static readonly Pane Asking = Working with { TaskNumber = 7, Label = "a1", Question = new AgentQuestion("q1", AgentQuestion.Permission, "Run rm?", Options: ["Allow", "Reject"]) };

    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    private readonly CancellationTokenSource _over = new();
    private Task _serving = Task.CompletedTask;

    public required FakeDaemon Daemon { get; init; }
    public McpClient Client { get; private set; } = null!;

    public static async Task<ServedSession> StartAsync(
        FakeDaemon daemon, string revision, Func<ElicitRequestParams?, CancellationToken, ValueTask<ElicitResult>>? elicit = null, bool mayWrite = true,
        ClientCapabilities? capabilities = null)
    {
        var session = new ServedSession { Daemon = daemon };
        var (toServer, toClient) = (new Pipe(), new Pipe());
        session._serving = McpProgram.ServeAsync(
            toServer.Reader.AsStream(), toClient.Writer.AsStream(), daemon.SocketPath, new ToolGates(mayWrite, External: false), _ => null, session._over.Token);
        var options = new McpClientOptions { ProtocolVersion = revision, Capabilities = capabilities, Handlers = new McpClientHandlers { ElicitationHandler = elicit } };
        session.Client = await McpClient.CreateAsync(new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream()), options);
        return session;
    }

    public async Task<JsonElement> WaitAsync(string arguments)
    {
        var result = await Client.CallToolAsync(new CallToolRequestParams { Name = "colibri_wait", Arguments = Arguments(arguments) }, TestContext.Current!.Execution.CancellationToken);
        return result.StructuredContent ?? throw new ShouldAssertException(result.Content.OfType<TextContentBlock>().Single().Text);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _over.CancelAsync();
        try
        {
            await _serving.WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (OperationCanceledException)
        {
        }
        _over.Dispose();
        await Daemon.DisposeAsync();
    }

    /// <summary>A request that the SDK's client has no method for.</summary>
    public async Task<JsonObject> RequestAsync(string method, string parameters)
    {
        var response = await Client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = JsonNode.Parse(parameters) }, TestContext.Current!.Execution.CancellationToken);
        return response.Result!.AsObject();
    }

    public static Dictionary<string, JsonElement> Arguments(string json) => JsonElement.Parse(json).EnumerateObject().ToDictionary(member => member.Name, member => member.Value);

    /// <summary>
    /// A board with one task, which goes through these states: the next one comes when someone has subscribed and read it, and while an agent asks
    /// only after its answer, unless it goes on without.
    /// </summary>
    public static FakeDaemon BoardOf(BoardTask[] states, Pane[] panes, TaskCompletionSource? subscribed = null, bool goesOn = false)
    {
        var (state, subscriber, isAnswered) = (0, (FakeConnection?)null, panes.Length == 0);
        return new FakeDaemon(async (line, connection) =>
        {
            var command = JsonElement.Parse(line).GetProperty("cmd").GetString();
            await connection.SendAsync($$"""{"ok":true,"data":{{command switch
            {
                "subscribe" => """{"topics":["tasks","panes"]}""",
                "list-tasks" => $$"""{"tasks":[{{Json(states[state], Wire.BoardTask)}}]}""",
                "snapshot" => Json(new Snapshot(Snapshot.CurrentSchema, "here", Now, isAnswered ? [] : panes), Wire.Snapshot),
                "answer" => "{}",
                _ => Json(states[state], Wire.BoardTask),
            }}}}""");
            isAnswered |= command == "answer";
            if (command == "subscribe")
            {
                subscriber = connection;
                subscribed?.TrySetResult();
            }
            else if (command is "snapshot" or "get-task" && subscriber is not null && state + 1 < states.Length && (isAnswered || goesOn))
            {
                await subscriber.SendAsync(Json(new Event { Kind = "task", Topic = "tasks", At = Now, Task = states[++state] }, Wire.Event));
            }
        });
    }
}
