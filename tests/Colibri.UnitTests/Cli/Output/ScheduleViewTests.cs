using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Output;

/// <summary>What is shown of schedules, five minutes after <see cref="Now"/>.</summary>
public sealed class ScheduleViewTests
{
    private static readonly Schedule Sweep = new()
    {
        Name = "sweep",
        Cron = "0 7 * * *",
        Zone = "UTC",
        Overlap = "skip",
        Missed = "once",
        NextAt = Now.AddHours(3).AddMinutes(10),
        NextLocal = "2026-11-22T10:12:10.893+01:00",
        Task = new TaskTemplate { Title = "Sweep" },
        CreatedAt = Now,
    };

    [Test]
    public async Task No_schedule_says_how_to_add_one() =>
        (await ShownAsync(new ScheduleList([]), ProtocolJson.Wire.ScheduleList, "schedules")).ShouldBe("no schedules; add one: colibri schedule NAME --cron '0 7 * * 1-5' TITLE\n");

    [Test]
    public async Task Each_has_a_line_and_what_went_wrong_another()
    {
        var list = new ScheduleList(
        [
            Sweep,
            Sweep with { Name = "often", Cron = null, EveryMs = 90_000, NextAt = Now.AddMinutes(5).AddSeconds(20), LastOutcome = "fired", LastTask = new ScheduledTask("t", 12), Fired = 3, Skipped = 2, MissedCount = 1 },
            Sweep with { Name = "once", Cron = null, At = "2026-01-01T00:00", NextAt = null, NextLocal = null, Over = true },
            Sweep with { Name = "rest", Paused = true, NextAt = null, NextLocal = null, Problem = "there is no workspace \u001b[31m" },
        ]);
        var lines = (await ShownAsync(list, ProtocolJson.Wire.ScheduleList, "schedules")).Split('\n');
        lines.ShouldAllBe(line => line.Length <= 80);
        lines[1].ShouldMatch(@"^sweep +0 7 \* \* \* +2026-11-22 10:12:10 +-$");
        lines[2].ShouldBe("  in 3 h 5 min, UTC: Sweep");
        lines[3].ShouldMatch(@"^often +every 1 minute 30 seconds +\S.* +task 12$");
        lines[4].ShouldBe("  in 20 s, UTC: Sweep");
        lines[5].ShouldBe("  3 firings, 2 skipped because an earlier task was not over, 1 missed");
        lines[6].ShouldMatch(@"^once +once at 2026-01-01T00:00 +over +-$");
        lines[7].ShouldBe("  UTC: Sweep");
        lines[8].ShouldMatch(@"^rest .* paused +-$");
        lines[10].ShouldBe(@"  it cannot fire: there is no workspace \x1b[31m");
    }

    [Test]
    public async Task A_preview_says_that_nothing_is_stored()
    {
        var answer = new ScheduleAnswer(Sweep, Next: ["2026-11-22T07:17:10.893+01:00", "2026-11-24T11:12:10.893+01:00"]);
        var lines = (await ShownAsync(answer, ProtocolJson.Wire.ScheduleAnswer, "schedule-task sweep --cron @daily --next 2 Sweep")).Split('\n');
        lines[0].ShouldBe("sweep is not stored; it would fire at, in UTC:");
        lines[1].ShouldBe("  2026-11-22 07:17:10  2026-11-22T06:17:10.893Z  in 5 min");
        lines[2].ShouldEndWith("  in 2 d 4 h");
    }

    [Test]
    public async Task A_replaced_schedule_says_so_and_when_it_fires() =>
        (await ShownAsync(new ScheduleAnswer(Sweep, Replaced: true), ProtocolJson.Wire.ScheduleAnswer, "schedule-task sweep --cron @daily Sweep"))
            .ShouldMatch(@"^schedule sweep was replaced, and fires at 2026-11-22 10:12:10 \(UTC\), in 3 h 5 min\n$");

    private static async Task<string> ShownAsync<T>(T data, JsonTypeInfo<T> type, string command, int width = 80)
    {
        await using var daemon = FakeDaemon.Granting(Json(data, type));
        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, .. command.Split(' ')], "", environment: null, width, terminal: false);
        run.Error.ShouldBeEmpty();
        return run.Out;
    }
}
