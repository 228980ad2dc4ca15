using Colibri.Core;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Runs;

/// <summary>A run that is cut short, in whichever way, leaves what was told of its cost on its task, its run and in the ledger.</summary>
[NotInParallel]
public sealed class LeftCostTests
{
    private const long Cent = 1_000_000;

    private const string PiMessage = """{"type":"message_end","message":{"role":"assistant","provider":"mock","model":"mock-1","content":[{"type":"text","text":"so"}],"usage":{"input":10,"output":5,"cost":{"total":0.01}},"stopReason":"toolUse"}}""";
    private const string ClaudeMessage = """{"type":"assistant","message":{"id":"m1","model":"opus","content":[],"usage":{"input_tokens":10,"output_tokens":5}}}""";

    public enum Kind
    {
        Pi,
        Claude,

        /// <summary>Claude with prices.</summary>
        PricedClaude,
    }

    public enum End
    {
        Cancelled,
        Stopped,
        Killed,
        Deadline,
        DaemonStopped,
    }

    public static IEnumerable<(Kind, End, bool, bool)> Roads() =>
        from kind in Enum.GetValues<Kind>()
        from end in Enum.GetValues<End>()
        from isRpc in new[] { false, true }
        from isSecond in new[] { false, true }
        where (isRpc || !isSecond) && (kind == Kind.Pi || !isRpc)
        select (kind, end, isRpc, isSecond);

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task What_was_told_is_on_record(Kind kind, End how, bool isRpc, bool isSecond)
    {
        var budgets = new Budgets(null, null, new EventHub(TimeProvider.System), TimeProvider.System);
        var prices = kind == Kind.PricedClaude ? PriceTable.Parse("""{"opus":{"input":100,"output":1800}}"""u8.ToArray()) : PriceTable.Empty;
        await using var fixture = new SupervisorFixture(
            budgets: budgets, prices: prices, configure: plain => how == End.Deadline ? plain with { RunTimeout = TimeSpan.FromSeconds(3) } : plain);
        var told = kind == Kind.Pi ? """{"type":"agent_start"}' '""" + PiMessage : ClaudeMessage;
        var task = await fixture.Create("told", maxAttempts: 1);
        var request = SupervisorFixture.Request(Script(told), task) with { Runtime = kind == Kind.Pi ? "pi" : "claude", Rpc = isRpc, TakesTasks = isSecond };
        var before = isSecond ? await fixture.Create("first", maxAttempts: 1) : null;
        var agent = await fixture.Supervisor.SpawnAsync(before is null ? request : request with { TaskId = before.Id });
        if (before is not null)
        {
            Shell.Until(() => fixture.Board.GetAsync(before.Id).Result!.Status == TaskState.Done, "the first task is done");
            Shell.Until(() => agent.TryAssignAsync(task.Id).Result, "the second task is taken");
        }
        Shell.Until(() => agent.ToPane().Usage.InputTokens == (isSecond ? 20 : 10), "usage was told");

        await EndAsync(fixture, agent, task, how);

        var usage = (await fixture.Get(task)).Usage;
        (usage.InputTokens, usage.OutputTokens, usage.CostMicrocents, usage.UnpricedTokens).ShouldBe(
            kind == Kind.Claude ? (10, 5, 0, 15) : (10, 5, Cent, 0), (await fixture.Get(task)).Verdict);
        (await fixture.OnlyRun(task)).Usage.ShouldBe(usage);
        (await fixture.Board.SummariseCostAsync(CostGrouping.Task, 9)).Lines.Single(line => line.TaskId == task.Id).Usage.ShouldBe(usage);
        (budgets.State.SpentMicrocents, budgets.State.UnpricedTokens).ShouldBe((usage.CostMicrocents * (isSecond ? 2 : 1), usage.UnpricedTokens));
        agent.ToPane().Usage.UnpricedTokens.ShouldBe(usage.UnpricedTokens);
    }

    [Test]
    public async Task Costs_that_a_killed_daemon_still_awaited_are_unknown_to_the_next_one_and_sessions_are_remembered()
    {
        await using var board = new BoardFixture();
        var task = await board.Board.CreateAsync(new NewTask { Title = "t" });
        var record = BoardFixture.Record("a");
        await board.Board.BeginSpawnAsync(record, task.Id);
        var row = new UsageRow(record.RunId, new DateOnly(2026, 11, 22), "anthropic", "opus", 1, new Usage { InputTokens = 10, OutputTokens = 5 }) { AwaitedTokens = 15 };
        var session = new SessionUsage("claude:s1", [new SessionModelTotal("haiku", new(1, 2, 3, 4, 5)), new SessionModelTotal("opus", new(10, 5, 0, 0, 7))]);
        await board.Board.BookUsageAsync("a", [row], [session]);

        await board.Reopen();
        await board.Board.GiveUpAwaitedCostsAsync();
        await board.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Interrupted });

        (await board.Board.GetAsync(task.Id))!.Usage.ShouldBe(new Usage { InputTokens = 10, OutputTokens = 5, UnpricedTokens = 15 });
        (await board.Board.UsageOfDayAsync(new DateOnly(2026, 11, 22))).UnpricedTokens.ShouldBe(15);
        var known = (await board.Board.SessionTotalsAsync()).ShouldHaveSingleItem();
        (known.Session, known.Models.SequenceEqual(session.Models)).ShouldBe(("claude:s1", true));
    }

    [Test]
    public async Task No_more_sessions_are_kept_than_their_bound_and_no_total_of_one_falls()
    {
        await using var board = new BoardFixture();
        SessionUsage[] all = [.. Enumerable.Range(0, SessionTotals.MaxSessions + 3).Select(n => new SessionUsage($"s{n:0000}", [new SessionModelTotal("m", new(n, 0, 0, 0, n))]))];
        await board.Board.BookUsageAsync("nobody", [], all);
        await board.Board.BookUsageAsync("nobody", [], [new SessionUsage("s1000", [new SessionModelTotal("m", new(1, 2, 0, 0, 1))])]);

        var kept = await board.Board.SessionTotalsAsync();
        kept.Count.ShouldBe(SessionTotals.MaxSessions);
        kept.Single(session => session.Session == "s1000").Models.ShouldHaveSingleItem().Total.ShouldBe(new(1000, 2, 0, 0, 1000));
    }

    [Test]
    public async Task Usage_over_a_resumed_session_is_booked_once_over_its_tasks()
    {
        static string Says(int tokens, string cost) =>
            """echo '{"type":"system","subtype":"init","session_id":"s1"}'; echo '{"type":"result","subtype":"success","is_error":false,"usage":{"input_tokens":5},"total_cost_usd":COST,"modelUsage":{"opus":{"inputTokens":TOKENS,"costUSD":COST}}}'"""
                .Replace("COST", cost, StringComparison.Ordinal).Replace("TOKENS", $"{tokens}", StringComparison.Ordinal);
        await using var fixture = new SupervisorFixture();
        Usage[] used = [await RunAsync(Says(100, "0.10"), resumes: false), await RunAsync(Says(130, "0.14"), resumes: true), await RunAsync(Says(200, "0.20"), resumes: true)];
        used.Select(usage => (usage.InputTokens, usage.CostMicrocents / Cent)).ShouldBe([(100, 10), (30, 4), (70, 6)]);
        fixture.Logger.Of(604).ShouldBeEmpty();

        async Task<Usage> RunAsync(string script, bool resumes)
        {
            var task = await fixture.Create(maxAttempts: 1);
            var request = SupervisorFixture.Request(script, task) with { Runtime = "claude" };
            await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(resumes ? request with { Arguments = [.. request.Arguments, "--resume", "s1"] } : request));
            return (await fixture.Get(task)).Usage;
        }
    }

    [Test]
    [Arguments("claude", "opus", """{}""", 1)]
    [Arguments("claude", "opus", """{"opus":{"input":1}}""", 0)]
    [Arguments("claude", null, """{}""", 1)]
    [Arguments("claude", null, """{"opus":{"input":1,"output":1}}""", 0)]
    [Arguments("claude", null, """{"haiku":{"input":1}}""", 1)]
    [Arguments("codex", "gpt", """{"openai/*":{"input":1}}""", 0)]
    [Arguments("codex", "gpt", """{}""", 1)]
    [Arguments("pi", "gpt", """{}""", 0)]
    public async Task A_budget_that_cannot_see_a_run_says_so_once(string kind, string? model, string prices, int warnings)
    {
        var budgets = new Budgets(100 * Cent, null, new EventHub(TimeProvider.System), TimeProvider.System);
        await using var fixture = new SupervisorFixture(budgets: budgets, prices: PriceTable.Parse(System.Text.Encoding.UTF8.GetBytes(prices)));
        for (var n = 0; n < 2; n++)
        {
            var task = await fixture.Create(maxAttempts: 1);
            await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(
                SupervisorFixture.Request($"echo '{ClaudeMessage}'", task) with { Runtime = kind, Model = model }));
        }
        fixture.Logger.Of(608).Count.ShouldBe(warnings);
        if (warnings > 0)
            fixture.Logger.Of(608)[0].ShouldContain("COLIBRI_PRICES_FILE");
    }

    private static async Task EndAsync(SupervisorFixture fixture, Core.Agents.SupervisedAgent agent, BoardTask task, End how)
    {
        switch (how)
        {
            case End.Cancelled:
                await fixture.Board.CancelAsync(task.Id);
                fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
                break;
            case End.Stopped:
                fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
                break;
            case End.Killed:
                await Shell.Run(Shell.Options($"kill -9 {agent.ToPane().Pid}"));
                break;
            case End.DaemonStopped:
                await fixture.Supervisor.StopAllAsync(TimeSpan.Zero);
                break;
        }
        await SupervisorFixture.End(agent);
    }

    // Reads prompts where it is given any, and works until it is ended; the first of two tasks it finishes.
    private static string Script(string told) => $$"""
        say() { printf '%s\n' "$@"; }
        case $0 in told*) say '{{told}}'; exec sleep 300 ;; esac
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            say '{"id":"'"$id"'","type":"response","command":"any","success":true}'
            case $line in
                *'"type":"prompt"'*first*) say '{{told}}' '{"type":"agent_end","messages":[]}' '{"type":"agent_settled"}' ;;
                *'"type":"prompt"'*) say '{{told}}'; exec sleep 300 ;;
            esac
        done
        """;
}
