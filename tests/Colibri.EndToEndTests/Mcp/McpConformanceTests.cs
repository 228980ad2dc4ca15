using System.Diagnostics;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Mcp;

/// <summary>
/// The official conformance suite against the native server. It speaks HTTP, so a bridge stands between. The scenarios here are those that ask for no tool,
/// resource or prompt of the suite's own, and for no HTTP of the server's own.
/// </summary>
public sealed class McpConformanceTests
{
    private static readonly Lazy<Task<Installation>> Suite = new(() => Installation.FetchAsync("mcp_conformance"));
    private static readonly Lazy<Task<Installation>> Node = new(() => Installation.FetchAsync("real_node"));

    [Test]
    [Arguments("server-initialize")]
    [Arguments("ping")]
    [Arguments("logging-set-level")]
    [Arguments("tools-list")]
    [Arguments("resources-list")]
    public async Task A_scenario_of_the_suite_passes(string scenario)
    {
        var suite = (await Suite.Value).Required("MCP conformance suite");
        var node = (await Node.Value).Required("Node");
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.DataAsync(new { cmd = "create-task", title = "listed" });
        using var directory = new TempDirectory();
        var environment = new Dictionary<string, string?> { ["HOME"] = directory.Path };
        var script = Path.Combine(Repository.Root, "tests", "Colibri.EndToEndTests", "Mcp", "mcp-bridge.mjs");
        using var bridge = Process.Start(Launch.Prepare(node, [script, Repository.Binary("colibri-mcp"), daemon.SocketPath], environment))!;
        try
        {
            var address = await Eventually.WithinAsync(bridge.StandardOutput.ReadLineAsync(), "the bridge's address");
            string[] run = [Path.Combine(suite, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js"), "server", "--url", address!, "--scenario", scenario, "-o", directory.File("results")];

            var finished = await Launch.ToEndAsync(node, run, environment, TimeSpan.FromSeconds(60));

            finished.ExitCode.ShouldBe(0, finished.ToString());
            finished.Stdout.ShouldContain("Passed: 1/1, 0 failed, 0 warnings");
        }
        finally
        {
            bridge.StandardInput.Close();
            await bridge.WaitForExitAsync().WaitAsync(Eventually.Deadline);
        }
    }
}
