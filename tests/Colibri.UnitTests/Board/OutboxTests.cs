using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>A notice is written with the state that it tells of, on every road to that state, once for each episode.</summary>
public sealed class OutboxTests
{
    private static readonly WorkChange Change = new()
    {
        Workspace = "site",
        Branch = "colibri/1-a",
        Base = "b",
        Head = "h",
        Commits = 1,
        Files = 2,
        Insertions = 10,
        Deletions = 3,
        State = ChangeState.Open,
    };

    public static List<string> Failures() => ["outside", "run", "last attempt"];

    [Test]
    [MethodDataSource(nameof(Failures))]
    public async Task A_failure_is_told_once_on_every_road_and_again_when_it_fails_again(string road)
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " failed "), ("reviews", " review "));
        var task = await FailAsync(fixture, road);

        var notice = (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem();
        (notice.Kind, notice.TaskNumber, notice.TaskId, notice.Title, notice.EndedAt).ShouldBe((NoticeKind.Failed, task.Number, task.Id, task.Title, null));
        notice.Message.ShouldContain(road == "outside" ? "it failed" : "agent-error: it broke");
        (await outbox.PendingAsync("reviews", 10)).ShouldBeEmpty();

        (await fixture.Board.RetryAsync(task.Id, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().EndedAt.ShouldNotBeNull("what was not told in time is told all the same, and that it is over");
        (await fixture.Board.ClaimAsync(task.Id, "somebody")).Outcome.ShouldBe(EdgeOutcome.Applied);
        await fixture.Board.TransitionAsync(task.Id, TaskState.Started, null);
        (await fixture.Board.TransitionAsync(task.Id, TaskState.Failed, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await outbox.PendingAsync("ops", 10)).Count.ShouldBe(2);
    }

    [Test]
    public async Task A_change_waits_for_a_person_until_it_has_landed_and_a_conflict_is_another_thing_to_tell()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " review failed "));
        var task = await EndAsync(fixture, RunEnding.Done, Change);
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().Message.ShouldBe("its change waits for a review: colibri/1-a");

        await SetChange(fixture, task, ChangeState.Conflict);
        var told = await outbox.PendingAsync("ops", 10);
        told.Select(notice => (notice.Kind, notice.EndedAt is null)).ShouldBe([(NoticeKind.Review, false), (NoticeKind.Review, true)]);
        told[1].Message.ShouldContain("in conflict with its base: colibri/1-a");

        await SetChange(fixture, task, ChangeState.Landed);
        (await outbox.PendingAsync("ops", 10)).ShouldAllBe(notice => notice.EndedAt != null);
    }

    [Test]
    public async Task A_failure_with_a_change_is_one_thing_and_not_two()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " review failed "));
        await EndAsync(fixture, RunEnding.Failed, Change);
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().Kind.ShouldBe(NoticeKind.Failed);
    }

    [Test]
    public async Task A_hold_by_the_daemon_is_told_and_one_by_hand_is_not()
    {
        await using var fixture = new BoardFixture { MaxInterruptions = 1 };
        var outbox = await WithSinks(fixture, ("ops", " held "));
        var byHand = await fixture.Create();
        await fixture.Board.HoldAsync(byHand.Id);
        (await outbox.PendingAsync("ops", 10)).ShouldBeEmpty();

        var task = await fixture.Spawn("a1");
        await fixture.Board.EndSpawnAsync("a1", Ending(RunEnding.Killed, null));
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().Message.ShouldStartWith("poison: ");
        await fixture.Board.ReleaseAsync(task.Id);
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().EndedAt.ShouldNotBeNull();
    }

    [Test]
    public async Task That_a_task_is_done_is_written_only_where_somebody_wants_to_know()
    {
        await using var fixture = new BoardFixture();
        await WithSinks(fixture, ("ops", " failed "));
        await fixture.CreateIn(TaskState.Done);
        fixture.Number("SELECT count(*) FROM notices").ShouldBe(0);

        var outbox = await WithSinks(fixture, ("ops", " failed done "));
        await fixture.CreateIn(TaskState.Done);
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().Kind.ShouldBe(NoticeKind.Done);
    }

    [Test]
    public async Task A_change_that_is_taken_back_tells_nothing()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " failed "));
        var task = await fixture.CreateIn(TaskState.Started);
        await Should.ThrowAsync<InvalidOperationException>(() => fixture.Board.WriteAsync<int>(scope =>
        {
            scope.Execute("UPDATE tasks SET status = 'failed' WHERE id = $id", ("$id", task.Id));
            throw new InvalidOperationException("no");
        }));
        (await outbox.PendingAsync("ops", 10)).ShouldBeEmpty();
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Started);
    }

    [Test]
    public async Task What_is_to_be_told_outlives_a_restart_and_is_told_until_it_is_noted()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " failed "));
        await fixture.CreateIn(TaskState.Failed);
        outbox = new BoardOutbox(await fixture.Reopen());
        var notice = (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem();
        await outbox.FailedAsync("ops", [notice.Id], "it hangs");
        (await outbox.SinkAsync("ops"))!.ShouldSatisfyAllConditions(sink => sink.Pending.ShouldBe(1), sink => sink.LastError.ShouldBe("it hangs"), sink => sink.Delivered.ShouldBe(0));

        await outbox.DeliveredAsync("ops", [notice.Id]);
        (await outbox.PendingAsync("ops", 10)).ShouldBeEmpty();
        (await outbox.SinkAsync("ops"))!.ShouldSatisfyAllConditions(sink => sink.Pending.ShouldBe(0), sink => sink.LastError.ShouldBeNull(), sink => sink.Delivered.ShouldBe(1));
    }

    [Test]
    public async Task After_twenty_attempts_it_is_a_dead_letter_which_a_retry_makes_due_again()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " failed "));
        await fixture.CreateIn(TaskState.Failed);
        var id = (await outbox.PendingAsync("ops", 10))[0].Id;
        for (var attempt = 1; attempt <= BoardOutbox.MostAttempts; attempt++)
        {
            (await outbox.PendingAsync("ops", 10)).Count.ShouldBe(1, $"before attempt {attempt}");
            await outbox.FailedAsync("ops", [id], "no");
        }
        (await outbox.PendingAsync("ops", 10)).ShouldBeEmpty();
        (await outbox.SinkAsync("ops"))!.Dead.ShouldBe(1);
        (await outbox.ListAsync("ops", 10)).ShouldHaveSingleItem().Deliveries.ShouldHaveSingleItem().ShouldBe(new NoticeDelivery("ops", 20, true, "no"));

        await outbox.RetryAsync("ops");
        (await outbox.PendingAsync("ops", 10)).Count.ShouldBe(1);
    }

    [Test]
    public async Task A_sink_that_is_gone_takes_what_it_was_to_be_told_with_it_and_a_new_one_hears_nothing_old()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " failed "));
        await fixture.CreateIn(TaskState.Failed);
        await outbox.SetSinksAsync([("other", " failed ")]);
        (await outbox.PendingAsync("ops", 10)).ShouldBeEmpty();
        (await outbox.PendingAsync("other", 10)).ShouldBeEmpty();
        fixture.Number("SELECT count(*) FROM deliveries").ShouldBe(0);
    }

    [Test]
    public async Task An_episode_that_lasts_is_begun_once_and_readers_find_beginnings_and_ends()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " disk "));
        var disk = new NewNotice(NoticeKind.Disk, "disk", "1 GiB is free");
        (await outbox.BeginAsync(disk)).ShouldBeTrue();
        (await outbox.BeginAsync(disk)).ShouldBeFalse();
        var (begun, mark) = await outbox.SinceAsync(0);
        begun.ShouldHaveSingleItem().EndedAt.ShouldBeNull();
        (await outbox.EndAsync("disk")).ShouldBeTrue();
        (await outbox.SinceAsync(mark)).Notices.ShouldHaveSingleItem().EndedAt.ShouldNotBeNull();
        (await outbox.BeginAsync(disk)).ShouldBeTrue();
        (await outbox.PendingAsync("ops", 10)).Count.ShouldBe(2);
    }

    [Test]
    public async Task A_deleted_task_is_waited_for_no_longer()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " failed "));
        var task = await fixture.CreateIn(TaskState.Failed);
        await fixture.Board.DeleteAsync(task.Id);
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().EndedAt.ShouldNotBeNull();
    }

    [Test]
    public async Task What_is_over_and_told_goes_by_its_age_and_nothing_else_does()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("ops", " failed "));
        var told = await fixture.CreateIn(TaskState.Failed);
        await outbox.DeliveredAsync("ops", [(await outbox.PendingAsync("ops", 10))[0].Id]);
        await fixture.Board.RetryAsync(told.Id, null);
        await fixture.CreateIn(TaskState.Failed);
        (await outbox.PruneAsync(fixture.Time.Now - TimeSpan.FromSeconds(1))).ShouldBe(0);
        fixture.Time.Now += TimeSpan.FromDays(40);
        (await outbox.PruneAsync(fixture.Time.Now - BoardOutbox.Age)).ShouldBe(1);
        (await outbox.PendingAsync("ops", 10)).Count.ShouldBe(1);
    }

    [Test]
    public async Task A_digest_tells_of_its_period_once()
    {
        await using var fixture = new BoardFixture();
        var outbox = await WithSinks(fixture, ("daily", "  "));
        var from = (await outbox.SinkAsync("daily"))!.DigestedUntil;
        fixture.Time.Now += TimeSpan.FromHours(1);
        await fixture.CreateIn(TaskState.Done);
        await fixture.CreateIn(TaskState.Failed);
        var digest = await outbox.DigestAsync(from, fixture.Time.Now);
        (digest.Done, digest.Failed, digest.Cancelled).ShouldBe((1, 1, 0));
        (await outbox.AddDigestAsync("daily", digest, "words", "{}")).ShouldBeTrue();
        (await outbox.AddDigestAsync("daily", digest, "words", "{}")).ShouldBeFalse("its period is told of already");
        (await outbox.PendingAsync("daily", 10)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            notice => notice.Kind.ShouldBe(NoticeKind.Digest), notice => notice.Detail.ShouldBe("{}"), notice => notice.EndedAt.ShouldNotBeNull());
        (await outbox.SinkAsync("daily"))!.DigestedUntil.ShouldBe(digest.To);
    }

    private static async Task<BoardOutbox> WithSinks(BoardFixture fixture, params (string Name, string Kinds)[] sinks)
    {
        var outbox = new BoardOutbox(fixture.Board);
        await outbox.SetSinksAsync(sinks);
        return outbox;
    }

    private static async Task<BoardTask> FailAsync(BoardFixture fixture, string road)
    {
        if (road == "outside")
            return await fixture.CreateIn(TaskState.Failed);
        var task = await fixture.Spawn("a1", await fixture.Create(maxAttempts: road == "last attempt" ? 1 : 3));
        await fixture.Board.EndSpawnAsync("a1", Ending(RunEnding.Failed, null) with { RetryAt = road == "last attempt" ? fixture.Time.Now : null });
        return await fixture.Get(task);
    }

    private static async Task<BoardTask> EndAsync(BoardFixture fixture, RunEnding ending, WorkChange? change)
    {
        var task = await fixture.Spawn("a1");
        await fixture.Board.EndSpawnAsync("a1", Ending(ending, change));
        return await fixture.Get(task);
    }

    private static RunEnd Ending(RunEnding ending, WorkChange? change) => new()
    {
        AgentId = "",
        AgentEnded = true,
        Ending = ending,
        Verdict = ending == RunEnding.Done ? "done" : "agent-error",
        Error = ending == RunEnding.Done ? null : new TaskError("agent-error", "it broke"),
        Change = change,
    };

    private static async Task SetChange(BoardFixture fixture, BoardTask task, ChangeState state)
    {
        var expected = (await fixture.Get(task)).Change!.State;
        (await fixture.Board.SetChangeAsync(task.Id, expected, Change with { State = state })).Outcome.ShouldBe(EdgeOutcome.Applied);
    }
}
