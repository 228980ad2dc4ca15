using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A daemon that starts or stops on a full disk, on a small tmpfs of its own.</summary>
public sealed class FullDiskTests
{
    [Test]
    public async Task What_a_killed_daemon_left_is_held_while_the_disk_is_full_and_settled_when_there_is_room()
    {
        await using var disk = await SmallDisk.MountAsync();
        await using var daemon = await disk.StartAsync("--hold-secs 600");
        var id = await StartTaskAsync(daemon);
        var orphans = daemon.Descendants().Select(process => process.Pid).ToHashSet();
        await daemon.KillAsync();
        // No block is left: not even for the pidfile, which is removed before.
        File.Delete(disk.File("daemon.pid"));
        await Launch.ToEndAsync("/bin/sh", ["-c", $"cat /dev/zero > {disk.File("ballast")}"]);
        daemon.Change("COLIBRI_AGENT_BINARY", null);

        await daemon.StartAgainAsync();

        (await TaskAsync(daemon, id)).Text("status").ShouldBe("started", "it is held");
        var left = (await daemon.DataAsync(new { cmd = "status" })).Member("leftovers");
        left.Number("runs").ShouldBe(1);
        left.Text("reason").ShouldContain("its disk is full");
        (await daemon.CliAsync("status")).Stdout.ShouldContain("1 run of an earlier daemon not closed yet");
        daemon.Descendants().ShouldNotContain(process => orphans.Contains(process.Pid), "its process is gone, and that is not on record");
        daemon.Log.ShouldContain("runs of an earlier daemon cannot be closed now");

        File.Delete(disk.File("ballast"));

        await Eventually.HoldsAsync(async () => (await TaskAsync(daemon, id)).Text("status") == "queued", () => $"it is settled; the log:\n{daemon.Log}");
        (await TaskAsync(daemon, id)).Number("attempts").ShouldBe(0);
        (await daemon.DataAsync(new { cmd = "status" })).TryGetProperty("leftovers", out _).ShouldBeFalse();
        daemon.Log.Split('\n').Count(line => line.Contains("runs of an earlier daemon cannot be closed now", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Test]
    public async Task A_second_signal_ends_a_daemon_whose_disk_is_full_and_the_next_one_closes_its_runs()
    {
        await using var disk = await SmallDisk.MountAsync();
        await using var daemon = await disk.StartAsync("--hold-secs 600 --ignore-term");
        var id = await StartTaskAsync(daemon);
        await Launch.ToEndAsync("/bin/sh", ["-c", $"cat /dev/zero > {disk.File("ballast")}"]);
        await Launch.SignalAsync(daemon.Pid, "TERM");
        await Eventually.HoldsAsync(() => daemon.Log.Contains("[101]", StringComparison.Ordinal), () => "it is stopping");

        await Eventually.HoldsAsync(
            async () =>
            {
                await Launch.SignalAsync(daemon.Pid, "TERM");
                return daemon.Log.Contains("[113]", StringComparison.Ordinal);
            },
            () => $"the second signal is taken; the log:\n{daemon.Log}");
        var clock = Stopwatch.StartNew();
        (await daemon.ExitAsync()).ShouldBe(1, $"a run is left open; the log:\n{daemon.Log}");

        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(4), "it ends within about 2 s");
        daemon.Log.ShouldContain("1 runs are left open");
        daemon.Descendants().ShouldBeEmpty();
        File.Exists(disk.File("daemon.pid")).ShouldBeFalse();
        File.Exists(daemon.SocketPath).ShouldBeFalse();

        File.Delete(disk.File("ballast"));
        daemon.Change("COLIBRI_AGENT_BINARY", null);
        await daemon.StartAgainAsync();
        await Eventually.HoldsAsync(async () => (await TaskAsync(daemon, id)).Text("status") == "queued", () => $"it is settled; the log:\n{daemon.Log}");
        (await TaskAsync(daemon, id)).Number("attempts").ShouldBe(0);
    }

    [Test]
    public async Task Entries_that_a_full_disk_refuses_are_shown_while_it_happens_and_with_the_run()
    {
        await using var disk = await SmallDisk.MountAsync();
        await using var daemon = await disk.StartAsync("--turns 400 --step-ms 2", ("COLIBRI_LOG_LEVEL", "info"));
        var id = await StartTaskAsync(daemon);
        await Launch.ToEndAsync("/bin/sh", ["-c", $"cat /dev/zero > {disk.File("ballast")}"]);

        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "status" })).Member("counters").Number("session_entries_dropped") > 10, () => $"they are counted; the log:\n{daemon.Log}");
        var pane = (await daemon.DataAsync(new { cmd = "snapshot" })).Items("panes").Single();
        pane.Number("session_entries_dropped").ShouldBeGreaterThan(10);
        pane.Flag("needs_attention").ShouldBeTrue();
        (await TaskAsync(daemon, id)).Items("runs")[0].Number("session_entries_dropped").ShouldBeGreaterThan(10);
        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "status" })) is var report && report.Has("files") && report.Items("files").Any(file => file.Text("what") == "sessions" && file.Text("state") == "refused"),
            () => $"status says that the disk refuses; the log:\n{daemon.Log}");
        (await daemon.CliAsync("health")).Stderr.ShouldContain("free some space");
        (await daemon.CliAsync("snapshot")).Stdout.ShouldContain("entries of its session are lost");

        File.Delete(disk.File("ballast"));

        await Eventually.HoldsAsync(async () => (await TaskAsync(daemon, id)).Text("status") == "done", () => $"it is done; the log:\n{daemon.Log}", TimeSpan.FromSeconds(120));
        var run = (await TaskAsync(daemon, id)).Items("runs")[0];
        run.Number("session_entries_dropped").ShouldBe((await daemon.DataAsync(new { cmd = "status" })).Member("counters").Number("session_entries_dropped"));
        await Eventually.HoldsAsync(async () => (await daemon.CliAsync("health")).ExitCode == 0, () => $"all is well; the log:\n{daemon.Log}");
        foreach (var once in (string[])["[501]", "[509]"])
            daemon.Log.Split('\n').Count(line => line.Contains(once, StringComparison.Ordinal)).ShouldBe(1, once);
    }

    /// <summary>A task whose agent works.</summary>
    private static async Task<string> StartTaskAsync(ColibriDaemon daemon)
    {
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Interrupted" })).Text("id");
        await Eventually.HoldsAsync(async () => (await TaskAsync(daemon, id)).Text("status") == "started", () => "the task is started");
        return id;
    }

    private static async Task<JsonElement> TaskAsync(ColibriDaemon daemon, string id)
    {
        await using var client = await daemon.ConnectAsync();
        return await client.TaskAsync(id);
    }

    /// <summary>A tmpfs of 2 MiB for board, sessions and pidfile.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private readonly TempDirectory _directory = new();

        public static async Task<SmallDisk> MountAsync()
        {
            Skip.Unless(Environment.IsPrivilegedProcess, "only root can mount the small disk this needs");
            var disk = new SmallDisk();
            var mounted = await Launch.ToEndAsync("/bin/sh", ["-c", $"mount -t tmpfs -o size=2m none {disk._directory.Path}"]);
            Skip.Unless(mounted.ExitCode == 0, $"no tmpfs can be mounted here: {mounted.Stderr}");
            return disk;
        }

        public string File(string name) => _directory.File(name);

        public Task<ColibriDaemon> StartAsync(string agentArguments, params (string Name, string? Value)[] more) => ColibriDaemon.StartWithAsync(
            ["--pidfile", File("daemon.pid")],
            [
                ("COLIBRI_DB_PATH", File("board.sqlite")),
                ("COLIBRI_SESSIONS_DIR", File("sessions")),
                ("COLIBRI_AGENT_BINARY", Repository.TestAgent),
                ("COLIBRI_AGENT_ARGS", agentArguments),
                ("COLIBRI_MAX_AGENTS", "1"),
                .. more,
            ]);

        public async ValueTask DisposeAsync()
        {
            await Launch.ToEndAsync("/bin/sh", ["-c", $"umount -l {_directory.Path}"]);
            _directory.Dispose();
        }
    }
}
