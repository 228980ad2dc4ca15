using Colibri.Core.Cost;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Generations;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions.Generations;

public sealed class SessionCompactionTests
{
    [Test]
    public async Task The_oldest_turns_become_one_entry_and_the_newest_stay_byte_for_byte()
    {
        using var session = new CompactionFixture(CostMode.Fast);
        for (var i = 1; i <= 5; i++)
            (await session.AppendAsync(SessionEntryKind.User, $"turn {i}")).Compacted.ShouldBeNull();
        var before = await File.ReadAllLinesAsync(session.FileOf(1), TestContext.Current!.Execution.CancellationToken);

        var receipt = await session.AppendAsync(SessionEntryKind.User, "turn 6");

        receipt.Compacted.ShouldNotBeNull();
        (receipt.Seq, receipt.Generation, receipt.Turns).ShouldBe((6, 2, 2));
        (receipt.Compacted.Seq, receipt.Compacted.Entries, receipt.Compacted.Turns).ShouldBe((7, 4, 4));
        var live = await File.ReadAllLinesAsync(session.FileOf(2), TestContext.Current!.Execution.CancellationToken);
        live.Length.ShouldBe(3);
        live[1].ShouldBe(before[4]);
        session.Live().Select(entry => entry.Seq).ShouldBe([7, 5, 6]);
        session.Live()[0].Text.ShouldBe("Summary of entries 1 to 4; in full in generation 1 and before.\nuser: turn 1\nuser: turn 2\nuser: turn 3\nuser: turn 4");
        session.All().Select(entry => entry.Seq).ShouldBe([1, 2, 3, 4, 5, 6, 7]);
        File.GetUnixFileMode(session.FileOf(1)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.GroupRead);
    }

    [Test]
    public async Task The_same_appends_make_the_same_words()
    {
        var texts = new List<string?>();
        for (var round = 0; round < 2; round++)
        {
            using var session = new CompactionFixture(CostMode.Fast);
            for (var i = 0; i < 40; i++)
                await session.AppendAsync(i % 3 == 0 ? SessionEntryKind.ToolResult : SessionEntryKind.User, $"{i} words in file{i}.txt");
            texts.Add(string.Join('\n', session.All().Select(entry => $"{entry.Seq} {entry.Kind} {entry.Text}")));
        }
        texts[1].ShouldBe(texts[0]);
    }

    [Test]
    public async Task Asked_for_it_keeps_the_last_two_turns_and_says_what_it_did()
    {
        using var session = new CompactionFixture();
        for (var i = 1; i <= 6; i++)
            await session.AppendAsync(SessionEntryKind.User, $"turn {i}");

        var compaction = (await session.Store.CompactAsync(CompactionFixture.Id)).ShouldNotBeNull();

        (compaction.Generation, compaction.Seq, compaction.Entries, compaction.Turns).ShouldBe((2, 7, 4, 4));
        compaction.BytesBefore.ShouldBe(new FileInfo(session.FileOf(1)).Length);
        compaction.BytesAfter.ShouldBe(new FileInfo(session.FileOf(2)).Length);
        (await session.AppendAsync(SessionEntryKind.User, "turn 7")).Seq.ShouldBe(8);
        session.Live().Select(entry => entry.Seq).ShouldBe([7, 5, 6, 8]);
    }

    [Test]
    public async Task Where_nothing_is_left_to_summarise_the_session_stays_as_it_is()
    {
        using var session = new CompactionFixture();
        await session.AppendAsync(SessionEntryKind.User, "one");

        var compaction = (await session.Store.CompactAsync(CompactionFixture.Id)).ShouldNotBeNull();

        (compaction.Generation, compaction.Seq, compaction.Entries).ShouldBe((1, null, 0));
        (await session.Store.CompactAsync("nobody")).ShouldBeNull();
        Directory.Exists(Path.Combine(session.Root, "nobody")).ShouldBeFalse();
    }

    [Test]
    public async Task Asked_again_and_again_it_comes_to_an_end_with_nothing_lost()
    {
        using var session = new CompactionFixture();
        for (var i = 1; i <= 7; i++)
            await session.AppendAsync(SessionEntryKind.Note, $"note {i}");

        var rounds = 0;
        while ((await session.Store.CompactAsync(CompactionFixture.Id))!.Entries > 0)
            (++rounds).ShouldBeLessThan(20);

        CompactionFixture.ShouldHaveNoGap(session.All());
        session.All().Count(entry => entry.Kind is SessionEntryKind.Note).ShouldBe(7);
    }

    [Test]
    public async Task At_whatever_step_a_kill_comes_the_session_opens_and_nothing_answered_is_missing()
    {
        var answered = new List<string>();
        var copies = new List<(string Root, SessionStep Step, int Answered)>();
        CompactionFixture? fixture = null;
        using var session = fixture = new CompactionFixture(CostMode.Fast, (directory, step) =>
        {
            // What a kill at this instant would leave.
            var root = fixture!.NewFolder($"copy-{copies.Count}");
            var copy = Directory.CreateDirectory(Path.Combine(root, CompactionFixture.Id)).FullName;
            foreach (var file in Directory.EnumerateFiles(directory))
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            copies.Add((root, step, answered.Count));
        });
        for (var i = 0; i < 30; i++)
        {
            await session.AppendAsync(SessionEntryKind.User, $"turn {i}");
            answered.Add($"turn {i}");
        }

        copies.Select(copy => copy.Step).Distinct().ShouldBe(Enum.GetValues<SessionStep>().Where(step => step <= SessionStep.OldSealed));
        foreach (var (root, step, count) in copies)
        {
            var cost = new CostControl(CostMode.Fast, session.Events);
            var after = await CompactionFixture.Open(root, cost).AppendAsync(CompactionFixture.Id, new SessionEntry { Kind = SessionEntryKind.User, Text = "after" });

            cost.Limits.Allow(after.Bytes, after.Turns).ShouldBeTrue($"{after} after a kill at {step}");
            var all = CompactionFixture.Open(root, cost).Read(CompactionFixture.Id, all: true)!.Entries;
            CompactionFixture.ShouldHaveNoGap(all);
            var words = all.Where(entry => entry.Kind is SessionEntryKind.User).Select(entry => entry.Text!).ToList();
            words[..count].ShouldBe(answered[..count], $"after a kill at {step}");
            words[^1].ShouldBe("after");
            Directory.EnumerateFiles(Path.Combine(root, CompactionFixture.Id), "*.tmp").ShouldBeEmpty();
        }
    }

    [Test]
    public async Task A_disk_that_refuses_the_next_generation_leaves_the_session_as_it_was()
    {
        var refuse = true;
        using var session = new CompactionFixture(CostMode.Fast, (_, step) =>
        {
            if (refuse && step == SessionStep.TemporaryWritten)
                throw new IOException("No space left on device");
        });
        for (var i = 0; i < 5; i++)
            await session.AppendAsync(SessionEntryKind.User, $"turn {i}");
        var before = await File.ReadAllBytesAsync(session.FileOf(1), TestContext.Current!.Execution.CancellationToken);

        await Should.ThrowAsync<SessionUnavailableException>(session.AppendAsync(SessionEntryKind.User, "refused"));

        (await File.ReadAllBytesAsync(session.FileOf(1), TestContext.Current!.Execution.CancellationToken)).ShouldBe(before);
        Directory.GetFiles(Path.Combine(session.Root, CompactionFixture.Id)).ShouldHaveSingleItem();
        refuse = false;
        (await session.AppendAsync(SessionEntryKind.User, "taken")).Generation.ShouldBe(2);
        CompactionFixture.ShouldHaveNoGap(session.All());
        session.All().ShouldNotContain(entry => entry.Text == "refused");
    }
}
