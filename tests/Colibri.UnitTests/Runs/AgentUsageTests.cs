using System.Text;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Runs;

/// <summary>What an agent reports, priced, booked while it runs, and held to the budgets.</summary>
[NotInParallel]
public sealed class AgentUsageTests
{
    private const long Cent = 1_000_000;
    private const string Costed = """{"type":"message_end","message":{"role":"assistant","provider":"mock","model":"mock-1","content":[{"type":"text","text":"well"}],"usage":{"input":10,"output":5,"cacheRead":2,"cacheWrite":1,"cost":{"total":0.01}},"stopReason":"toolUse"}}""";
    private const string Uncosted = """{"type":"message_end","message":{"role":"assistant","provider":"mock","model":"mock-1","content":[{"type":"text","text":"well"}],"usage":{"input":10,"output":5,"cacheRead":2,"cacheWrite":1},"stopReason":"toolUse"}}""";

    private static Budgets Of(long? task, long? day) => new(task, day, new EventHub(TimeProvider.System), TimeProvider.System);

    private static string Printing(params string[] lines) => string.Join('\n', lines.Select(line => $"echo '{line}'"));

    [Test]
    public async Task What_is_used_is_in_the_ledger_while_the_agent_runs()
    {
        await using var fixture = new SupervisorFixture();
        var agent = await fixture.Spawn(Printing("""{"type":"agent_start"}""", Costed, Costed) + "\nexec sleep 300", await fixture.Create());
        await Booked(fixture, 2 * Cent);

        var line = (await fixture.Board.SummariseCostAsync(CostGrouping.Provider, 10)).Lines.ShouldHaveSingleItem();
        (line.Provider, line.Model, line.Requests, line.Agents).ShouldBe(("mock", "mock-1", 2, 1));
        line.Usage.ShouldBe(agent.ToPane().Usage);
        fixture.Budgets.State.SpentMicrocents.ShouldBe(2 * Cent);
    }

    [Test]
    public async Task What_has_no_cost_is_unknown_and_counted_as_such()
    {
        await using var fixture = new SupervisorFixture();
        var task = await fixture.RunToEnd(Printing("""{"type":"agent_start"}""", Uncosted, """{"type":"agent_settled"}"""), await fixture.Create(maxAttempts: 1));

        task.Usage.ShouldBe(new Usage { InputTokens = 10, OutputTokens = 5, CacheReadTokens = 2, CacheWriteTokens = 1, UnpricedTokens = 18 });
        fixture.Budgets.State.UnpricedTokens.ShouldBe(18);
        fixture.Logger.Of(604).ShouldHaveSingleItem().ShouldContain("mock/mock-1");
    }

    [Test]
    public async Task The_operators_price_is_taken_where_the_agent_states_none_and_never_else()
    {
        var prices = PriceTable.Parse(Encoding.UTF8.GetBytes("""{"mock/mock-1":{"input":3,"output":15,"cache_read":0.3,"cache_write":3.75}}"""));
        await using var fixture = new SupervisorFixture(prices: prices);
        var task = await fixture.RunToEnd(Printing("""{"type":"agent_start"}""", Uncosted, Costed, """{"type":"agent_settled"}"""), await fixture.Create(maxAttempts: 1));

        (task.Usage.CostMicrocents, task.Usage.UnpricedTokens).ShouldBe((Cent + 10 * 300 + 5 * 1_500 + 2 * 30 + 375, 0));
    }

    [Test]
    public async Task A_total_that_is_repeated_is_priced_once()
    {
        var prices = PriceTable.Parse(Encoding.UTF8.GetBytes("""{"zed/*":{"input":1,"output":1}}"""));
        await using var fixture = new SupervisorFixture(prices: prices);
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Printing(
            """{"type":"usage","input":10,"output":0,"cumulative":{"input":10,"output":0}}""",
            """{"type":"usage","input":5,"output":1,"cumulative":{"input":15,"output":1}}""")) with
        { Runtime = "zot", Provider = "zed", Rpc = false });
        await SupervisorFixture.End(agent);

        agent.ToPane().Usage.ShouldBe(new Usage { InputTokens = 15, OutputTokens = 1, CostMicrocents = 1_600 });
    }

    [Test]
    public async Task A_smaller_total_takes_no_money_back()
    {
        static string Result(string cost) => """{"type":"result","subtype":"success","is_error":false,"result":"ok","usage":{"input_tokens":10},"total_cost_usd":""" + cost + "}";
        await using var fixture = new SupervisorFixture(budgets: Of(task: null, day: 40 * Cent));
        var task = await fixture.Create();
        var second = fixture.PathOf("second");
        var agent = await fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request(Printing(Result("0.50")) + $"\nuntil [ -e {second} ]; do sleep 0.02; done\n" + Printing(Result("0.10")), task) with { Runtime = "claude" });
        await Booked(fixture, 50 * Cent);
        (fixture.Budgets.State.SpentMicrocents, fixture.Budgets.IsHeld).ShouldBe((50 * Cent, true));

        await File.WriteAllTextAsync(second, "", TestContext.Current!.Execution.CancellationToken);
        await SupervisorFixture.End(agent);

        (fixture.Budgets.State.SpentMicrocents, fixture.Budgets.IsHeld).ShouldBe((50 * Cent, true));
        (await fixture.Get(task)).Usage.ShouldBe(new Usage { InputTokens = 20, CostMicrocents = 50 * Cent });
        (await fixture.Board.SummariseCostAsync(CostGrouping.Day, 1)).Total.Usage.CostMicrocents.ShouldBe(50 * Cent);
    }

    [Test]
    public async Task A_task_over_its_budget_ends_its_agent_and_is_not_tried_again()
    {
        await using var fixture = new SupervisorFixture(budgets: Of(task: Cent, day: null));
        var task = await fixture.RunToEnd(Printing("""{"type":"agent_start"}""", Costed, Costed) + "\nexec sleep 300", await fixture.Create(maxAttempts: 3));

        (task.Status, task.Verdict, task.Attempts, task.NotBefore).ShouldBe((TaskState.Failed, "budget", 1, null));
        task.Error.ShouldBe(new TaskError("budget", "the task has cost $0.02 and may cost $0.01 (COLIBRI_BUDGET_TASK_USD)"));
    }

    [Test]
    public async Task Attempts_that_failed_count_towards_the_tasks_budget()
    {
        await using var fixture = new SupervisorFixture(budgets: Of(task: Cent, day: null));
        var task = await fixture.Create(maxAttempts: 9);
        (await fixture.RunToEnd(Printing("""{"type":"agent_start"}""", Costed) + "\nexit 1", task)).Status.ShouldBe(TaskState.Queued);
        (await fixture.RunToEnd(Printing("""{"type":"agent_start"}""", Costed) + "\nexec sleep 300", task)).Error?.Code.ShouldBe("budget");
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Failed);
    }

    [Test]
    public async Task An_agent_that_has_finished_is_done_whatever_it_cost()
    {
        await using var fixture = new SupervisorFixture(budgets: Of(task: 0, day: null));
        (await fixture.RunToEnd(SupervisorFixture.LifeCycle, await fixture.Create())).Status.ShouldBe(TaskState.Done);
    }

    [Test]
    public async Task A_task_that_spent_its_budget_in_an_interrupted_run_fails_before_another_starts()
    {
        await using var fixture = new SupervisorFixture(budgets: Of(task: Cent, day: null));
        var task = await fixture.Create();
        await fixture.Board.BeginSpawnAsync(new RunStart { AgentId = "a", RunId = "r", SessionId = "s", Agent = new AgentRecord { Name = "pi", Runtime = "pi", Binary = "/bin/pi", Host = "h" } }, task.Id);
        await fixture.Board.EndSpawnAsync("a", new RunEnd
        {
            AgentId = "",
            Ending = RunEnding.Interrupted,
            Usage = [new UsageRow("r", new DateOnly(2026, 11, 22), "mock", "mock-1", 1, new Usage { CostMicrocents = 2 * Cent })],
        });

        var refusal = await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Spawn(SupervisorFixture.Working, task));

        refusal.Refusal.ShouldBe(SpawnRefusal.BudgetSpent);
        ((await fixture.Get(task)).Status, (await fixture.Get(task)).Error?.Code).ShouldBe((TaskState.Failed, "budget"));
        fixture.Supervisor.Running.ShouldBe(0);
    }

    [Test]
    public async Task A_day_over_its_budget_starts_no_agent_until_it_is_lifted()
    {
        await using var fixture = new SupervisorFixture(budgets: Of(task: null, day: Cent));
        await fixture.RunToEnd(Printing("""{"type":"agent_start"}""", Costed, """{"type":"agent_settled"}"""), await fixture.Create());
        var task = await fixture.Create();

        (await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Spawn(SupervisorFixture.Working, task))).Message.ShouldContain("colibri budget lift");
        (fixture.Supervisor.FreeSlots, fixture.Supervisor.Running).ShouldBe((0, 0));
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Queued);

        fixture.Budgets.Lift(DateTimeOffset.UtcNow);
        (await fixture.RunToEnd(SupervisorFixture.LifeCycle, task)).Status.ShouldBe(TaskState.Done);
    }

    private static async Task Booked(SupervisorFixture fixture, long microcents)
    {
        var deadline = DateTime.UtcNow + Shell.Deadline;
        while ((await fixture.Board.SummariseCostAsync(CostGrouping.Day, 1)).Total.Usage.CostMicrocents != microcents)
        {
            DateTime.UtcNow.ShouldBeLessThan(deadline, "it is booked while the agent runs");
            await Task.Yield();
        }
    }
}
