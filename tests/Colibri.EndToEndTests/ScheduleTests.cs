using System.Globalization;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Schedules of the native daemon: what is fired once stays fired once.</summary>
public sealed class ScheduleTests
{
    private const int Kills = 30;
    private const int EveryMs = 200;
    private const string Zone = "Europe/Berlin";

    [Test]
    public async Task Thirty_kills_fire_no_time_twice_and_lose_none()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var random = new Random(20261128);
        var first = At((await daemon.DataAsync(new
        {
            cmd = "schedule-task",
            name = "often",
            every_ms = EveryMs,
            overlap = "queue",
            missed = "all",
            missed_max = 1_000,
            task = new { title = "Sweep", capabilities = new[] { "nobody-offers-this" } },
        })).Member("schedule").Text("next_at"));

        for (var kill = 0; kill < Kills; kill++)
        {
            var target = (await OftenAsync(daemon)).Number("fired") + random.Next(1, 4);
            await Eventually.HoldsAsync(async () => (await OftenAsync(daemon)).Number("fired") >= target, () => $"{target} firings; the log:\n{daemon.Log}");
            // Anywhere between this firing and the next.
            var until = TimeSpan.FromMilliseconds(random.Next(EveryMs));
            await Task.Delay(until);
            await daemon.KillAsync();
            await daemon.StartAgainAsync();
        }
        await daemon.DataAsync(new { cmd = "pause-schedule", name = "often" });

        var often = await OftenAsync(daemon);
        var times = ((long)(At(often.Text("last_at")) - first).TotalMilliseconds / EveryMs) + 1;
        (often.Number("fired"), often.Number("skipped"), often.Number("missed_count")).ShouldBe((times, 0, 0));
        await using var client = await daemon.ConnectAsync();
        var tasks = await client.AllTasksAsync();
        tasks.Count.ShouldBe((int)times);
        tasks.ShouldAllBe(task => task.Text("schedule") == "often");
    }

    [Test]
    public async Task A_second_daemon_on_the_board_fires_nothing()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.DataAsync(new { cmd = "schedule-task", name = "often", every_ms = EveryMs, overlap = "queue", task = new { title = "Sweep" } });

        var second = await daemon.RunToEndAsync([], ("COLIBRI_DAEMON_SOCKET", Path.Combine(daemon.DirectoryPath, "other.sock")));

        second.ExitCode.ShouldNotBe(0);
        var before = (await OftenAsync(daemon)).Number("fired");
        await Eventually.HoldsAsync(async () => (await OftenAsync(daemon)).Number("fired") > before, () => "the first one goes on");
        await daemon.DataAsync(new { cmd = "pause-schedule", name = "often" });
        (await (await daemon.ConnectAsync()).AllTasksAsync()).Count.ShouldBe((int)(await OftenAsync(daemon)).Number("fired"));
    }

    [Test]
    public async Task A_host_without_zone_data_says_so_and_goes_on_when_it_is_back()
    {
        Skip.Unless(File.Exists($"/usr/share/zoneinfo/{Zone}"), "this host has no zone data");
        using var nothing = new TempDirectory();
        await using var daemon = await ColibriDaemon.StartAsync();
        var stored = await daemon.DataAsync(new { cmd = "schedule-task", name = "often", cron = "* * * * * *", zone = Zone, overlap = "queue", task = new { title = "Sweep" } });
        stored.Member("schedule").Text("zone").ShouldBe(Zone);
        await Eventually.HoldsAsync(async () => (await OftenAsync(daemon)).Number("fired") > 0, () => "it fires");
        await daemon.TerminateAsync();

        daemon.Change("TZDIR", nothing.Path);
        await daemon.StartAgainAsync();
        await Eventually.HoldsAsync(async () => (await OftenAsync(daemon)).Has("problem"), () => "it says what is wrong");
        var troubled = await OftenAsync(daemon);
        troubled.Text("problem").ShouldContain("no zone data on this host");
        await using (var client = await daemon.ConnectAsync())
        {
            var refused = await client.AskAsync(new { cmd = "schedule-task", name = "new", cron = "0 7 * * *", zone = Zone, task = new { title = "Sweep" } });
            (refused.ErrorCode, refused.ErrorMessage).ShouldBe(("bad-request", $"zone is '{Zone}', and there is no zone data on this host: {nothing.Path} holds none; only UTC works. Install tzdata, or set TZDIR"));
            (await client.DataAsync(new { cmd = "schedule-task", name = "new", cron = "0 7 * * *", zone = "UTC", next = 1, task = new { title = "Sweep" } })).Items("next").Count.ShouldBe(1);
            // The daemon's own zone is UTC then, by name.
            (await client.DataAsync(new { cmd = "schedule-task", name = "new", cron = "0 7 * * *", next = 1, task = new { title = "Sweep" } })).Member("schedule").Text("zone").ShouldBe("UTC");
            (await client.DataAsync(new { cmd = "status" })).Member("schedules").Number("problems").ShouldBe(1);
        }
        (await OftenAsync(daemon)).Number("fired").ShouldBe(troubled.Number("fired"));
        await daemon.TerminateAsync();

        daemon.Change("TZDIR", null);
        await daemon.StartAgainAsync();
        await Eventually.HoldsAsync(async () => (await OftenAsync(daemon)).Number("fired") > troubled.Number("fired"), () => "it fires again");
        await daemon.DataAsync(new { cmd = "pause-schedule", name = "often" });
        var well = await OftenAsync(daemon);
        well.Has("problem").ShouldBeFalse();
        // Every second counts, whatever became of it.
        var times = (long)(At(well.Text("last_at")) - At(stored.Member("schedule").Text("next_at"))).TotalSeconds + 1;
        (well.Number("fired") + well.Number("missed_count"), well.Number("skipped")).ShouldBe((times, 0));
    }

    [Test]
    public async Task The_cli_schedules_shows_and_forgets()
    {
        Skip.Unless(File.Exists($"/usr/share/zoneinfo/{Zone}"), "this host has no zone data");
        await using var daemon = await ColibriDaemon.StartAsync();

        var preview = await daemon.CliAsync("schedule-task", "news", "Write", "the", "report", "--cron", "0 7 1 1 *", "--zone", Zone, "--next", "2");
        preview.Stdout.ShouldContain("news is not stored");
        preview.Stdout.ShouldContain("-01-01 07:00:00");
        (await daemon.CliAsync("schedules")).Stdout.ShouldContain("no schedules");
        (await daemon.CliAsync("schedule-task", "news", "Write", "the", "report", "--cron", "0 7 1 1 *", "--zone", Zone)).Stdout.ShouldStartWith("schedule news fires at ");
        (await daemon.CliAsync("schedule-task", "news", "Again", "--cron", "0 7 1 1 *", "--zone", Zone)).Stdout.ShouldStartWith("schedule news was replaced, and fires at ");
        var list = (await daemon.CliAsync("schedules")).Stdout;
        list.ShouldContain("0 7 1 1 *");
        list.ShouldContain("-01-01 07:00:00");
        list.ShouldContain("Again");
        (await daemon.CliAsync("status")).Stdout.ShouldContain("1, next news in ");
        (await daemon.CliAsync("pause-schedule", "news")).ExitCode.ShouldBe(0);
        (await daemon.CliAsync("schedules")).Stdout.ShouldContain("paused");
        (await daemon.CliAsync("resume-schedule", "news")).ExitCode.ShouldBe(0);
        (await daemon.CliAsync("delete-schedule", "news")).ExitCode.ShouldBe(0);
        (await daemon.CliAsync("delete-schedule", "news")).ExitCode.ShouldBe(1);
    }

    private static async Task<JsonElement> OftenAsync(ColibriDaemon daemon) =>
        (await daemon.DataAsync(new { cmd = "list-schedules" })).Items("schedules").Single(schedule => schedule.Text("name") == "often");

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
}
