using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Notices;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Spawning;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Notices;

/// <summary>What is in memory alone is told once for each episode, over a restart as well.</summary>
[NotInParallel]
public sealed class NoticeWatchTests : IAsyncDisposable
{
    private readonly SupervisorFixture _fixture = new();
    private readonly ManualTime _time = new();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task A_budget_that_is_used_up_is_told_once_and_so_after_a_restart()
    {
        var budgets = new Budgets(null, 100, new EventHub(_time), _time);
        var outbox = await OutboxAsync("budget");
        var watch = Watch(outbox, budgets);
        await watch.LookAsync();
        (await outbox.PendingAsync("ops", 10)).ShouldBeEmpty();
        budgets.Spend(200, 0);
        await watch.LookAsync();
        await watch.LookAsync();
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().Message.ShouldStartWith("the day's budget is used up");

        watch = Watch(outbox, budgets);
        await watch.RestoreAsync();
        await watch.LookAsync();
        (await outbox.PendingAsync("ops", 10)).Count.ShouldBe(1);

        budgets.Lift(_time.Now);
        await watch.LookAsync();
        (await outbox.PendingAsync("ops", 10))[0].EndedAt.ShouldBeNull("it may come back within the minute");
        _time.Now += NoticeWatch.WellFor;
        await watch.LookAsync();
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().EndedAt.ShouldNotBeNull();
    }

    [Test]
    public async Task A_question_begins_when_it_is_asked_and_ends_with_its_answer()
    {
        var outbox = await OutboxAsync("question");
        var watch = Watch(outbox, new Budgets(null, null, new EventHub(_time), _time));
        var task = await _fixture.Create();
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(
            "echo '{\"type\":\"extension_ui_request\",\"id\":\"q1\",\"method\":\"confirm\",\"title\":\"Delete it?\"}'; exec sleep 300", task) with
        { Runtime = "pi" });
        Shell.Until(() => agent.Question is not null, "it asks");
        await watch.LookAsync();
        await watch.LookAsync();
        var notice = (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem();
        (notice.Kind, notice.Message, notice.TaskNumber, notice.AgentId, notice.Label).ShouldBe((NoticeKind.Question, "Delete it?", task.Number, agent.Id, agent.Label));

        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
        await SupervisorFixture.End(agent);
        await watch.LookAsync();
        (await outbox.PendingAsync("ops", 10)).ShouldHaveSingleItem().EndedAt.ShouldNotBeNull();
    }

    private async Task<BoardOutbox> OutboxAsync(string kinds)
    {
        var outbox = new BoardOutbox(_fixture.Board);
        await outbox.SetSinksAsync([("ops", $" {kinds} ")]);
        return outbox;
    }

    private NoticeWatch Watch(BoardOutbox outbox, Budgets budgets) => new(
        outbox,
        new NoticeSources
        {
            Supervisor = _fixture.Supervisor,
            Router = _fixture.Engine.Router,
            Holds = _fixture.Engine.Holds,
            Budgets = budgets,
            Disk = _fixture.Engine.Disk,
            Secrets = Secrets.None,
        },
        _time, NullLogger.Instance);
}
