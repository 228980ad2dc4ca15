using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Mcp;

/// <summary>The MCP inspector and the official TypeScript SDK, fetched once when the first test asks for them.</summary>
public sealed class McpClients
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly Lazy<Task<Installation>> _clients = new(() => Installation.FetchAsync("mcp_clients"));
    private readonly Lazy<Task<Installation>> _node = new(() => Installation.FetchAsync("real_node"));

    /// <summary>The inspector's CLI: one method of the protocol, and what is answered to it.</summary>
    internal async Task<JsonElement> InspectAsync(ColibriDaemon daemon, IEnumerable<string> gates, params string[] method)
    {
        var finished = await InspectToEndAsync(daemon, gates, method);
        finished.ExitCode.ShouldBe(0, finished.ToString());
        return JsonElement.Parse(finished.Stdout);
    }

    internal async Task<Finished> InspectToEndAsync(ColibriDaemon daemon, IEnumerable<string> gates, params string[] method)
    {
        var clients = (await _clients.Value).Required("MCP clients");
        var node = (await _node.Value).Required("Node");
        string[] arguments =
        [
            Path.Combine(clients, "node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js"), "--cli",
            Repository.Binary("colibri-mcp"), "--socket", daemon.SocketPath, .. gates, .. method,
        ];
        return await Launch.ToEndAsync(node, arguments, EnvironmentOf(daemon), Deadline);
    }

    /// <summary>A script on the TypeScript SDK, from beside the tests; it prints one JSON object.</summary>
    internal async Task<JsonElement> RunAsync(ColibriDaemon daemon, string script, params string[] arguments)
    {
        var clients = (await _clients.Value).Required("MCP clients");
        var node = (await _node.Value).Required("Node");
        // A module finds its packages by its real path, so it is copied to beside a link to them.
        using var directory = new TempDirectory();
        File.CreateSymbolicLink(directory.File("node_modules"), Path.Combine(clients, "node_modules"));
        File.Copy(Path.Combine(Repository.Root, "tests", "Colibri.EndToEndTests", "Mcp", script), directory.File(script));
        var finished = await Launch.ToEndAsync(node, [directory.File(script), Repository.Binary("colibri-mcp"), daemon.SocketPath, .. arguments], EnvironmentOf(daemon), Deadline);
        finished.ExitCode.ShouldBe(0, finished.ToString());
        return JsonElement.Parse(finished.Stdout);
    }

    private static Dictionary<string, string?> EnvironmentOf(ColibriDaemon daemon) => new()
    {
        ["HOME"] = daemon.Environment["HOME"],
        ["TMPDIR"] = daemon.Environment["TMPDIR"],
    };
}
