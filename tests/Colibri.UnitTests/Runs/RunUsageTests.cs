using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Runs;

/// <summary>Recordings of every kind, cut, repeated and out of order: the day and the ledger never fall, and the task gets what the pane shows.</summary>
public sealed class RunUsageTests
{
    private static readonly PriceTable Prices = PriceTable.Parse("""{"claude-opus-5-5":{"input":1,"output":1,"cache_read":1}}"""u8.ToArray());

    [Test]
    [Arguments("claude", "claude-2.1-stream-json-background")]
    [Arguments("claude", "claude-2.1-duplex-allow")]
    [Arguments("claude", "claude-2.1-stream-json-partial")]
    [Arguments("codex", "codex-0.171-exec-json-tool")]
    [Arguments("opencode", "opencode-1.18-run-json")]
    [Arguments("pi", "pi-1.5.2-json-two")]
    public async Task Day_and_ledger_never_fall_and_agree_with_the_pane_at_the_end(string kind, string recording)
    {
        for (var seed = 0; seed < 6; seed++)
        {
            var random = new Random(seed);
            await using var board = new BoardFixture();
            var task = await board.Create();
            var record = BoardFixture.Record("a");
            var claim = (await board.Board.BeginSpawnAsync(record, task.Id)).Claim;
            var budgets = new Budgets(null, null, new EventHub(TimeProvider.System), TimeProvider.System);
            var pricing = new UsagePricing(seed % 2 == 0 ? Prices : PriceTable.Empty, "p") { Sessions = new SessionTotals(), Runtime = kind };
            var pane = new AgentPane(new PaneIdentity("a", kind, kind), AgentProfiles.For(kind, null).Dialect, TimeProvider.System, pricing);
            var usage = new RunUsage(board.Board, budgets, pricing, "a", new CollectingLogger());
            usage.Begin(claim);
            var lines = Recordings.Lines(recording);
            if (seed > 1) lines = [.. lines.SelectMany(line => Enumerable.Repeat(line, random.Next(0, 3)))];
            if (seed > 3) random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(lines));

            var (day, ledger) = (budgets.State, new Usage());
            foreach (var line in lines)
            {
                Take(usage, pane.Feed(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line) + "\n")));
                var (state, booked) = (budgets.State, await board.Board.UsageOfDayAsync(budgets.Today));
                (state.SpentMicrocents >= day.SpentMicrocents && state.UnpricedTokens >= day.UnpricedTokens).ShouldBeTrue();
                NoneIsLower(booked, ledger).ShouldBeTrue($"{booked} after {ledger}");
                (day, ledger) = (state, booked);
            }
            Take(usage, pane.Complete());

            var (rows, sessions) = usage.Close();
            var ended = await board.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done, Usage = rows, Sessions = sessions });
            ended!.Usage.ShouldBe(pane.Usage);
            (await board.Board.UsageOfDayAsync(budgets.Today)).ShouldBe(pane.Usage);
            (budgets.State.SpentMicrocents, budgets.State.UnpricedTokens).ShouldBe((pane.Usage.CostMicrocents, pane.Usage.UnpricedTokens));
        }
    }

    private static void Take(RunUsage usage, PaneNews news)
    {
        foreach (var added in news.Usage) usage.Add(added);
        if (news.Session is { } session) usage.Note(session);
        usage.Book();
    }

    private static bool NoneIsLower(Usage now, Usage before) =>
        now.InputTokens >= before.InputTokens && now.OutputTokens >= before.OutputTokens && now.CacheReadTokens >= before.CacheReadTokens
        && now.CacheWriteTokens >= before.CacheWriteTokens && now.CostMicrocents >= before.CostMicrocents && now.UnpricedTokens >= before.UnpricedTokens;
}
