using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents.Confinement;
using Colibri.UnitTests.Posix.Spawning;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Agents.Launch;

/// <summary>What the daemon inherited reaches an agent byte for byte on every road to it, and nothing else comes along.</summary>
[NotInParallel]
public sealed class EnvironmentRoadsTests : IDisposable
{
    private readonly JailFolder _jails = new();

    // The entries as the kernel has them, before a shell could tidy them up: the agent's own process shows them.
    private const string Stay = """echo '{"type":"agent_start"}'; while :; do sleep 1; done""";

    private static byte[][] Odd =>
    [
        [.. "PROJECT_DIR=/srv/caf"u8, 0xe9], [.. "N"u8, 0xff, .. "=1"u8], "EMPTY="u8.ToArray(), "no equals sign"u8.ToArray(), "TWICE=1"u8.ToArray(), "TWICE=2"u8.ToArray(),
    ];

    public void Dispose() => _jails.Dispose();

    /// <summary>Through the trampoline or not, one-shot or resident, with a task or without, confined or not.</summary>
    public static IEnumerable<(bool Placed, bool Rpc, bool HasTask, bool Confined)> Roads()
    {
        foreach (var road in Enumerable.Range(0, 16))
            yield return ((road & 1) != 0, (road & 2) != 0, (road & 4) != 0, (road & 8) != 0);
    }

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task A_key_that_its_profile_passes_arrives_and_no_other_does(bool placed, bool rpc, bool hasTask, bool confined)
    {
        Dictionary<string, string> keys = new() { ["GROQ_API_KEY"] = "gsk-0123456789abcdef", ["XAI_API_KEY"] = "xai-0123456789abcdef", ["MISTRAL_API_KEY"] = "mis-0123456789abcdef" };
        _jails.Tool("bwrap", Stay);
        var cgroups = placed ? new OwnCgroup(Directory.CreateDirectory(_jails.PathOf("cgroups")).FullName) : null;
        await using var fixture = new SupervisorFixture(
            cgroups: cgroups, configure: plain => plain with { JailRootBase = _jails.Base }, jailHost: _jails.Host(OperatingSystemKind.Linux, isRoot: false),
            searchPath: confined ? _jails.Tools : "/usr/bin:/bin", environment: new AgentEnvironment(EnvironmentBlock.Of(keys)),
            secrets: new Secrets(keys, null, NullLogger.Instance));
        var task = hasTask ? await fixture.Create() : null;
        var request = SupervisorFixture.Request(Stay, task) with { Rpc = rpc, TakesTasks = rpc, Prompt = hasTask ? null : "x", Provider = "mistral", PassedEnvironment = ["GROQ_API_KEY"] };
        if (confined)
            request = request with { Binary = "agent", Jail = new JailRequest { Path = _jails.Root } };

        var agent = await fixture.Supervisor.SpawnAsync(request);
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "it works");

        var environment = EnvironmentBlock.FromTerminated(await File.ReadAllBytesAsync($"/proc/{agent.ToPane().Pid}/environ", TestContext.Current!.Execution.CancellationToken));
        var entries = environment.Entries.Select(System.Text.Encoding.UTF8.GetString).ToList();
        entries.Where(entry => entry.Contains("_API_KEY=", StringComparison.Ordinal)).ShouldBe(["GROQ_API_KEY=gsk-0123456789abcdef", "MISTRAL_API_KEY=mis-0123456789abcdef"], ignoreOrder: true);
        fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
        await SupervisorFixture.End(agent);
    }

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task It_arrives_byte_for_byte(bool placed, bool rpc, bool hasTask, bool confined)
    {
        var inherited = EnvironmentBlock.FromTerminated([.. Odd.Append("COLIBRI_LOG_LEVEL=debug"u8.ToArray()).Append("CLAUDECODE=1"u8.ToArray()).SelectMany(entry => entry.Append((byte)0))]);
        _jails.Tool("bwrap", Stay);
        // A folder that is no cgroup: what is started there goes through the trampoline all the same.
        var cgroups = placed ? new OwnCgroup(Directory.CreateDirectory(_jails.PathOf("cgroups")).FullName) : null;
        await using var fixture = new SupervisorFixture(
            cgroups: cgroups, configure: plain => plain with { JailRootBase = _jails.Base }, jailHost: _jails.Host(OperatingSystemKind.Linux, isRoot: false),
            searchPath: confined ? _jails.Tools : "/usr/bin:/bin", environment: new AgentEnvironment(inherited));
        var task = hasTask ? await fixture.Create() : null;
        var request = SupervisorFixture.Request(Stay, task) with { Rpc = rpc, TakesTasks = rpc, Prompt = hasTask ? null : "x" };
        if (confined)
            request = request with { Binary = "agent", Jail = new JailRequest { Path = _jails.Root } };

        var agent = await fixture.Supervisor.SpawnAsync(request);
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "it works");

        var environment = EnvironmentBlock.FromTerminated(await File.ReadAllBytesAsync($"/proc/{agent.ToPane().Pid}/environ", TestContext.Current!.Execution.CancellationToken));
        environment.Entries.TakeLast(Odd.Length).ShouldBe(Odd);
        var ours = environment.Entries.SkipLast(Odd.Length).Select(System.Text.Encoding.UTF8.GetString).ToList();
        ours.ShouldContain($"COLIBRI_AGENT_ID={agent.Id}");
        string[] names = ["COLIBRI_AGENT_ID", "COLIBRI_SESSION_ID", "PWD", .. hasTask ? (string[])["COLIBRI_TASK_ID", "TRACEPARENT"] : [], .. confined ? (string[])["HOME", "PATH", "TMPDIR"] : ["COLIBRI_DAEMON_SOCKET"]];
        ours.Select(entry => entry.Split('=')[0]).ShouldBe(names, ignoreOrder: true);
        fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
        await SupervisorFixture.End(agent);
    }
}
