using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions;

/// <summary>Sessions whose files are removed or replaced while they are written.</summary>
public sealed class SessionGoneTests : IDisposable
{
    private const int EntriesGone = 507;
    private const int LinesUnreadable = 508;
    private const int Recovered = 509;
    private const int DirectoryRenewed = 510;

    private readonly SessionFixture _fixture = new();

    public enum Loss
    {
        File,
        Folder,
        Root,
        RootAndAnother,
        Truncated,
        Replaced,
    }

    public void Dispose() => _fixture.Dispose();

    [Test]
    [Arguments(Loss.File, 3, "removed")]
    [Arguments(Loss.Folder, 3, "removed")]
    [Arguments(Loss.Root, 3, "removed")]
    [Arguments(Loss.RootAndAnother, 3, "removed")]
    [Arguments(Loss.Truncated, 3, "cut short or replaced")]
    [Arguments(Loss.Replaced, 2, "cut short or replaced")]
    public async Task Numbers_go_on_and_the_session_the_log_and_the_receipt_say_what_is_gone(Loss loss, int gone, string how)
    {
        var store = _fixture.Open();
        foreach (var text in (string[])["one", "two", "three"])
            await store.AppendAsync("s", SessionFixture.Note(text));

        Do(loss);
        var receipt = await store.AppendAsync("s", SessionFixture.Note("four"));

        receipt.Seq.ShouldBe(5);
        receipt.EntriesGone.ShouldBe(gone);
        var entries = store.Read("s", all: true)!.Entries;
        entries[^2].Text.ShouldBe($"{gone} entries of this session, up to number 3, are gone: its file was {how} while it was written");
        (entries[^2].Seq, entries[^2].Kind).ShouldBe((4, SessionEntryKind.Note));
        entries[^1].Text.ShouldBe("four");
        _fixture.Logger.Of(EntriesGone).ShouldHaveSingleItem().ShouldBe($"session s: {gone} entries are gone from {_fixture.FileOf("s")}, which was {how} while it was written; numbers go on after 3");

        (await store.AppendAsync("s", SessionFixture.Note("five"))).ShouldSatisfyAllConditions(
            next => next.Seq.ShouldBe(6),
            next => next.EntriesGone.ShouldBeNull());
    }

    [Test]
    public async Task A_generation_that_is_gone_stays_the_live_one()
    {
        _fixture.Write("s", 1, SessionFixture.Line(1) + SessionFixture.Line(2));
        _fixture.Write("s", 2, SessionFixture.Line(3, kind: "compaction") + SessionFixture.Line(4));
        var store = _fixture.Open();
        (await store.AppendAsync("s", SessionFixture.Note("five"))).Seq.ShouldBe(5);

        File.Delete(_fixture.FileOf("s", 2));

        var receipt = await store.AppendAsync("s", SessionFixture.Note("seven"));
        (receipt.Seq, receipt.Generation, receipt.EntriesGone).ShouldBe((7, 2, 5L));
        _fixture.LinesOf("s").Length.ShouldBe(2, "what is history stays as it is");
    }

    [Test]
    public async Task A_refused_append_whose_folder_is_gone_then_does_not_stop_the_session()
    {
        var failing = false;
        var store = new SessionStore(_fixture.Root, _fixture.Cost, _fixture.Time, _fixture.Logger)
        {
            AtStep = (directory, step) =>
            {
                if (!failing || step is not (SessionStep.EntriesWritten or SessionStep.Refused))
                    return;
                if (step == SessionStep.EntriesWritten)
                    Directory.Delete(directory, recursive: true);
                throw new IOException("no");
            },
        };
        await store.AppendAsync("s", SessionFixture.Note("one"));
        failing = true;
        await Should.ThrowAsync<SessionUnavailableException>(() => store.AppendAsync("s", SessionFixture.Note("refused")));
        store.LookAtFiles().ShouldHaveSingleItem().State.ShouldBe(StatusFile.Refused);
        failing = false;

        (await store.AppendAsync("s", SessionFixture.Note("two"))).Seq.ShouldBe(3);
        store.LookAtFiles().ShouldBeEmpty();
        _fixture.Logger.Of(Recovered).Count.ShouldBe(1);
    }

    [Test]
    public async Task What_is_in_the_place_of_a_session_is_told_and_goes_when_it_is_gone()
    {
        var store = _fixture.Open();
        await store.AppendAsync("s", SessionFixture.Note("one"));
        Do(Loss.Folder);
        await File.WriteAllTextAsync(Path.Combine(_fixture.Root, "s"), "");

        await Should.ThrowAsync<SessionUnavailableException>(() => store.AppendAsync("s", SessionFixture.Note("refused")));
        var told = store.LookAtFiles().ShouldHaveSingleItem();
        (told.What, told.State).ShouldBe(("sessions", StatusFile.Refused));
        told.Reason.ShouldStartWith("session s cannot be written: ");

        File.Delete(Path.Combine(_fixture.Root, "s"));
        (await store.AppendAsync("s", SessionFixture.Note("two"))).EntriesGone.ShouldBe(1);
        store.LookAtFiles().ShouldBeEmpty();
    }

    [Test]
    public async Task A_link_in_the_place_of_a_session_s_file_is_not_followed()
    {
        var store = _fixture.Open();
        await store.AppendAsync("s", SessionFixture.Note("one"));
        var target = Path.Combine(_fixture.Root, "target");
        File.Copy(_fixture.FileOf("s"), target);
        File.Delete(_fixture.FileOf("s"));
        File.CreateSymbolicLink(_fixture.FileOf("s"), target);

        (await Should.ThrowAsync<SessionUnavailableException>(() => store.AppendAsync("s", SessionFixture.Note("two")))).Message.ShouldContain("symbolic link");
        (await File.ReadAllLinesAsync(target)).Length.ShouldBe(1);
    }

    [Test]
    public async Task The_directory_of_all_sessions_is_made_anew_where_it_is_removed_and_told_where_it_is_replaced()
    {
        var store = _fixture.Open();
        await store.AppendAsync("s", SessionFixture.Note("one"));
        store.LookAtFiles().ShouldBeEmpty();

        Directory.Delete(_fixture.Root, recursive: true);
        store.LookAtFiles().ShouldBeEmpty();
        Directory.Exists(_fixture.Root).ShouldBeTrue();
        _fixture.Logger.Of(DirectoryRenewed).ShouldHaveSingleItem().ShouldContain("was removed");

        Directory.Move(_fixture.Root, _fixture.Root + ".old");
        Directory.CreateDirectory(_fixture.Root);
        store.LookAtFiles().ShouldBeEmpty();
        _fixture.Logger.Of(DirectoryRenewed)[^1].ShouldContain("replaced by another directory");

        Directory.Delete(_fixture.Root, recursive: true);
        await File.WriteAllTextAsync(_fixture.Root, "");
        State().ShouldBe(StatusFile.Replaced);

        File.Delete(_fixture.Root);
        File.CreateSymbolicLink(_fixture.Root, _fixture.Root + ".old");
        State().ShouldBe(StatusFile.Replaced);

        File.Delete(_fixture.Root);
        store.LookAtFiles().ShouldBeEmpty();

        string State() => store.LookAtFiles().ShouldHaveSingleItem().State;
    }

    [Test]
    public async Task Lines_that_are_no_entries_are_counted_and_logged_once()
    {
        _fixture.Write("s", 1, SessionFixture.Line(1) + "garbage\n" + SessionFixture.Line(2) + "{}\n" + SessionFixture.Line(3) + "torn");
        var store = _fixture.Open();

        for (var i = 0; i < 3; i++)
        {
            var read = store.Read("s", all: i == 0)!;
            read.UnreadableLines.ShouldBe(2);
            read.Entries.Count.ShouldBe(3);
        }
        _fixture.Logger.Of(LinesUnreadable).ShouldHaveSingleItem().ShouldStartWith("session s: 2 lines in ");
        await store.AppendAsync("t", SessionFixture.Note("whole"));
        store.Read("t", all: false)!.UnreadableLines.ShouldBeNull();
    }

    private void Do(Loss loss)
    {
        switch (loss)
        {
            case Loss.File:
                File.Delete(_fixture.FileOf("s"));
                break;
            case Loss.Folder:
                Directory.Delete(Path.Combine(_fixture.Root, "s"), recursive: true);
                break;
            case Loss.Root:
                Directory.Delete(_fixture.Root, recursive: true);
                break;
            case Loss.RootAndAnother:
                Directory.Move(_fixture.Root, _fixture.Root + ".old");
                Directory.CreateDirectory(_fixture.Root);
                break;
            case Loss.Truncated:
                File.WriteAllText(_fixture.FileOf("s"), "");
                break;
            default:
                File.Delete(_fixture.FileOf("s"));
                _fixture.Write("s", 1, SessionFixture.Line(1));
                break;
        }
    }
}
