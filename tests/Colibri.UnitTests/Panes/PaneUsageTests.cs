using System.Globalization;
using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Cost;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;

namespace Colibri.UnitTests.Panes;

/// <summary>Whatever an agent reports and in whichever order: no total of its usage ever falls, and what its news add is what its pane shows.</summary>
public sealed class PaneUsageTests
{
    private const int Sequences = 100;
    private const int Reports = 40;

    private static readonly PriceTable Prices = PriceTable.Parse("""{"unknown/unknown":{"input":3,"output":15,"cache_read":0.3},"p/*":{"input":1,"output":1,"cache_read":1,"cache_write":1}}"""u8.ToArray());

    // Small ones, so that later totals are often below earlier ones; none at all; and what no agent means.
    private static readonly string[] Numbers = ["0", "1", "2", "7", "100", "-5", "1000000000000000", "9223372036854775807", "1e30", "null", "\"3\"", "2.5"];
    private static readonly string[] Models = ["m", "unknown", "<synthetic>"];
    private static readonly string[] Costs = ["0", "0.01", "0.1", "0.5", "0.0000001", "-0.5", "1e12", "null", "\"1\""];

    [Test]
    [Arguments("claude")]
    [Arguments("codex")]
    [Arguments("opencode")]
    [Arguments("pi")]
    [Arguments("zot")]
    public void No_total_falls_and_the_news_add_up_to_what_the_pane_shows(string kind)
    {
        var rose = 0;
        for (var seed = 0; seed < Sequences; seed++)
        {
            var random = new Random(seed);
            var pane = new AgentPane(new PaneIdentity("a", kind, kind), AgentProfiles.For(kind, null).Dialect, new StoppedClock(), new UsagePricing(seed % 2 == 0 ? Prices : PriceTable.Empty));
            var (sum, awaited) = (default(UsageReport), 0L);
            for (var i = 0; i < Reports; i++)
            {
                var before = pane.Usage;
                var line = Report(kind, random);
                foreach (var news in pane.Feed(Encoding.UTF8.GetBytes(line + "\n")).Usage)
                {
                    long[] parts = [news.Added.Input, news.Added.Output, news.Added.CacheRead, news.Added.CacheWrite, news.Added.Microcents, news.Added.Unpriced];
                    Array.TrueForAll(parts, part => part >= 0).ShouldBeTrue($"seed {seed}, report {i}: {line}");
                    sum += news.Added with { Unpriced = news.Added.Unpriced + (news.Before == AwaitedCosts.Lost ? awaited : 0) };
                    awaited = (news.Before == AwaitedCosts.StillAwaited ? awaited : 0) + news.Awaited;
                }
                var now = pane.Usage;
                long[] steps =
                [
                    now.InputTokens - before.InputTokens, now.OutputTokens - before.OutputTokens, now.CacheReadTokens - before.CacheReadTokens,
                    now.CacheWriteTokens - before.CacheWriteTokens, now.CostMicrocents - before.CostMicrocents, now.UnpricedTokens - before.UnpricedTokens,
                ];
                Array.TrueForAll(steps, step => step >= 0).ShouldBeTrue($"seed {seed}, report {i}: {line}");
                if (now != before) rose++;
            }
            sum.ToWire().ShouldBe(pane.Usage, $"seed {seed}");
        }
        rose.ShouldBeGreaterThan(Sequences, "reports add something");
    }

    private static string Report(string kind, Random random)
    {
        string N() => Numbers[random.Next(Numbers.Length)];
        string C() => Costs[random.Next(Costs.Length)];
        string Cost(string name) => random.Next(3) == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $",\"{name}\":{C()}");
        string Zot() => $"\"input\":{N()},\"output\":{N()},\"cache_read\":{N()},\"cache_write\":{N()}{Cost("cost_usd")}";
        return kind switch
        {
            "claude" => random.Next(3) switch
            {
                0 => $$$"""{"type":"result","subtype":"success","is_error":{{{(random.Next(4) == 0 ? "true" : "false")}}},"usage":{"input_tokens":{{{N()}}},"output_tokens":{{{N()}}},"cache_read_input_tokens":{{{N()}}},"cache_creation_input_tokens":{{{N()}}}}{{{Cost("total_cost_usd")}}}}""",
                1 => $$$$"""{"type":"assistant","message":{"id":"m{{{{random.Next(5)}}}}","model":"{{{{Models[random.Next(3)]}}}}","content":[],"usage":{"input_tokens":{{{{N()}}}},"output_tokens":{{{{N()}}}},"cache_read_input_tokens":{{{{N()}}}},"cache_creation_input_tokens":{{{{N()}}}}}}}""",
                _ => $$$$"""{"type":"result","subtype":"success","is_error":false,"result_index":{{{{random.Next(2)}}}},"usage":{"input_tokens":{{{{N()}}}}}{{{{Cost("total_cost_usd")}}}},"modelUsage":{"{{{{Models[random.Next(3)]}}}}":{"inputTokens":{{{{N()}}}},"outputTokens":{{{{N()}}}}{{{{Cost("costUSD")}}}}},"p":{"inputTokens":{{{{N()}}}}{{{{Cost("costUSD")}}}}}},"model_usage_since_last_result":{"p":{"inputTokens":{{{{N()}}}}}}}""",
            },
            "codex" => $$$"""{"type":"turn.completed","usage":{"input_tokens":{{{N()}}},"cached_input_tokens":{{{N()}}},"cache_write_input_tokens":{{{N()}}},"output_tokens":{{{N()}}}}}""",
            "opencode" => $$$"""{"type":"step_finish","part":{"reason":"stop","tokens":{"input":{{{N()}}},"output":{{{N()}}},"reasoning":{{{N()}}},"cache":{"read":{{{N()}}},"write":{{{N()}}}}}{{{Cost("cost")}}}}}""",
            "pi" => $$$"""{"type":"message_end","message":{"role":"assistant","content":[],"provider":"p","model":"m","usage":{"input":{{{N()}}},"output":{{{N()}}},"cacheRead":{{{N()}}},"cacheWrite":{{{N()}}},"cost":{{{(random.Next(3) == 0 ? "null" : $$"""{"total":{{C()}}}""")}}}},"stopReason":"stop"}}""",
            _ => random.Next(3) switch
            {
                0 => $$"""{"type":"usage",{{Zot()}}}""",
                1 => $$"""{"type":"usage",{{Zot()}},"cumulative":true}""",
                _ => $$$"""{"type":"usage",{{{Zot()}}},"cumulative":{{{{Zot()}}}}}""",
            },
        };
    }
}
