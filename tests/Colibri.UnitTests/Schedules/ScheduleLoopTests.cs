using Colibri.Core.Board;
using Colibri.Core.Schedules;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Schedules;

/// <summary>Schedules on a real board and a clock that is told what time it is.</summary>
public sealed class ScheduleLoopTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task A_time_makes_one_task_however_often_it_is_looked_at()
    {
        await using var bench = new Bench();
        await bench.Set(Every(60_000));

        await bench.Look(3);
        (await bench.Tasks()).ShouldBeEmpty();
        bench.Time.Now = Noon.AddMinutes(1);
        await bench.Look(3);

        var task = (await bench.Tasks()).ShouldHaveSingleItem();
        (task.Title, task.Schedule, task.Status).ShouldBe(("sweep", "s", TaskState.Queued));
        var row = await bench.Row();
        (row.Fired, row.Skipped, row.Missed, row.NextAt, row.LastAt, row.LastTask!.Number, row.LastOutcome)
            .ShouldBe((1, 0, 0, Noon.AddMinutes(2), Noon.AddMinutes(1), task.Number, ScheduleOutcome.Fired));
    }

    [Test]
    [Arguments(MissedRuns.None, 0, 8)]
    [Arguments(MissedRuns.Once, 1, 7)]
    [Arguments(MissedRuns.All, 3, 5)]
    public async Task What_a_downtime_missed_is_made_up_for_as_the_schedule_says(MissedRuns missed, int fired, int counted)
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", Cron = "0 * * * *", Zone = "UTC", Missed = missed, MissedMax = 3, Overlap = ScheduleOverlap.Queue, Task = Sweep });
        await bench.Restart();

        // From 13:00 to 20:00, and ten minutes later.
        bench.Time.Now = Noon.AddHours(8).AddMinutes(10);
        await bench.Look();

        var row = await bench.Row();
        (row.Fired, row.Missed, row.NextAt, row.LastAt).ShouldBe((fired, counted, Noon.AddHours(9), Noon.AddHours(8)));
        row.LastOutcome.ShouldBe(fired == 0 ? ScheduleOutcome.Missed : ScheduleOutcome.Fired);
        (await bench.Tasks()).Count.ShouldBe(fired);
    }

    [Test]
    [Arguments(MissedRuns.None, 1, 7)]
    [Arguments(MissedRuns.Once, 1, 7)]
    [Arguments(MissedRuns.All, 4, 4)]
    public async Task The_latest_time_is_met_within_a_minute(MissedRuns missed, int fired, int counted)
    {
        await using var bench = new Bench();
        await bench.Set(Every(3_600_000) with { Missed = missed, MissedMax = 3, Overlap = ScheduleOverlap.Queue });

        bench.Time.Now = Noon.AddHours(8).AddSeconds(50);
        await bench.Look();

        var row = await bench.Row();
        (row.Fired, row.Missed, row.NextAt).ShouldBe((fired, counted, Noon.AddHours(9)));
    }

    [Test]
    public async Task A_month_of_missed_seconds_is_counted_and_ends()
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", Cron = "* * * * * *", Zone = "UTC", Task = Sweep });

        bench.Time.Now = Noon.AddDays(30);
        await bench.Look();

        var row = await bench.Row();
        (row.Fired, row.NextAt).ShouldBe((1, Noon.AddDays(30).AddSeconds(1)));
        row.Missed.ShouldBeGreaterThan(DueTimes.MostCounted);
    }

    [Test]
    public async Task An_earlier_task_that_is_not_over_is_skipped_for_or_queued_behind_or_replaced()
    {
        await using var bench = new Bench();
        foreach (var overlap in Enum.GetValues<ScheduleOverlap>())
            await bench.Set(Every(60_000) with { Name = overlap.ToString(), Overlap = overlap });

        for (var minute = 1; minute <= 3; minute++)
        {
            bench.Time.Now = Noon.AddMinutes(minute);
            await bench.Look();
        }

        (await Counts("Skip")).ShouldBe((1, 2, ScheduleOutcome.SkippedOverlap));
        (await Counts("Queue")).ShouldBe((3, 0, ScheduleOutcome.Fired));
        (await Counts("Replace")).ShouldBe((3, 0, ScheduleOutcome.Fired));
        (await bench.Tasks("Skip")).Select(task => task.Status).ShouldBe([TaskState.Queued]);
        (await bench.Tasks("Queue")).Select(task => task.Status).ShouldBe([TaskState.Queued, TaskState.Queued, TaskState.Queued]);
        var replaced = await bench.Tasks("Replace");
        replaced.Select(task => task.Status).ShouldBe([TaskState.Cancelled, TaskState.Cancelled, TaskState.Queued]);
        replaced[0].Error.ShouldBe(new TaskError("replaced", "the firing of schedule Replace at 2026-06-01T12:02:00.000Z took its place"));
        bench.Replaced.Select(task => task.Id).ShouldBe([replaced[0].Id, replaced[1].Id]);

        // Once its task is over, it fires again.
        await bench.Board.CancelAsync((await bench.Tasks("Skip"))[0].Id);
        bench.Time.Now = Noon.AddMinutes(4);
        await bench.Look();
        (await Counts("Skip")).ShouldBe((2, 2, ScheduleOutcome.Fired));

        async Task<(long, long, ScheduleOutcome?)> Counts(string name) => await bench.Row(name) is var row ? (row.Fired, row.Skipped, row.LastOutcome) : default;
    }

    [Test]
    public async Task A_paused_schedule_fires_nothing_and_misses_nothing()
    {
        await using var bench = new Bench();
        await bench.Set(Every(60_000));
        await bench.Desk.PauseAsync("s");

        bench.Time.Now = Noon.AddHours(5);
        await bench.Restart();
        await bench.Look();
        var resumed = (await bench.Desk.ResumeAsync("s"))!;
        await bench.Look();

        (resumed.Fired, resumed.Missed, resumed.NextAt).ShouldBe((0, 0, Noon.AddHours(5).AddMinutes(1)));
        (await bench.Tasks()).ShouldBeEmpty();
        // A second resumption must not put the next time off.
        bench.Time.Now += TimeSpan.FromSeconds(30);
        (await bench.Desk.ResumeAsync("s"))!.NextAt.ShouldBe(resumed.NextAt);
        (await bench.Desk.ResumeAsync("nothing")).ShouldBeNull();
        (await bench.Desk.PauseAsync("nothing")).ShouldBeNull();
    }

    [Test]
    public async Task A_schedule_of_one_time_is_over_after_it()
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", At = "2026-06-01T14:30", Zone = "Europe/Berlin", Task = Sweep });
        (await bench.Row()).NextAt.ShouldBe(Noon.AddMinutes(30));

        bench.Time.Now = Noon.AddMinutes(31);
        await bench.Look(3);

        var row = await bench.Row();
        (row.Fired, row.NextAt).ShouldBe((1, null));
        (await bench.Tasks()).Count.ShouldBe(1);
        Should.Throw<ScheduleRefusedException>(() => bench.Desk.Preview(row.Given, 1)).Message.ShouldBe("at is '2026-06-01T14:30', which is over");
    }

    [Test]
    public async Task A_time_that_passes_while_its_schedule_is_paused_is_over()
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", At = "2026-06-01T12:30:00Z", Zone = "UTC", Task = Sweep });
        await bench.Desk.PauseAsync("s");
        bench.Time.Now = Noon.AddHours(1);

        (await bench.Desk.ResumeAsync("s"))!.NextAt.ShouldBeNull();
        await bench.Look();
        (await bench.Tasks()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_year_of_nights_has_one_firing_each_though_two_of_them_are_odd()
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", Cron = "30 2 * * *", Zone = "Europe/Berlin", Overlap = ScheduleOverlap.Queue, Task = Sweep });
        var fired = new List<DateTimeOffset>();
        for (var night = 0; night < 365; night++)
        {
            fired.Add((await bench.Row()).NextAt!.Value);
            await bench.LookAt(fired[^1]);
        }

        var row = await bench.Row();
        (row.Fired, row.Skipped, row.Missed, row.LastAt).ShouldBe((365, 0, 0, fired[^1]));
        fired.Select(at => TimeZoneInfo.ConvertTime(at, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).Date).ShouldBeUnique();
        // 25 October 2026 has the hour twice, and 28 March 2027 not at all.
        fired.ShouldContain(new DateTimeOffset(2026, 10, 25, 0, 30, 0, TimeSpan.Zero));
        fired.ShouldContain(new DateTimeOffset(2027, 3, 28, 1, 0, 0, TimeSpan.Zero));
    }

    [Test]
    public async Task A_clock_that_is_set_back_fires_no_time_twice_and_loses_none()
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", Cron = "*/10 * * * *", Zone = "UTC", Overlap = ScheduleOverlap.Queue, Task = Sweep });
        await bench.Set(Every(600_000) with { Name = "every", Overlap = ScheduleOverlap.Queue });
        for (var minute = 0; minute <= 60; minute++)
            await bench.LookAt(Noon.AddMinutes(minute));
        (await bench.Row()).Fired.ShouldBe(6);
        (await bench.Row("every")).Fired.ShouldBe(6);

        // At 13:00 the clock is set back to 12:25: the next hour and a half of that clock is one of real time.
        bench.Time.SetClock(TimeSpan.FromMinutes(-35));
        for (var minute = 25; minute <= 120; minute++)
            await bench.LookAt(Noon.AddMinutes(minute));

        // Of the wall's times each once, from 12:10 to 14:00; of the interval one for each ten minutes of both stretches.
        (await bench.Row()).Fired.ShouldBe(12);
        bench.FiredAt("s").ShouldBeUnique();
        bench.FiredAt("s").ShouldBe(Enumerable.Range(1, 12).Select(i => Noon.AddMinutes(10 * i)));
        (await bench.Row("every")).Fired.ShouldBe(6 + 9);
    }

    [Test]
    public async Task A_clock_that_was_a_year_ahead_leaves_no_schedule_waiting_for_a_year()
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", Cron = "0 13 * * *", Zone = "UTC", Task = Sweep });
        await bench.Set(Every(600_000) with { Name = "every" });
        await bench.Look();
        bench.Time.SetClock(TimeSpan.FromDays(365));
        await bench.Look();
        (await bench.Row()).NextAt.ShouldBe(Noon.AddDays(365).AddHours(1));

        bench.Time.SetClock(TimeSpan.FromDays(-365));
        await bench.Restart();
        await bench.Look();

        (await bench.Row()).NextAt.ShouldBe(Noon.AddHours(1));
        (await bench.Row("every")).NextAt!.Value.ShouldBeLessThanOrEqualTo(Noon.AddMinutes(10));
    }

    [Test]
    public async Task A_clock_that_is_set_forward_makes_its_times_missed_ones()
    {
        await using var bench = new Bench();
        await bench.Set(new NewSchedule { Name = "s", Cron = "0 * * * *", Zone = "UTC", Task = Sweep });
        await bench.Look();
        bench.Time.SetClock(TimeSpan.FromMinutes(150));
        await bench.Look(2);

        var row = await bench.Row();
        (row.Fired, row.Missed, row.NextAt).ShouldBe((1, 1, Noon.AddHours(3)));
    }

    [Test]
    public async Task A_jitter_is_the_same_for_a_time_and_spreads_over_times()
    {
        await using var bench = new Bench();
        await bench.Set(Every(60_000) with { JitterMs = 50_000, Overlap = ScheduleOverlap.Queue });
        for (var minute = 1; minute <= 40; minute++)
            await bench.LookAt(Noon.AddMinutes(minute));

        var starts = (await bench.Tasks()).Select((task, i) => task.NotBefore!.Value - Noon.AddMinutes(i + 1)).ToList();
        starts.Count.ShouldBe(40);
        starts.ShouldAllBe(start => start >= TimeSpan.Zero && start < TimeSpan.FromSeconds(50));
        starts.Distinct().Count().ShouldBeGreaterThan(35);
        starts[0].ShouldBe(Jitter.Of("s", Noon.AddMinutes(1), 50_000));
        Jitter.Of("t", Noon.AddMinutes(1), 50_000).ShouldNotBe(starts[0]);
    }

    [Test]
    public async Task What_cannot_be_done_any_more_is_told_once_and_made_up_for_when_it_can()
    {
        await using var bench = new Bench();
        await bench.Set(Every(60_000));
        bench.WhyNever = "there is no workspace site";

        await bench.LookAt(Noon.AddMinutes(1));
        await bench.LookAt(Noon.AddMinutes(2));
        await bench.LookAt(Noon.AddMinutes(3));

        var row = await bench.Row();
        (row.Fired, row.Missed, row.Problem, row.NextAt).ShouldBe((0, 0, "there is no workspace site", Noon.AddMinutes(1)));
        var notice = (await new BoardOutbox(bench.Board).ListAsync(null, 10)).ShouldHaveSingleItem();
        (notice.Kind, notice.Name, notice.Message, notice.EndedAt).ShouldBe((NoticeKind.Schedule, "s", "schedule s cannot fire: there is no workspace site", null));
        bench.Loop.Status.ShouldBe(new StatusSchedules(1, null, null, 1));

        bench.WhyNever = null;
        await bench.LookAt(Noon.AddMinutes(4));
        row = await bench.Row();
        (row.Fired, row.Missed, row.Problem, row.NextAt).ShouldBe((1, 3, null, Noon.AddMinutes(5)));
        (await new BoardOutbox(bench.Board).ListAsync(null, 10)).ShouldHaveSingleItem().EndedAt.ShouldNotBeNull();
        bench.Loop.Status.ShouldBe(new StatusSchedules(1, "s", Noon.AddMinutes(5), 0));
    }

    [Test]
    public async Task A_tenant_that_is_gone_is_a_problem_and_no_silence()
    {
        await using var bench = new Bench();
        await Should.ThrowAsync<TaskRefusedException>(() => bench.Set(Every(60_000) with { Task = Sweep with { Tenant = "green" } }));
        (await bench.Board.ReadAsync(connection => connection["SELECT count(*) FROM schedules"].Number())).ShouldBe(0);
        var registry = await Registry.LoadAsync(bench.Board);
        await registry.RegisterTenantAsync("green", "/tmp/green");
        await bench.Set(Every(60_000) with { Task = Sweep with { Tenant = "green" } });
        await registry.DeleteTenantAsync("green");

        await bench.LookAt(Noon.AddMinutes(1));
        (await bench.Row()).Problem!.ShouldStartWith("tenant is 'green', which is not registered");
        await registry.RegisterTenantAsync("green", "/tmp/green");
        await bench.LookAt(Noon.AddMinutes(2));
        (await bench.Tasks()).ShouldHaveSingleItem().Tenant.ShouldBe("green");
    }

    [Test]
    public async Task A_schedule_of_the_same_name_is_replaced_and_keeps_its_counts()
    {
        await using var bench = new Bench();
        (await bench.Set(Every(60_000))).Replaced.ShouldBeFalse();
        await bench.LookAt(Noon.AddMinutes(1));

        var (row, isReplaced) = await bench.Set(new NewSchedule { Name = "s", Cron = "0 13 * * *", Zone = "UTC", Task = Sweep with { Title = "mop" } });

        isReplaced.ShouldBeTrue();
        (row.Fired, row.Given.EveryMs, row.Given.Cron, row.Given.Task.Title, row.NextAt).ShouldBe((1, null, "0 13 * * *", "mop", Noon.AddHours(1)));
        (await bench.Desk.ListAsync()).ShouldHaveSingleItem();
        (await bench.Desk.DeleteAsync("s"))!.Fired.ShouldBe(1);
        (await bench.Desk.ListAsync()).ShouldBeEmpty();
        (await bench.Tasks()).Count.ShouldBe(1);
        (await bench.Desk.DeleteAsync("s")).ShouldBeNull();
    }

    [Test]
    public async Task A_firing_worked_out_before_a_change_does_nothing()
    {
        await using var bench = new Bench();
        var (row, _) = await bench.Set(Every(60_000));
        bench.Time.Now = Noon.AddMinutes(1);
        var stale = new ScheduleFiring("s", row.Revision, row.NextAt!.Value, [(row.NextAt.Value, null)], 0, row.NextAt.Value, Noon.AddMinutes(2));
        var schedules = new BoardSchedules(bench.Board);

        await bench.Desk.PauseAsync("s");
        (await schedules.FireAsync(stale)).ShouldBeNull();
        await bench.Desk.ResumeAsync("s");
        (await schedules.FireAsync(stale)).ShouldBeNull();
        await bench.Desk.DeleteAsync("s");
        (await schedules.FireAsync(stale)).ShouldBeNull();
        (await bench.Tasks()).ShouldBeEmpty();
    }

    [Test]
    public async Task Two_that_fire_for_the_same_time_make_one_task()
    {
        await using var bench = new Bench();
        var (row, _) = await bench.Set(Every(60_000) with { Overlap = ScheduleOverlap.Queue });
        bench.Time.Now = Noon.AddMinutes(1);
        var schedules = new BoardSchedules(bench.Board);
        ScheduleFiring Firing() => new("s", row.Revision, row.NextAt!.Value, [(row.NextAt.Value, null)], 0, row.NextAt.Value, Noon.AddMinutes(2));

        var both = await Task.WhenAll(schedules.FireAsync(Firing()), schedules.FireAsync(Firing()));
        both.Count(fired => fired is not null).ShouldBe(1);
        // Even one that finds the schedule where it was: the key of the record stands.
        bench.Execute("UPDATE schedules SET next_at = next_at - 60000");
        (await schedules.FireAsync(Firing()))!.Created.ShouldBeEmpty();
        (await bench.Tasks()).Count.ShouldBe(1);
        (await bench.Row()).Fired.ShouldBe(1);
    }

    [Test]
    public async Task The_record_of_firings_is_bounded_and_the_counts_stay()
    {
        await using var bench = new Bench();
        await bench.Set(Every(1_000) with { Missed = MissedRuns.All, MissedMax = 1_000 });
        for (var round = 1; round <= 3; round++)
            await bench.LookAt(Noon.AddSeconds(600 * round));

        var row = await bench.Row();
        (row.Fired + row.Skipped + row.Missed).ShouldBe(1_800);
        (await bench.Board.ReadAsync(connection => connection["SELECT count(*) FROM schedule_firings"].Number())).ShouldBe(BoardSchedules.MostFirings);
        await bench.LookAt(Noon.AddDays(91));
        (await bench.Board.ReadAsync(connection => connection["SELECT min(at) FROM schedule_firings"].Number()))
            .ShouldBeGreaterThan(Noon.AddDays(1).ToUnixTimeMilliseconds());
    }

    [Test]
    public async Task There_are_at_most_a_thousand_schedules_and_their_texts_are_bounded()
    {
        await using var bench = new Bench();
        await bench.Board.WriteAsync(scope =>
        {
            for (var i = 0; i < BoardSchedules.Most; i++)
                Colibri.Core.Board.Verbs.ScheduleVerbs.Set(scope, Every(60_000) with { Name = $"s{i}" }, Noon.AddMinutes(1));
            return 0;
        });
        (await Should.ThrowAsync<ScheduleLimitException>(() => bench.Set(Every(60_000) with { Name = "more" }))).Message.ShouldStartWith("there are 1,000 schedules");
        (await bench.Set(Every(60_000) with { Name = "s7" })).Replaced.ShouldBeTrue();
        var text = new string('x', BoardSchedules.MostTexts);
        await bench.Set(Every(60_000) with { Name = "s7", Task = Sweep with { Description = text } });
        (await Should.ThrowAsync<ScheduleLimitException>(() => bench.Set(Every(60_000) with { Name = "s8", Task = Sweep with { Description = "y" } })))
            .Message.ShouldStartWith("the descriptions of all schedules");
    }

    [Test]
    public async Task A_commit_that_fails_at_any_statement_leaves_all_or_nothing()
    {
        // The n-th row that a firing writes is refused, as at a disk that is full, and so is all behind it. The next daemon fires the time, once.
        var failures = 0;
        for (var failing = 1; failing <= 10; failing++)
        {
            var (written, first) = (0, int.MaxValue);
            await using var bench = new Bench(() => ++written >= first);
            await bench.Set(Every(60_000) with { Overlap = ScheduleOverlap.Replace });
            await bench.LookAt(Noon.AddMinutes(1));
            await bench.Watch("schedules", "schedule_firings", "tasks");
            (written, first) = (0, failing);
            bench.Time.Now = Noon.AddMinutes(2);
            if (await Failed(bench.Look()))
            {
                failures++;
                (await bench.Row()).NextAt.ShouldBe(Noon.AddMinutes(2), $"row {failing}");
                (await bench.Tasks()).Select(task => task.Status).ShouldBe([TaskState.Queued], $"row {failing}");
                bench.FiredAt("s").Count.ShouldBe(1, $"row {failing}");
            }
            first = int.MaxValue;
            await bench.Restart();
            await bench.Look(2);

            (await bench.Row()).Fired.ShouldBe(2, $"row {failing}");
            (await bench.Tasks()).Select(task => task.Status).ShouldBe([TaskState.Cancelled, TaskState.Queued], $"row {failing}");
        }
        // The schedule twice, its record twice, the old task and the new one.
        failures.ShouldBe(6);

        static async Task<bool> Failed(Task look)
        {
            try
            {
                await look;
                return false;
            }
            catch (Exception e) when (e is BoardUnavailableException or SqliteException or InvalidOperationException)
            {
                return true;
            }
        }
    }

    private static NewTask Sweep { get; } = new() { Title = "sweep" };

    private static NewSchedule Every(long ms) => new() { Name = "s", EveryMs = ms, Zone = "UTC", Task = Sweep };

    private sealed class Bench : IAsyncDisposable
    {
        private readonly BoardFixture _fixture;

        /// <param name="fails">Whether the row that is about to be written is refused.</param>
        public Bench(Func<bool>? fails = null)
        {
            _fixture = new BoardFixture
            {
                WriterOpened = fails is null ? null : connection => connection.CreateFunction("refuse_now", () => fails() ? throw new InvalidOperationException("no more room") : 0L),
            };
            Time.Now = Noon;
            Start();
        }

        public ManualTime Time => _fixture.Time;
        public TaskBoard Board => _fixture.Board;
        public ScheduleLoop Loop { get; private set; } = null!;
        public ScheduleDesk Desk { get; private set; } = null!;
        public List<BoardTask> Replaced { get; } = [];
        public string? WhyNever { get; set; }

        public Task<(ScheduleRow Row, bool Replaced)> Set(NewSchedule schedule) => Desk.SetAsync(schedule);

        public async Task Look(int times = 1)
        {
            for (var i = 0; i < times; i++)
                await Loop.LookAsync();
        }

        public async Task LookAt(DateTimeOffset now)
        {
            Time.Now = now;
            await Loop.LookAsync();
        }

        /// <summary>Asks before each row that is written to these tables, until the board is opened anew.</summary>
        public Task<int> Watch(params string[] tables) => Board.WriteAsync(scope =>
        {
            foreach (var table in tables)
            {
                foreach (var (verb, when) in ((string, string)[])[("INSERT", "i"), ("UPDATE", "u"), ("DELETE", "d")])
                    scope.Execute($"CREATE TEMP TRIGGER refuse_{table}_{when} BEFORE {verb} ON main.{table} BEGIN SELECT refuse_now(); END");
            }
            return 0;
        });

        public async Task Restart()
        {
            await _fixture.Reopen();
            Start();
        }

        public async Task<ScheduleRow> Row(string name = "s") => (await new BoardSchedules(Board).GetAsync(name))!;

        public async Task<IReadOnlyList<BoardTask>> Tasks(string? schedule = null) =>
            (await Board.ListAsync(new TaskQuery { Limit = 1_000, Schedule = schedule ?? "s" })).Tasks;

        public IReadOnlyList<DateTimeOffset> FiredAt(string name) => Board.ReadAsync(connection => Colibri.Core.Board.Verbs.ScheduleVerbs.ListFired(connection, name, DateTimeOffset.UnixEpoch)).Result;

        public void Execute(string sql) => _fixture.Execute(sql);

        public ValueTask DisposeAsync() => _fixture.DisposeAsync();

        private void Start()
        {
            Loop = new ScheduleLoop(new BoardSchedules(Board), _ => WhyNever, Replaced.Add, Time, NullLogger.Instance);
            Desk = new ScheduleDesk(new BoardSchedules(Board), Time, Loop.Wake);
        }
    }
}
