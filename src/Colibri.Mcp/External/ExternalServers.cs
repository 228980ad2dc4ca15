using Colibri.Mcp.Hosting;
using Colibri.Posix.Spawning;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.External;

/// <summary>The servers of the registry. Each call starts one and ends it: nothing of theirs outlives a call.</summary>
/// <param name="registryPath">The registry, read anew for each call.</param>
/// <param name="environment">Looks a variable up.</param>
internal sealed class ExternalServers(string registryPath, Func<string, string?> environment) : IDisposable
{
    /// <summary>All that a server may print during one call.</summary>
    private const long MaxAnswerBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    private readonly Lazy<ChildProcesses> _children = new(ChildProcesses.Start);

    /// <exception cref="ExternalException">The registry cannot be read.</exception>
    public IReadOnlyList<ExternalServer> Read() => ExternalRegistry.Read(registryPath);

    /// <summary>Starts a server, does something with it, and ends it.</summary>
    /// <exception cref="ExternalException">There is none of that name, it does not start, or it does not answer in time.</exception>
    public async Task<T> WithAsync<T>(string name, Func<ExternalServer, McpClient, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        var server = Read().FirstOrDefault(server => server.Name == name)
            ?? throw new ExternalException($"the registry has no server '{name}'; see colibri_external_mcp_list");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(server.Timeout);
        await using var process = ExternalProcess.Start(_children.Value, server, environment);
        try
        {
            var transport = new StreamClientTransport(process.Input, new LineLimit(process.Output, MaxAnswerBytes));
            // The deadline alone counts: the SDK's own limit of a start is later.
            await using var client = await McpClient.CreateAsync(transport, new McpClientOptions { InitializationTimeout = server.Timeout + Margin }, cancellationToken: deadline.Token).ConfigureAwait(false);
            return await work(server, client, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException && !cancellation.IsCancellationRequested)
        {
            throw new ExternalException($"the external server {name} did not answer within {server.Timeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is McpException or IOException or InvalidOperationException or System.Text.Json.JsonException)
        {
            throw new ExternalException($"the external server {name} does not answer as an MCP server: {Output.Bounds.Cut(e.Message, 500)}");
        }
    }

    public void Dispose()
    {
        if (_children.IsValueCreated)
            _children.Value.Dispose();
    }
}
