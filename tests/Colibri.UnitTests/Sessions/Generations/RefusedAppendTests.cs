using Colibri.Core.Events;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions.Generations;

/// <summary>
/// A refused append leaves nothing, whatever step of it failed: the caller tries again, and its entry must not stand twice.
/// </summary>
public sealed class RefusedAppendTests
{
    private static readonly SessionStep[] Switching =
        [SessionStep.OldSynced, SessionStep.TemporaryCreated, SessionStep.TemporaryWritten, SessionStep.TemporarySynced, SessionStep.Renamed];

    // What an append can bring about, and the steps at which it can then be refused.
    private static readonly Road[] Roads =
    [
        new("the first entry", CostMode.Fast, [], ["first"], [SessionStep.EntriesWritten]),
        new("another entry", CostMode.Fast, ["before"], ["next"], [SessionStep.EntriesWritten]),
        new("compaction", CostMode.Fast, Turns(5), ["sixth"], [SessionStep.EntriesWritten, .. Switching]),
        new("escalation", CostMode.Fast, Turns(2), [Long('e', 600_000)], [SessionStep.EntriesWritten, SessionStep.MarksWritten]),
        new("two escalations", CostMode.Fast, Turns(2), [Long('m', 3_000_000)], [SessionStep.EntriesWritten, SessionStep.MarksWritten]),
        new("over budget", CostMode.Max, Turns(2), [Long('o', 9_000_000)], [SessionStep.EntriesWritten, SessionStep.MarksWritten]),
        new("escalation, then compaction", CostMode.Fast, [Long('f', 450_000)], [Long('g', 1_700_000)],
            [SessionStep.EntriesWritten, .. Switching, SessionStep.MarksWritten]),
        new("compaction, then escalation since the mode was lowered meanwhile", CostMode.Smart, [Long('h', 950_000), Long('i', 950_000)],
            [Long('j', 600_000)], [SessionStep.EntriesWritten, .. Switching, SessionStep.MarksWritten], LoweredAt: SessionStep.OldSealed),
    ];

    [Test]
    [MethodDataSource(nameof(Cases))]
    public async Task A_refused_append_is_not_there_and_the_next_try_is_there_once(string what, string failing, int together)
    {
        var refusedAt = Enum.Parse<SessionStep>(failing);
        var road = Roads.Single(road => road.What == what);
        var (armed, reached) = (false, false);
        var beforeBatch = new BatchGate();
        CompactionFixture? fixture = null;
        using var session = fixture = new CompactionFixture(road.Mode, (_, step) =>
        {
            if (beforeBatch.Holds())
                return;
            if (step == road.LoweredAt && armed)
                fixture!.Cost.Set(CostMode.Fast);
            if (step != refusedAt || !armed)
                return;
            reached = true;
            throw new IOException("No space left on device");
        });
        foreach (var text in road.Before)
            await session.AppendAsync(SessionEntryKind.User, text);
        List<string> entries = [.. Enumerable.Range(1, together - 1).Select(i => $"beside {i}"), .. road.Appended];
        using var costs = session.Events.Subscribe(EventTopic.Cost);
        // What is appended while the writer is held is written in one go.
        Task opening = together == 1 ? Task.CompletedTask : beforeBatch.HoldAsync(() => session.AppendAsync(SessionEntryKind.Note, "opening"));
        await beforeBatch.IsHeld;
        var before = Snapshot.Of(session);
        armed = true;

        var appends = entries.ConvertAll(text => session.AppendAsync(SessionEntryKind.User, text));
        beforeBatch.Open();
        await opening;
        foreach (var append in appends)
            await Should.ThrowAsync<SessionUnavailableException>(append);

        reached.ShouldBeTrue();
        armed = false;
        Snapshot.Of(session).ShouldBe(before);
        if (road.LoweredAt is null)
        {
            session.Cost.State.Mode.ShouldBe(road.Mode);
            costs.TryRead(out _).ShouldBeFalse();
        }

        foreach (var text in entries)
            await session.AppendAsync(SessionEntryKind.User, text);

        var all = session.All();
        CompactionFixture.ShouldHaveNoGap(all);
        all.Where(entry => entry.Kind is SessionEntryKind.User).Select(entry => entry.Text).ShouldBe(road.Before.Concat(entries));
    }

    [Test]
    [MethodDataSource(nameof(Switches))]
    public async Task A_refused_compaction_leaves_the_session_as_it_was(string failing)
    {
        var refusedAt = Enum.Parse<SessionStep>(failing);
        var armed = true;
        using var session = new CompactionFixture(CostMode.Smart, (_, step) =>
        {
            if (step == refusedAt && armed)
                throw new IOException("No space left on device");
        });
        foreach (var text in Turns(6))
            await session.AppendAsync(SessionEntryKind.User, text);
        var before = Snapshot.Of(session);

        await Should.ThrowAsync<SessionUnavailableException>(session.Store.CompactAsync(CompactionFixture.Id));

        Snapshot.Of(session).ShouldBe(before);
        armed = false;
        (await session.AppendAsync(SessionEntryKind.User, "next")).Generation.ShouldBe(1);
        (await session.Store.CompactAsync(CompactionFixture.Id)).ShouldNotBeNull().Generation.ShouldBe(2);
        CompactionFixture.ShouldHaveNoGap(session.All());
    }

    [Test]
    [Arguments(nameof(SessionStep.EntriesWritten))]
    [Arguments(nameof(SessionStep.MarksWritten))]
    [Arguments(nameof(SessionStep.Renamed))]
    public async Task What_cannot_be_taken_back_at_once_is_taken_back_before_the_next_append(string failing)
    {
        var refusedAt = Enum.Parse<SessionStep>(failing);
        var (refusals, armed) = (0, false);
        using var session = new CompactionFixture(CostMode.Fast, (_, step) =>
        {
            if (armed && (step == refusedAt || (step == SessionStep.Refused && ++refusals > 0)))
                throw new IOException("Input/output error");
        }, remembered: 0);
        foreach (var text in Turns(5))
            await session.AppendAsync(SessionEntryKind.User, text);
        armed = true;

        await Should.ThrowAsync<SessionUnavailableException>(session.AppendAsync(SessionEntryKind.User, Entry(refusedAt)));
        await Should.ThrowAsync<SessionUnavailableException>(session.AppendAsync(SessionEntryKind.User, Entry(refusedAt)));

        refusals.ShouldBe(2);
        armed = false;
        // Sessions beyond the limit are forgotten; this one must not be.
        for (var i = 0; i < 4; i++)
            await session.Store.AppendAsync($"other-{i}", new SessionEntry { Kind = SessionEntryKind.Note, Text = "note" });
        await session.AppendAsync(SessionEntryKind.User, Entry(refusedAt));

        var all = session.All();
        CompactionFixture.ShouldHaveNoGap(all);
        all.Where(entry => entry.Kind is SessionEntryKind.User).Select(entry => entry.Text).ShouldBe([.. Turns(5), Entry(refusedAt)]);
    }

    public static IEnumerable<(string, string, int)> Cases() =>
        from road in Roads
        from step in road.Steps
        from together in (int[])[1, 3]
        select (road.What, step.ToString(), together);

    public static IEnumerable<string> Switches() => Switching.Select(step => step.ToString());

    private static string Entry(SessionStep refusedAt) => refusedAt == SessionStep.MarksWritten ? Long('e', 600_000) : "sixth";

    private static string[] Turns(int count) => [.. Enumerable.Range(1, count).Select(i => $"turn {i}")];

    private static string Long(char letter, int length) => new(letter, length);

    /// <param name="What">What the append brings about.</param>
    /// <param name="Mode">The cost mode before it.</param>
    /// <param name="Before">What the session holds.</param>
    /// <param name="Appended">What is appended.</param>
    /// <param name="Steps">Where it can be refused.</param>
    /// <param name="LoweredAt">At which step an operator sets the lowest mode.</param>
    private sealed record Road(
        string What, CostMode Mode, IReadOnlyList<string> Before, IReadOnlyList<string> Appended, IReadOnlyList<SessionStep> Steps, SessionStep? LoweredAt = null);

    /// <summary>All that the disk holds of a session.</summary>
    private sealed record Snapshot(string Files, string Live, UnixFileMode Mode)
    {
        public static Snapshot Of(CompactionFixture session)
        {
            var directory = Path.Combine(session.Root, CompactionFixture.Id);
            if (!session.Store.Exists(CompactionFixture.Id))
                return new Snapshot("", "", default);
            var files = Directory.GetFiles(directory).Order(StringComparer.Ordinal).ToList();
            return new Snapshot(string.Join(' ', files.Select(Path.GetFileName)), File.ReadAllText(files[^1]), File.GetUnixFileMode(files[^1]));
        }
    }

    /// <summary>Holds a session's writer within its first write until it is opened.</summary>
    private sealed class BatchGate
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _opened = new();
        private bool _holds;

        public Task IsHeld => _holds ? _reached.Task.WaitAsync(TimeSpan.FromSeconds(30)) : Task.CompletedTask;

        public Task HoldAsync(Func<Task> write)
        {
            _holds = true;
            return Task.Run(write);
        }

        public void Open() => _opened.TrySetResult();

        /// <summary>Waits until it is opened; true for the write that was held.</summary>
        public bool Holds()
        {
            if (!_holds || !_reached.TrySetResult())
                return false;
            _opened.Task.Wait(TimeSpan.FromSeconds(30)).ShouldBeTrue();
            return true;
        }
    }
}
