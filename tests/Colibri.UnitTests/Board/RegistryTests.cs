using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

public sealed class RegistryTests
{
    [Test]
    public async Task An_agent_registered_again_keeps_its_id_and_takes_the_new_capabilities()
    {
        await using var fixture = new BoardFixture();
        var first = await fixture.Board.RegisterAgentAsync("editor", ["code"], "h1");
        (first.Kind, first.Name, first.Host, first.RegisteredAt, first.LastHeartbeatAt).ShouldBe(("registered", "editor", "h1", fixture.Time.Now, null));
        var registered = fixture.Time.Now;
        fixture.Time.Now += TimeSpan.FromMinutes(1);

        var again = await fixture.Board.RegisterAgentAsync("editor", ["code", "review"], "h1");
        var elsewhere = await fixture.Board.RegisterAgentAsync("editor", [], "h2");
        var nowhere = await fixture.Board.RegisterAgentAsync("editor", [], null);
        (await fixture.Board.RegisterAgentAsync("editor", [], null)).Id.ShouldBe(nowhere.Id);

        (again.Id, again.RegisteredAt, again.LastHeartbeatAt).ShouldBe((first.Id, registered, fixture.Time.Now));
        again.Capabilities.ShouldBe(["code", "review"]);
        (await fixture.Board.RegisteredAgentsAsync()).Select(agent => agent.Id).ShouldBe([nowhere.Id, first.Id, elsewhere.Id]);
    }

    [Test]
    public async Task A_heartbeat_is_kept_and_that_of_a_stranger_is_not()
    {
        await using var fixture = new BoardFixture();
        var agent = await fixture.Board.RegisterAgentAsync("editor", [], null);
        await fixture.Spawn("spawned");
        fixture.Time.Now += TimeSpan.FromMinutes(1);
        (await fixture.Board.HeartbeatAsync(agent.Id))!.LastHeartbeatAt.ShouldBe(fixture.Time.Now);
        (await fixture.Board.HeartbeatAsync("stranger")).ShouldBeNull();
        (await fixture.Board.HeartbeatAsync("spawned")).ShouldBeNull();
        (await fixture.Board.RegisteredAgentsAsync()).ShouldHaveSingleItem().LastHeartbeatAt.ShouldBe(fixture.Time.Now);
    }

    [Test]
    public async Task An_agent_shows_the_task_it_holds_until_it_is_over()
    {
        await using var fixture = new BoardFixture();
        var agent = await fixture.Board.RegisterAgentAsync("editor", [], null);
        var task = await fixture.Create();
        await fixture.Board.ClaimAsync(task.Id, agent.Id);
        (await fixture.Board.HeartbeatAsync(agent.Id))!.TaskId.ShouldBe(task.Id);
        await fixture.Board.CancelAsync(task.Id);
        (await fixture.Board.RegisteredAgentsAsync()).ShouldHaveSingleItem().TaskId.ShouldBeNull();
    }

    [Test]
    public async Task An_agent_silent_beyond_its_lease_loses_its_tasks()
    {
        await using var fixture = new BoardFixture();
        var silent = await fixture.Board.RegisterAgentAsync("silent", [], null);
        var lively = await fixture.Board.RegisterAgentAsync("lively", [], null);
        var claimed = await fixture.Create();
        var started = await fixture.Create();
        var held = await fixture.Create();
        var strange = await fixture.Create();
        await fixture.Board.ClaimAsync(started.Id, silent.Id);
        await fixture.Board.TransitionAsync(started.Id, TaskState.Started, null);
        await fixture.Board.ClaimAsync(claimed.Id, silent.Id);
        await fixture.Board.ClaimAsync(held.Id, lively.Id);
        await fixture.Board.ClaimAsync(strange.Id, "stranger");
        fixture.Time.Now += AgentLease.Duration;
        await fixture.Board.HeartbeatAsync(lively.Id);

        var lost = await fixture.Board.ReleaseLostAsync(AgentLease.Duration, UnknownClaims.None);

        lost.Select(task => task.Id).ShouldBe([claimed.Id, started.Id]);
        lost.ShouldAllBe(task => task.Status == TaskState.Queued && task.AgentId == null && task.StartedAt == null && task.Attempts == 1);
        lost[0].Error.ShouldBe(new TaskError("agent-lost", $"agent {silent.Id} was not heard of in time; the task is queued again"));
        (await fixture.Board.ReleaseLostAsync(AgentLease.Duration, UnknownClaims.All)).ShouldHaveSingleItem().Id.ShouldBe(strange.Id);
        (await fixture.Board.GetAsync(held.Id))!.AgentId.ShouldBe(lively.Id);
        fixture.Board.Counts.ShouldBe(new StatusTasks(3, 1, 0, 0, 0, 0));
    }

    [Test]
    [Arguments("register")]
    [Arguments("heartbeat")]
    [Arguments("claim")]
    [Arguments("transition")]
    public async Task Whatever_the_clock_is_set_to_a_claimant_heard_within_its_lease_keeps_its_task(string heardBy)
    {
        await using var fixture = new BoardFixture();
        var agent = await fixture.Board.RegisterAgentAsync("outside", [], null);
        var task = await fixture.Create();
        var next = await fixture.Create();
        await fixture.Board.ClaimAsync(task.Id, agent.Id);
        foreach (var step in (TimeSpan[])[TimeSpan.FromMinutes(6), TimeSpan.FromHours(-2), TimeSpan.FromDays(365)])
        {
            fixture.Time.Now += AgentLease.Duration - TimeSpan.FromSeconds(1);
            await HearAsync();
            fixture.Time.SetClock(step);
            fixture.Time.Now += AgentLease.Duration - TimeSpan.FromSeconds(1);
            (await fixture.Board.ReleaseLostAsync(AgentLease.Duration, UnknownClaims.None)).ShouldBeEmpty();
            await HearAsync();
        }

        // A restart: it has a full lease from there, and no more.
        var board = await fixture.Reopen();
        fixture.Time.Now += AgentLease.Duration - TimeSpan.FromSeconds(1);
        (await board.ReleaseLostAsync(AgentLease.Duration, UnknownClaims.None)).ShouldBeEmpty();
        fixture.Time.SetClock(TimeSpan.FromHours(-1));
        fixture.Time.Now += TimeSpan.FromSeconds(1);
        (await board.ReleaseLostAsync(AgentLease.Duration, UnknownClaims.None)).ShouldContain(lost => lost.Id == task.Id);

        Task HearAsync() => heardBy switch
        {
            "register" => fixture.Board.RegisterAgentAsync("outside", [], null),
            "heartbeat" => fixture.Board.HeartbeatAsync(agent.Id),
            "claim" => fixture.Board.ClaimAsync(next.Id, agent.Id),
            _ => fixture.Board.TransitionAsync(next.Id, TaskState.Done, null, agent.Id),
        };
    }

    [Test]
    public async Task Settings_are_upserted_and_survive()
    {
        await using var fixture = new BoardFixture();
        await fixture.Board.SetSettingAsync("cost-mode", "fast");
        await fixture.Board.SetSettingAsync("cost-mode", "max");

        var board = await fixture.Reopen();

        (await board.GetSettingAsync("cost-mode")).ShouldBe("max");
        (await board.GetSettingAsync("unknown")).ShouldBeNull();
    }
}
