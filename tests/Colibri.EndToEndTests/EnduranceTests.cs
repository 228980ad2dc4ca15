using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Many starts, and many at once: nothing of them stays in the daemon.</summary>
[NotInParallel]
public sealed class EnduranceTests
{
    [Test]
    public async Task A_thousand_starts_and_stops_leave_no_zombie_descriptor_thread_or_memory()
    {
        const int Cycles = 1_000;
        const int Rounds = 5;
        const int AtOnce = 8;
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_MAX_AGENTS", $"{AtOnce}"), ("COLIBRI_LOG_LEVEL", "warning"));
        await RunAsync(daemon, 300, AtOnce);
        var before = Footprint(daemon);

        var after = before with { Resident = long.MaxValue };
        for (var round = 0; round < Rounds; round++)
        {
            await RunAsync(daemon, Cycles / Rounds, AtOnce);
            var now = Footprint(daemon);
            // The collector lets the heap breathe: what leaks is what stays at its lowest.
            after = now with { Resident = Math.Min(now.Resident, after.Resident) };
        }
        after.Zombies.ShouldBe(0);
        after.Descriptors.ShouldBeLessThanOrEqualTo(before.Descriptors + 2, "descriptors");
        after.Threads.ShouldBeLessThanOrEqualTo(before.Threads + 4, "threads of the pool come and go");
        // Panes of stopped agents are kept, 256 of them, and were there before.
        after.Resident.ShouldBeLessThanOrEqualTo(before.Resident + 16 * 1024 * 1024, "memory: 16 KiB an agent");
        daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    public async Task Sixty_four_agents_run_at_once_and_the_next_is_refused()
    {
        const int Agents = 64;
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_MAX_AGENTS", $"{Agents}"));
        await using var client = await daemon.ConnectAsync();
        for (var i = 0; i < Agents; i++)
            await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--hold-secs", "600" } });
        await Eventually.HoldsAsync(
            async () => (await client.PanesAsync()).Count(pane => pane.Text("activity") == "working") == Agents, () => "all of them work");
        (await client.RefusalAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent })).ShouldBe("unavailable");
        (await daemon.TerminateAsync()).ShouldBe(0, daemon.Log);
        daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    public async Task A_program_that_does_nothing_but_crash_rests_and_its_tasks_wait()
    {
        using var directory = new TempDirectory();
        var broken = directory.File("pi");
        await File.WriteAllTextAsync(broken, "#!/bin/sh\necho 'cannot find module' >&2\nexit 1\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(broken, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_AGENT_BINARY", broken), ("COLIBRI_MAX_AGENTS", "1"));
        await using var client = await daemon.ConnectAsync();
        for (var i = 0; i < 8; i++)
            await client.DataAsync(new { cmd = "create-task", title = $"{i}", max_attempts = 1 });

        JsonElement status = default;
        await Eventually.HoldsAsync(async () => (status = await client.DataAsync(new { cmd = "status" })).Has("breakers"), () => "the breaker trips");
        (status.Member("tasks").Number("failed"), status.Member("tasks").Number("queued")).ShouldBe((5, 3));
        status.Items("breakers").ShouldHaveSingleItem().Text("last_error").ShouldContain("cannot find module");
        (await daemon.CliAsync("status")).Stdout.ShouldContain("crashed 5 times");
        await client.SpawnAsync(new { cmd = "spawn-agent", binary = broken });
    }

    // A session for each worker: how many sessions are remembered has a bound of its own, and a benchmark.
    private static async Task RunAsync(ColibriDaemon daemon, int count, int atOnce)
    {
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async worker =>
        {
            await using var client = await daemon.ConnectAsync();
            for (var i = 0; i < count / atOnce; i++)
            {
                var reply = await client.AskAsync(new { cmd = "spawn-local", path = "/bin/true", session_id = $"endurance-{worker}" });
                // The slot of the one before is free a moment after its process is gone.
                if (!reply.Ok)
                    i--;
            }
        }));
        await Eventually.HoldsAsync(async () => (await daemon.DataAsync(new { cmd = "status" })).Member("agents").Number("running") == 0, () => "all have ended");
    }

    private static (int Zombies, int Descriptors, int Threads, long Resident) Footprint(ColibriDaemon daemon)
    {
        var zombies = Directory.GetDirectories("/proc").Count(path => int.TryParse(Path.GetFileName(path), out _) && IsZombieOf(path, daemon.Pid));
        return (zombies, Directory.GetFiles($"/proc/{daemon.Pid}/fd").Length, Directory.GetDirectories($"/proc/{daemon.Pid}/task").Length, ProcTable.ResidentBytes(daemon.Pid));
    }

    private static bool IsZombieOf(string path, int parent)
    {
        try
        {
            var fields = File.ReadAllText(Path.Combine(path, "stat"));
            var rest = fields[(fields.LastIndexOf(')') + 2)..].Split(' ');
            return rest[0] == "Z" && rest[1] == $"{parent}";
        }
        catch (IOException)
        {
            return false;
        }
    }
}
