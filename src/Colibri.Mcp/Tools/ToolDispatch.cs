using System.Text.Json;
using Colibri.Mcp.Daemon;
using Colibri.Mcp.External;
using Colibri.Mcp.Output;
using Colibri.Mcp.Waiting;
using Colibri.Protocol.Client;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Colibri.Mcp.Tools;

/// <summary>From a <c>tools/call</c> to its answer: gates, arguments, the bound on calls at once, and failures as words.</summary>
/// <param name="daemon">The daemon.</param>
/// <param name="gates">Which gates are open.</param>
/// <param name="external">The servers behind the external tools; null where that gate is closed.</param>
internal sealed class ToolDispatch(DaemonCalls daemon, ToolGates gates, ExternalServers? external) : IDisposable
{
    /// <summary>The most calls under way at once. Each has a connection to the daemon, which has 1,024 for all.</summary>
    public const int MaxCalls = 64;

    private readonly SemaphoreSlim _free = new(MaxCalls);

    /// <summary>The tools that may be called, in the table's order.</summary>
    public IReadOnlyList<ToolSpec> Listed { get; } = [.. ToolTable.All.Where(gates.Allow)];

    /// <summary>The client has closed its end: waits end, so that their answers are ready while it may still listen.</summary>
    public CancellationToken InputEnded { get; init; }

    /// <param name="call">The name of the tool and its arguments.</param>
    /// <param name="client">Who is told progress and can be asked; null for nobody.</param>
    /// <param name="cancellation">The client gives the call up.</param>
    /// <param name="task">The task that the call runs as; null where the client waits for its answer.</param>
    /// <exception cref="McpProtocolException">There is no such tool.</exception>
    public async Task<CallToolResult> CallAsync(CallToolRequestParams call, McpServer? client, CancellationToken cancellation, CallTask? task = null)
    {
        var tool = ToolTable.Find(call.Name) ?? throw new McpProtocolException($"there is no tool {Bounds.Cut(call.Name, 200)}", McpErrorCode.InvalidParams);
        if (gates.WhyNot(tool) is { } closed)
            return Result(ToolAnswer.Error(closed));
        if (!_free.Wait(0, cancellation))
            return Result(ToolAnswer.Error($"{MaxCalls} calls are under way: wait for one of them to end"));
        try
        {
            var made = new ToolCall(tool, call.Arguments, daemon, cancellation)
            {
                Client = client,
                Progress = call.ProgressToken,
                Task = task,
                InputEnded = InputEnded,
                MayWrite = gates.Write,
                External = external,
            };
            made.Check();
            return Result(await RunAsync(made).ConfigureAwait(false));
        }
        catch (Exception e) when (Words(e) is { } words)
        {
            return Result(ToolAnswer.Error(words));
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose() => _free.Dispose();

    // A wait has a report of its own, with words.
    private static async Task<ToolAnswer> RunAsync(ToolCall call)
    {
        if (call is not { Client: { } client, Progress: { } token } || call.Tool.Run == TaskWaiting.RunAsync)
            return await call.Tool.Run(call).ConfigureAwait(false);
        await using var progress = new ProgressReport(client, token, call.Cancellation);
        return await call.Tool.Run(call).ConfigureAwait(false);
    }

    private static string? Words(Exception failure) => failure switch
    {
        ToolArgumentException => $"bad-request: {failure.Message}",
        RefusedException refused => $"{refused.Error.Code}: {refused.Message}",
        DaemonUnreachableException or ExternalException => failure.Message,
        InvalidDataException => failure.Message,
        JsonException or KeyNotFoundException => "the daemon's answer is not understood (versions differ? compare: colibri-mcp --version, colibri status)",
        _ => null,
    };

    private static CallToolResult Result(ToolAnswer answer) => new()
    {
        Content = [new TextContentBlock { Text = answer.Text }],
        StructuredContent = answer.Data,
        IsError = answer.IsError,
    };
}
