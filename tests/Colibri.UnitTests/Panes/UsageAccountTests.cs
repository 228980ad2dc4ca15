using System.Globalization;
using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Cost;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;

namespace Colibri.UnitTests.Panes;

/// <summary>Usage that is told as an agent works and again as totals: it counts at once, and once.</summary>
public sealed class UsageAccountTests
{
    private const string Init = """{"type":"system","subtype":"init","session_id":"s1","model":"opus"}""";

    private static readonly PriceTable Prices = PriceTable.Parse("""{"opus":{"input":10,"output":100,"cache_read":1,"cache_write":10},"haiku":{"input":1,"output":10}}"""u8.ToArray());

    private static string Message(string id, int input, int output = 1, int cached = 0, string model = "opus", string parent = "null") =>
        """{"type":"assistant","parent_tool_use_id":PARENT,"message":{"id":"ID","model":"MODEL","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":IN,"output_tokens":OUT,"cache_read_input_tokens":CACHED}}}"""
            .Replace("PARENT", parent, StringComparison.Ordinal).Replace("ID", id, StringComparison.Ordinal).Replace("MODEL", model, StringComparison.Ordinal)
            .Replace("IN", $"{input}", StringComparison.Ordinal).Replace("OUT", $"{output}", StringComparison.Ordinal).Replace("CACHED", $"{cached}", StringComparison.Ordinal);

    private static string Model(string name, int input, int output, double? cost) =>
        $"\"{name}\":{{\"inputTokens\":{input},\"outputTokens\":{output},\"cacheReadInputTokens\":0{Cost("costUSD", cost)}}}";

    private static string Result(int input, int output, double? cost, params string[] models) =>
        $"{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"usage\":{{\"input_tokens\":{input},\"output_tokens\":{output}}}{Cost("total_cost_usd", cost)}"
        + (models.Length == 0 ? "}" : $",\"modelUsage\":{{{string.Join(',', models)}}}}}");

    private static string Cost(string name, double? usd) => usd is { } cost ? string.Create(CultureInfo.InvariantCulture, $",\"{name}\":{cost}") : "";

    private static Account New(SessionTotals? sessions = null, bool resumes = false, PriceTable? prices = null, string kind = "claude") => new(sessions, resumes, prices, kind);

    [Test]
    public void A_messages_usage_counts_once_however_many_lines_it_comes_in()
    {
        var account = New();
        account.Say(Init, Message("m1", 100), Message("m1", 100), Message("m2", 50), Message("m1", 100), Message("m1", 100, output: 7));
        account.Shown.ShouldBe("150/8/0/0/0");
        account.Requests.ShouldBe(2);
    }

    [Test]
    public void Live_usage_is_corrected_by_the_results_totals()
    {
        var account = New();
        account.Say(Init, Message("m1", 100), Message("m2", 50));
        account.Say(Result(150, 80, 0.5, Model("opus", 150, 80, 0.5)));
        (account.Shown, account.Unpriced, account.ByModel).ShouldBe(("150/80/0/0/50000000", 0, "opus 150/80/50000000"));
        account.Complete();
        account.Unpriced.ShouldBe(0);
    }

    [Test]
    public void What_ends_before_its_result_is_unknown_and_not_nothing()
    {
        var account = New();
        account.Say(Init, Message("m1", 1000, 5000, 200_000));
        (account.Shown, account.Unpriced).ShouldBe(("1000/5000/200000/0/0", 0));
        account.Complete();
        account.Unpriced.ShouldBe(206_000);
    }

    [Test]
    public void With_prices_live_usage_has_its_cost_at_once_and_a_lower_total_takes_nothing_back()
    {
        var account = New(prices: Prices);
        account.Say(Init, Message("m1", 1000, 10));
        account.Shown.ShouldBe("1000/10/0/0/1100000");
        account.Say(Result(1000, 10, 0.005, Model("opus", 1000, 10, 0.005)));
        account.Shown.ShouldBe("1000/10/0/0/1100000");
        account.Say(Message("m2", 1000, 10));
        account.Shown.ShouldBe("2000/20/0/0/1600000");
        account.Say(Result(1000, 10, 0.03, Model("opus", 2000, 20, 0.03)));
        account.Shown.ShouldBe("2000/20/0/0/3000000");
        account.Unpriced.ShouldBe(0);
    }

    [Test]
    [Arguments("opus-20261101", "1000/10/0/0/1100000")]
    [Arguments("haiku-20261101", "1000/10/0/0/0")]
    public void A_model_requested_by_its_short_name_has_the_price_of_that_name(string reported, string shown)
    {
        var account = new Account(null, resumes: false, Prices, "claude", requested: "opus");
        account.Say(Init, Message("m1", 1000, 10, model: reported));
        account.Shown.ShouldBe(shown);
    }

    [Test]
    public void Models_of_subagents_count_each_in_its_own_name()
    {
        var account = New();
        account.Say(Init, Message("m1", 10), Message("s1", 400, model: "haiku", parent: "\"t\""));
        account.Say(Result(10, 5, 0.2, Model("opus", 10, 5, 0.05), Model("haiku", 9000, 700, 0.15)));
        (account.Shown, account.ByModel).ShouldBe(("9010/705/0/0/20000000", "opus 10/5/5000000, haiku 9000/700/15000000"));
    }

    [Test]
    public void A_live_name_that_the_totals_do_not_have_counts_nothing_twice()
    {
        var account = New();
        account.Say(Init, Message("m1", 100, model: "opus-20261101"), Message("m2", 40, model: "opus-20261101"));
        account.Say(Result(140, 9, 0.2, Model("opus[1m]", 140, 9, 0.2)));
        account.Shown.ShouldBe("140/9/0/0/20000000");
    }

    [Test]
    public void Two_results_of_one_process_add_up_and_a_repeated_one_adds_nothing()
    {
        var account = New();
        account.Say(Init, Message("m1", 100), Result(100, 10, 0.1, Model("opus", 100, 10, 0.1)));
        account.Say(Message("m2", 50), Result(50, 5, 0.15, Model("opus", 150, 15, 0.15)), Result(50, 5, 0.15, Model("opus", 150, 15, 0.15)));
        account.Shown.ShouldBe("150/15/0/0/15000000");
    }

    [Test]
    public void Without_a_list_of_models_the_results_own_usage_adds_up_and_the_cost_is_a_total()
    {
        var account = New();
        account.Say(Init, Message("m1", 100), Result(100, 10, 0.1), Message("m2", 50), Result(50, 5, 0.15));
        account.Shown.ShouldBe("150/15/0/0/15000000");
    }

    [Test]
    public void Tokens_whose_cost_the_result_does_not_tell_have_no_price()
    {
        var account = New();
        account.Say(Init, Message("m1", 100, 4), Result(100, 10, null, Model("opus", 100, 10, null)));
        account.Complete();
        (account.Shown, account.Unpriced).ShouldBe(("100/10/0/0/0", 110));
    }

    [Test]
    public void Streamed_deltas_raise_a_messages_usage()
    {
        var account = New();
        foreach (var line in Recordings.Lines("claude-2.1-stream-json-partial").Where(line => !Encoding.UTF8.GetString(line).Contains("\"type\":\"result\"", StringComparison.Ordinal)))
            account.Say(Encoding.UTF8.GetString(line));
        account.Shown.ShouldBe("148/12/1152/0/0");
    }

    [Test]
    [Arguments("claude-2.1-stream-json-background", "472/64/3328/0/383360")]
    [Arguments("claude-2.1-duplex-allow", "472/64/3328/0/383360")]
    public void A_recording_cut_anywhere_has_used_no_more_than_the_whole(string recording, string whole)
    {
        var lines = Recordings.Lines(recording).ConvertAll(Encoding.UTF8.GetString);
        for (var kept = 0; kept <= lines.Count; kept++)
        {
            var account = New();
            account.Say([.. lines[..kept]]);
            account.Shown.Split('/').Zip(whole.Split('/')).ShouldAllBe(part => long.Parse(part.First, CultureInfo.InvariantCulture) <= long.Parse(part.Second, CultureInfo.InvariantCulture));
            if (kept == lines.Count) account.Shown.ShouldBe(whole);
        }
    }

    [Test]
    public void A_resumed_session_books_what_is_above_what_was_booked_of_it()
    {
        var sessions = new SessionTotals();
        var first = New(sessions);
        first.Say(Init, Message("m1", 100), Result(100, 10, 0.1, Model("opus", 100, 10, 0.1)));
        var second = New(sessions, resumes: true);
        second.Say(Init, Message("m2", 50), Result(50, 5, 0.15, Model("opus", 150, 15, 0.15)));
        second.Shown.ShouldBe("50/5/0/0/5000000");
        var third = New(sessions, resumes: true);
        third.Say(Init, Message("m3", 7), Result(7, 1, 0.16, Model("opus", 157, 16, 0.16)));
        third.Shown.ShouldBe("7/1/0/0/1000000");
    }

    [Test]
    public void What_a_process_adds_by_its_own_word_needs_no_memory()
    {
        foreach (var sessions in (SessionTotals?[])[null, new SessionTotals()])
        {
            var account = New(sessions);
            foreach (var line in Recordings.Lines("claude-2.1-stream-json-resumed-again")) account.Say(Encoding.UTF8.GetString(line));
            account.Shown.ShouldBe("148/12/1152/0/96960");
        }
    }

    [Test]
    public void A_threads_total_is_booked_once_over_the_processes_that_go_on_with_it()
    {
        const string Thread = """{"type":"thread.started","thread_id":"t"}""";
        var sessions = new SessionTotals();
        var first = New(sessions, kind: "codex");
        first.Say(Thread, """{"type":"turn.completed","usage":{"input_tokens":2500,"cached_input_tokens":2176,"output_tokens":52}}""");
        var second = New(sessions, resumes: true, kind: "codex");
        second.Say(Thread, """{"type":"turn.completed","usage":{"input_tokens":3800,"cached_input_tokens":3328,"output_tokens":64}}""");
        (first.Shown, second.Shown, second.Unpriced).ShouldBe(("324/52/2176/0/0", "148/12/1152/0/0", 1312));
    }

    [Test]
    public void An_agent_that_resumes_nothing_books_all_that_it_reports_whatever_its_session_is_called()
    {
        var sessions = new SessionTotals();
        New(sessions).Say(Init, Result(10, 5, 0.5, Model("opus", 10, 5, 0.5)));
        var second = New(sessions);
        second.Say(Init, Result(10, 5, 0.5, Model("opus", 10, 5, 0.5)));
        second.Shown.ShouldBe("10/5/0/0/50000000");
    }

    [Test]
    public void A_session_that_tells_less_than_was_booked_of_it_began_anew()
    {
        var sessions = new SessionTotals();
        New(sessions).Say(Init, Result(100, 50, 0.5, Model("opus", 100, 50, 0.5)));
        var second = New(sessions, resumes: true);
        second.Say(Init, Result(10, 5, 0.05, Model("opus", 10, 5, 0.05)));
        second.Shown.ShouldBe("10/5/0/0/5000000");
    }

    [Test]
    public void Whatever_is_told_and_in_whichever_order_no_total_falls_and_nothing_exceeds_the_final_one()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var (sessions, session) = (new SessionTotals(), default(UsageReport));
            var booked = default(UsageReport);
            string[] names = ["opus", "haiku", "sonnet"];
            var totals = new UsageReport[names.Length];
            for (var process = 0; process < random.Next(1, 4); process++)
            {
                var account = New(sessions, resumes: process > 0, seed % 2 == 0 ? PriceTable.Empty : null);
                account.Say(Init);
                for (var result = random.Next(1, 4); result > 0; result--)
                {
                    var since = new UsageReport[names.Length];
                    for (var n = random.Next(0, 6); n > 0; n--)
                    {
                        var (model, input, output) = (random.Next(names.Length), random.Next(1000), random.Next(1, 100));
                        since[model] += new UsageReport(input, output, 0, 0, input * 10);
                        // Background work of a subagent is told in no message; others are told in several lines, out of order.
                        if (random.Next(3) == 0) continue;
                        var id = $"m{seed}.{process}.{result}.{n}";
                        for (var lines = random.Next(1, 4); lines > 0; lines--)
                            account.Say(Message(id, input, output: lines == 1 ? random.Next(1, output + 1) : 1, model: names[model]));
                    }

                    for (var i = 0; i < names.Length; i++) totals[i] += since[i];
                    session = totals.Aggregate(default(UsageReport), (sum, total) => sum + total);
                    account.IsAtMost(session - booked).ShouldBeTrue($"seed {seed}: {account.Shown} of {(session - booked).ToWire().Show()}");
                    var line = Result(
                        (int)since[0].Input, (int)since[0].Output, session.Microcents / 1e8,
                        [.. names.Select((name, i) => Model(name, (int)totals[i].Input, (int)totals[i].Output, totals[i].Microcents / 1e8))]);
                    for (var times = random.Next(4) == 0 ? 2 : 1; times > 0; times--) account.Say(line);
                    account.Shown.ShouldBe((session - booked).ToWire().Show(), $"seed {seed}");
                }

                account.Complete();
                account.Unpriced.ShouldBe(0);
                booked += account.Sum;
            }

            booked.ToWire().Show().ShouldBe(session.ToWire().Show(), $"seed {seed}: over all processes");
        }
    }

    [Test]
    public void A_forgotten_session_is_the_one_told_of_first()
    {
        var sessions = new SessionTotals();
        for (var n = 0; n <= SessionTotals.MaxSessions; n++) sessions.Set(new SessionUsage($"s{n}", [new SessionModelTotal("m", new UsageReport(n, 0, 0, 0, 0))]));
        (sessions.Of("s0").Count, sessions.Of("s1").Count, sessions.Of($"s{SessionTotals.MaxSessions}").Count).ShouldBe((0, 1, 1));
    }

    /// <summary>A pane, what its news add up to, and what they note of sessions; no number may fall.</summary>
    private sealed class Account
    {
        private readonly AgentPane _pane;
        private readonly SessionTotals? _sessions;
        private readonly List<(string Model, UsageReport Sum)> _models = [];
        private long _awaited;

        public Account(SessionTotals? sessions, bool resumes, PriceTable? prices, string kind, string? requested = null)
        {
            _sessions = sessions;
            var pricing = new UsagePricing(prices ?? PriceTable.Empty, "anthropic", requested) { Sessions = sessions, Resumes = resumes, Runtime = kind };
            _pane = new AgentPane(new PaneIdentity("a", kind, kind), AgentProfiles.For(kind, null).Dialect, new StoppedClock(), pricing);
        }

        public UsageReport Sum { get; private set; }

        public long Requests { get; private set; }

        public string Shown => Sum.ToWire().Show();

        public long Unpriced => Sum.Unpriced;

        public string ByModel => string.Join(", ", _models.Select(model => $"{model.Model} {model.Sum.Input}/{model.Sum.Output}/{model.Sum.Microcents}"));

        public bool IsAtMost(UsageReport total) => Sum.Above(total) with { Unpriced = 0 } == default;

        public void Say(params string[] lines)
        {
            foreach (var line in lines) Take(_pane.Feed(Encoding.UTF8.GetBytes(line + "\n")), line);
        }

        public void Complete() => Take(_pane.Complete(), "the end");

        private void Take(PaneNews news, string what)
        {
            foreach (var usage in news.Usage)
            {
                usage.Added.Above(default).ShouldBe(usage.Added, what);
                if (usage.Before == AwaitedCosts.Lost) Sum += new UsageReport(0, 0, 0, 0, 0, _awaited);
                if (usage.Before != AwaitedCosts.StillAwaited) _awaited = 0;
                _awaited += usage.Awaited;
                Sum += usage.Added;
                Requests += usage.Requests;
                if (usage.Added == default) continue;
                var index = _models.FindIndex(model => model.Model == usage.Model);
                if (index < 0) _models.Add((usage.Model ?? "", usage.Added));
                else _models[index] = (_models[index].Model, _models[index].Sum + usage.Added);
            }

            if (news.Session is { } session) _sessions?.Set(session);
            Sum.ToWire().ShouldBe(_pane.Usage, what);
        }
    }
}
