using System.Text;
using System.Text.Json;
using Colibri.Core.Board;
using Colibri.Core.Notices;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Notices;

/// <summary>One sink's line: step by step, on a clock that the test moves.</summary>
public sealed class SinkLineTests
{
    [Test]
    public async Task What_is_told_is_the_whole_notice_and_is_told_once()
    {
        await using var line = await Line.OnAsync();
        var task = await line.Board.CreateIn(TaskState.Failed);
        await line.StepAsync();
        (await line.StepAsync()).ShouldBe(Timeout.InfiniteTimeSpan);
        var message = line.Told.ShouldHaveSingleItem();
        (message.Schema, message.Sink, message.Kind, message.Host).ShouldBe(("colibri.notice.v1", "ops", "failed", "clawdie"));
        message.Text.ShouldBe($"failed: task {task.Number} ({task.Title}): it failed");
        var notice = message.Notices.ShouldHaveSingleItem();
        (notice.TaskId, notice.TaskNumber, notice.Title, notice.Kind).ShouldBe((task.Id, task.Number, task.Title, NoticeKind.Failed));
        line.Status.Delivered.ShouldBe(1);
    }

    [Test]
    public async Task Forty_failures_at_once_are_one_message()
    {
        await using var line = await Line.OnAsync();
        for (var i = 0; i < 60; i++)
            await line.Board.CreateIn(TaskState.Failed);
        await line.StepAsync();
        (await line.StepAsync()).ShouldBe(Timeout.InfiniteTimeSpan);
        var message = line.Told.ShouldHaveSingleItem();
        (message.Kind, message.Notices.Count, message.More).ShouldBe(("summary", SinkLine.MostInAMessage, 10));
        message.Text.ShouldStartWith("60 failed; the first: failed: task 1 ");
        line.Status.ShouldSatisfyAllConditions(status => status.Pending.ShouldBe(0), status => status.Delivered.ShouldBe(60));
    }

    [Test]
    public async Task One_after_another_they_are_told_one_by_one_and_after_five_together_at_a_slower_pace()
    {
        await using var line = await Line.OnAsync();
        for (var i = 0; i < SinkLine.MostInARow; i++)
        {
            await line.Board.CreateIn(TaskState.Failed);
            await line.StepAsync();
        }
        line.Told.Count.ShouldBe(SinkLine.MostInARow);
        await line.Board.CreateIn(TaskState.Failed);
        await line.Board.CreateIn(TaskState.Failed);
        var wait = await line.StepAsync();
        wait.ShouldBeInRange(TimeSpan.FromTicks(1), SinkLine.Refill);
        line.Told.Count.ShouldBe(SinkLine.MostInARow);
        line.Board.Time.Now += wait;
        await line.StepAsync();
        line.Told[^1].ShouldSatisfyAllConditions(message => message.Kind.ShouldBe("summary"), message => message.Notices.Count.ShouldBe(2));
    }

    [Test]
    public async Task A_failure_is_tried_again_after_a_time_that_doubles_and_a_wake_does_not_shorten_it()
    {
        await using var line = await Line.OnAsync();
        await line.Board.CreateIn(TaskState.Failed);
        line.Problem = "it is away";
        var expected = SinkLine.FirstRest;
        for (var attempt = 1; attempt < BoardOutbox.MostAttempts; attempt++)
        {
            (await line.StepAsync()).ShouldBe(expected, $"after attempt {attempt}");
            (await line.StepAsync()).ShouldBe(expected, "a wake in between");
            line.Tries.ShouldBe(attempt);
            line.Status.ShouldSatisfyAllConditions(status => status.State.ShouldBe("waiting"), status => status.LastError.ShouldBe("it is away"));
            line.Board.Time.Now += expected;
            expected = TimeSpan.FromTicks(Math.Min(2 * expected.Ticks, SinkLine.LongestRest.Ticks));
        }
        await line.StepAsync();
        line.Board.Time.Now += SinkLine.LongestRest;
        (await line.StepAsync()).ShouldBe(Timeout.InfiniteTimeSpan);
        line.Status.ShouldSatisfyAllConditions(status => status.State.ShouldBe("dead-letters"), status => status.Dead.ShouldBe(1), status => status.Pending.ShouldBe(0));

        line.Problem = null;
        await line.Outbox.RetryAsync(null);
        line.TryNow();
        await line.StepAsync();
        line.Status.ShouldSatisfyAllConditions(status => status.State.ShouldBe("ready"), status => status.Dead.ShouldBe(0), status => status.Delivered.ShouldBe(1), status => status.LastError.ShouldBeNull());
    }

    [Test]
    public async Task In_quiet_hours_nothing_is_told_and_afterwards_everything()
    {
        await using var line = await Line.OnAsync(new QuietHours(new TimeOnly(0, 0), new TimeOnly(12, 0)));
        line.Board.Time.Now = new DateTimeOffset(2026, 11, 22, 6, 0, 0, TimeSpan.Zero);
        await line.Board.CreateIn(TaskState.Failed);
        await line.StepAsync();
        line.Told.ShouldBeEmpty();
        line.Status.State.ShouldBe("quiet");
        line.Board.Time.Now += TimeSpan.FromHours(6);
        await line.StepAsync();
        line.Told.Count.ShouldBe(1);
    }

    [Test]
    public async Task What_may_be_settled_without_a_person_waits_and_what_nobody_need_know_goes()
    {
        await using var line = await Line.OnAsync();
        await line.Board.CreateIn(TaskState.Failed);
        line.Turn = NoticeTurn.Later;
        (await line.StepAsync()).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        line.Told.ShouldBeEmpty();
        line.Turn = NoticeTurn.Never;
        (await line.StepAsync()).ShouldBe(Timeout.InfiniteTimeSpan);
        line.Turn = NoticeTurn.Now;
        (await line.StepAsync()).ShouldBe(Timeout.InfiniteTimeSpan);
        line.Told.ShouldBeEmpty();
    }

    [Test]
    public async Task A_key_in_a_title_is_not_told()
    {
        const string Key = "sk-0123456789abcdef0123456789abcdef";
        await using var line = await Line.OnAsync(secrets: new Secrets(new Dictionary<string, string> { ["OPENAI_API_KEY"] = Key }, null, NullLogger.Instance));
        var task = await line.Board.Create($"use {Key}");
        await line.Board.Board.ClaimAsync(task.Id, "somebody");
        await line.Board.Board.TransitionAsync(task.Id, TaskState.Started, null);
        await line.Board.Board.TransitionAsync(task.Id, TaskState.Failed, null);
        await line.StepAsync();
        JsonSerializer.Serialize(line.Told.ShouldHaveSingleItem(), ProtocolJson.Wire.SinkMessage).ShouldNotContain(Key);
    }

    [Test]
    [Arguments("22:00-07:00", "23:30", true)]
    [Arguments("22:00-07:00", "06:59", true)]
    [Arguments("22:00-07:00", "07:00", false)]
    [Arguments("22:00-07:00", "21:59", false)]
    [Arguments("12:00-13:00", "12:00", true)]
    [Arguments("12:00-13:00", "13:00", false)]
    public void Quiet_hours_may_go_over_midnight(string hours, string time, bool isQuiet)
    {
        QuietHours.TryParse(hours, out var quiet).ShouldBeTrue();
        quiet!.Has(TimeOnly.Parse(time, System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(isQuiet);
        quiet.ToString().ShouldBe(hours);
    }

    private sealed class Line : IAsyncDisposable
    {
        private SinkLine _line = null!;

        public BoardFixture Board { get; } = new();
        public BoardOutbox Outbox { get; private set; } = null!;
        public List<SinkMessage> Told { get; } = [];
        public int Tries { get; private set; }
        public string? Problem { get; set; }
        public NoticeTurn Turn { get; set; } = NoticeTurn.Now;
        public SinkStatus Status => _line.Status;

        public static async Task<Line> OnAsync(QuietHours? quiet = null, Secrets? secrets = null)
        {
            var line = new Line();
            line.Outbox = new BoardOutbox(line.Board.Board);
            await line.Outbox.SetSinksAsync([("ops", " failed ")]);
            line._line = new SinkLine(
                new NotifySettings { Name = "ops", On = ["failed"], Exec = ["/bin/true"], Quiet = quiet },
                new SinkLineParts
                {
                    Outbox = line.Outbox,
                    DeliverAsync = (_, message, json, _) =>
                    {
                        line.Tries++;
                        JsonSerializer.Deserialize(json.Span, ProtocolJson.Wire.SinkMessage)!.Id.ShouldBe(message.Id);
                        Encoding.UTF8.GetString(json.Span).ShouldNotContain('\n');
                        if (line.Problem is null)
                            line.Told.Add(message);
                        return Task.FromResult(line.Problem);
                    },
                    TurnOf = _ => Task.FromResult(line.Turn),
                    Secrets = secrets ?? Secrets.None,
                    Host = "clawdie",
                    Time = line.Board.Time,
                    Logger = NullLogger.Instance,
                });
            return line;
        }

        public Task<TimeSpan> StepAsync() => _line.StepAsync(CancellationToken.None);

        public void TryNow() => _line.TryNow();

        public ValueTask DisposeAsync() => Board.DisposeAsync();
    }
}
