using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Mcp;

/// <summary>External servers that do what they should not. Each call is bounded, and all that a server has started is gone after it.</summary>
public sealed class McpExternalTests
{
    // The server's own time, then 2 s for its end, 2 s for SIGTERM, and SIGKILL; the rest is for a slow machine.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Test]
    [Arguments("mute", 4, "did not answer within 2 s")]
    [Arguments("hang", 4, "did not answer within 2 s")]
    [Arguments("deaf", 4, "did not answer within 2 s")]
    [Arguments("die", 4, "does not answer as an MCP server")]
    [Arguments("flood", 1, "")]
    [Arguments("endless", 1, "")]
    public async Task One_that_does_not_answer_ends_with_an_error_and_leaves_nothing(string how, int started, string words)
    {
        using var site = new Site(how, timeoutSeconds: how is "die" ? 60 : 2);
        await using var server = await site.StartAsync();
        var since = Stopwatch.StartNew();

        var result = await server.CallAsync("colibri_external_mcp_call", new { server = "worst", tool = "anything" });

        since.Elapsed.ShouldBeLessThan(Bound);
        result.Flag("isError").ShouldBeTrue(result.ToString());
        result.Items("content").Single().Text("text").ShouldContain(words);
        site.ShouldHaveLeftNothing(started);
        (await server.CallAsync("colibri_external_mcp_list", new { })).Has("structuredContent").ShouldBeTrue("it serves on");
    }

    [Test]
    public async Task One_that_prints_garbage_besides_its_answer_is_understood_and_what_it_started_is_gone()
    {
        using var site = new Site("noise", timeoutSeconds: 60);
        await using var server = await site.StartAsync();

        var result = await server.CallAsync("colibri_external_mcp_call", new { server = "worst", tool = "anything" });

        result.Items("content").Single().Text("text").ShouldBe("answered", result.ToString());
        result.ToString().ShouldNotContain("secret");
        site.ShouldHaveLeftNothing(4);
    }

    [Test]
    [Arguments("TERM")]
    [Arguments("INT")]
    [Arguments("HUP")]
    [Arguments(null)]
    public async Task The_end_of_the_server_ends_what_it_has_started(string? signal)
    {
        using var site = new Site("deaf", timeoutSeconds: 600);
        await using var server = await site.StartAsync();
        var call = server.CallAsync("colibri_external_mcp_call", new { server = "worst", tool = "anything" });
        await Eventually.HoldsAsync(() => site.Started.Count == 4 || call.IsCompleted, () => "the external server hangs");
        site.Living.Count.ShouldBe(4);
        var since = Stopwatch.StartNew();

        if (signal is null)
            server.End();
        else
            await Launch.SignalAsync(server.Pid, signal);

        (await server.ExitAsync()).ShouldBe(0);
        since.Elapsed.ShouldBeLessThan(Bound);
        site.ShouldHaveLeftNothing(4);
        call.IsCompletedSuccessfully.ShouldBeFalse();
    }

    /// <summary>A registry with the one server, and what it started.</summary>
    private sealed class Site : IDisposable
    {
        private readonly TempDirectory _directory = new();
        private readonly string _marker = Guid.NewGuid().ToString("N");

        public Site(string how, int timeoutSeconds)
        {
            var registry = Path.Combine(_directory.Folder(".config/colibri"), "external-mcp.json");
            var worst = new
            {
                command = "/bin/sh",
                args = new[] { Path.Combine(Repository.Root, "tests", "Colibri.EndToEndTests", "Mcp", "worst-server.sh"), how, _directory.File("started") },
                env = new { MCP_WORST = _marker },
                allowed_tools = new[] { "*" },
                timeout_seconds = timeoutSeconds,
            };
            File.WriteAllText(registry, JsonSerializer.Serialize(new { servers = new { worst } }));
            File.SetUnixFileMode(registry, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        /// <summary>The pid and start time of each process.</summary>
        public IReadOnlyList<(int Pid, string StartTime)> Started => File.Exists(_directory.File("started"))
            ? [.. File.ReadAllText(_directory.File("started")).Split('\n')[..^1].Select(line => line.Split(' ')).Select(words => (int.Parse(words[0]), words[1]))]
            : [];

        public IReadOnlyList<(int Pid, string StartTime)> Living => [.. Started.Where(process => StartTimeOf(process.Pid) == process.StartTime)];

        public Task<McpPipe> StartAsync() => McpPipe.StartAsync(
            ["--write", "--external", "--socket", _directory.File("none.sock")], new Dictionary<string, string?> { ["HOME"] = _directory.Path });

        public void ShouldHaveLeftNothing(int started)
        {
            Started.Count.ShouldBe(started);
            Living.ShouldBeEmpty();
            ProcTable.WithEnvironment($"MCP_WORST={_marker}").ShouldBeEmpty();
        }

        public void Dispose() => _directory.Dispose();

        /// <summary>Null where it is gone, or waits for its parent alone.</summary>
        private static string? StartTimeOf(int pid)
        {
            try
            {
                var fields = File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ');
                return fields[0] is "Z" or "X" ? null : fields[19];
            }
            catch (IOException)
            {
                return null;
            }
        }
    }
}
