using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions.Generations;

public sealed class EnforcementTests
{
    [Test]
    [Arguments(1)]
    [Arguments(2)]
    [Arguments(3)]
    [Arguments(4)]
    public async Task Whatever_is_appended_in_whatever_mode_the_limits_hold_at_every_answer(int seed)
    {
        var random = new Random(seed);
        using var session = new CompactionFixture((CostMode)random.Next(3));
        var appended = 0;
        for (var i = 0; i < 400; i++)
        {
            if (random.Next(10) == 0)
                session.Cost.Set((CostMode)random.Next(3));
            var before = session.Cost.State.Mode;
            var size = random.Next(12) switch { 0 => random.Next(600_000), 1 or 2 => random.Next(60_000), _ => random.Next(2_000) };
            if (random.Next(80) == 0)
                size = random.Next(4_000_000);
            var kind = random.Next(5) switch
            {
                0 => SessionEntryKind.User,
                1 => SessionEntryKind.Assistant,
                2 => SessionEntryKind.Note,
                _ => SessionEntryKind.ToolResult,
            };

            var receipt = await session.AppendAsync(kind, new string("ab\"é"[random.Next(4)], size));

            appended++;
            session.ShouldBeWithinLimits(receipt);
            (session.Cost.State.Mode != before).ShouldBe(receipt.Escalated is not null);
            if (receipt.Escalated is not null)
                session.All().ShouldContain(entry => entry.Kind == SessionEntryKind.Escalation);
        }
        var all = session.All();
        CompactionFixture.ShouldHaveNoGap(all);
        all.Count(entry => entry.Kind is not (SessionEntryKind.Compaction or SessionEntryKind.Escalation)).ShouldBe(appended);
    }

    [Test]
    [Arguments(CostMode.Fast)]
    [Arguments(CostMode.Smart)]
    [Arguments(CostMode.Max)]
    public async Task Appends_that_are_written_together_are_within_the_limits_together(CostMode mode)
    {
        using var session = new CompactionFixture(mode);

        var receipts = await Task.WhenAll(Enumerable.Range(0, 3_000)
            .Select(i => session.AppendAsync(i % 2 == 0 ? SessionEntryKind.User : SessionEntryKind.ToolResult, new string('x', 3_000))));

        session.Cost.State.Mode.ShouldBe(mode);
        foreach (var receipt in receipts)
            session.Cost.Limits.Allow(receipt.Bytes, receipt.Turns).ShouldBeTrue($"{receipt}");
        receipts.Select(receipt => receipt.Seq).Distinct().Count().ShouldBe(3_000);
        var all = session.All();
        CompactionFixture.ShouldHaveNoGap(all);
        all.Count(entry => entry.Kind is not SessionEntryKind.Compaction).ShouldBe(3_000);
    }

    [Test]
    public async Task A_tool_result_and_a_tool_call_are_shortened_to_what_the_mode_allows_and_other_words_are_not()
    {
        using var session = new CompactionFixture(CostMode.Fast);
        await session.AppendAsync(SessionEntryKind.ToolResult, new string('t', 50_000));
        await session.AppendAsync(SessionEntryKind.ToolCall, new string('c', 50_000));
        await session.AppendAsync(SessionEntryKind.Note, new string('n', 50_000));
        session.Cost.Set(CostMode.Smart);
        await session.AppendAsync(SessionEntryKind.ToolResult, new string('t', 50_000));
        session.Cost.Set(CostMode.Max);
        await session.AppendAsync(SessionEntryKind.ToolResult, new string('t', 50_000));

        session.Live().Select(entry => entry.Text!.Length).ShouldBe([4_000, 4_000, 50_000, 16_000, 50_000]);
    }

    [Test]
    public async Task The_very_next_append_obeys_a_lower_mode_and_a_higher_one()
    {
        using var session = new CompactionFixture(CostMode.Max);
        for (var i = 0; i < 60; i++)
            (await session.AppendAsync(SessionEntryKind.User, new string('x', 50_000))).Compacted.ShouldBeNull();

        session.Cost.Set(CostMode.Fast);
        var lowered = await session.AppendAsync(SessionEntryKind.User, "next");

        lowered.Compacted.ShouldNotBeNull();
        lowered.Bytes.ShouldBeLessThan(500_000);
        lowered.Turns.ShouldBeLessThanOrEqualTo(5);
        session.Cost.Set(CostMode.Max);
        for (var i = 0; i < 20; i++)
            (await session.AppendAsync(SessionEntryKind.User, "more")).Compacted.ShouldBeNull();
    }

    [Test]
    public async Task One_entry_beyond_the_budget_raises_the_mode_until_it_fits()
    {
        using var session = new CompactionFixture(CostMode.Fast);
        using var events = session.Events.Subscribe(Core.Events.EventTopic.Cost);

        var receipt = await session.AppendAsync(SessionEntryKind.User, new string('x', 3_000_000));

        receipt.Escalated.ShouldBe(new Escalation(CostMode.Fast, CostMode.Max));
        receipt.OverBudget.ShouldBeNull();
        var state = session.Cost.State;
        (state.Mode, state.EscalatedFrom, state.EscalatedBy).ShouldBe((CostMode.Max, CostMode.Fast, CompactionFixture.Id));
        state.EscalatedAt.ShouldNotBeNull();
        session.Live().Skip(1).Select(entry => entry.Text!).ShouldAllBe(text => text.StartsWith("cost mode escalated from ", StringComparison.Ordinal));
        session.Live().Count.ShouldBe(3);
        session.Cost.Set(CostMode.Fast).EscalatedFrom.ShouldBeNull();
    }

    [Test]
    public async Task An_entry_beyond_the_highest_budget_is_kept_and_the_session_marked()
    {
        using var session = new CompactionFixture(CostMode.Max);
        await session.AppendAsync(SessionEntryKind.User, "before");

        var receipt = await session.AppendAsync(SessionEntryKind.User, new string('x', 9_000_000));

        receipt.OverBudget.ShouldBe(true);
        receipt.Escalated.ShouldBeNull();
        session.Live()[1].Text!.Length.ShouldBe(9_000_000);
        session.Live()[^1].Text.ShouldStartWith("over budget in mode max");
        session.Store.List(10).ShouldHaveSingleItem().OverBudget.ShouldBeTrue();

        var next = await session.AppendAsync(SessionEntryKind.User, "after");

        next.OverBudget.ShouldBeNull();
        next.Compacted.ShouldNotBeNull();
        session.Store.List(10).ShouldHaveSingleItem().OverBudget.ShouldBeFalse();
        session.All().Count(entry => entry.Text?.Length == 9_000_000).ShouldBe(1);
    }

    [Test]
    public async Task Two_sessions_that_force_the_same_step_make_it_once()
    {
        using var session = new CompactionFixture(CostMode.Fast);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            () => session.Store.AppendAsync($"s{i}", new SessionEntry { Kind = SessionEntryKind.User, Text = new string('x', 1_000_000) }))));

        session.Cost.State.Mode.ShouldBe(CostMode.Smart);
        Enumerable.Range(0, 8).Sum(i => session.Store.Read($"s{i}", all: true)!.Entries.Count(entry => entry.Kind == SessionEntryKind.Escalation))
            .ShouldBe(1);
    }
}
