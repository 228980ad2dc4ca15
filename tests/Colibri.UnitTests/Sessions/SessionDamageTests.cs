using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions;

public sealed class SessionDamageTests : IDisposable
{
    private static readonly string Whole = SessionFixture.Line(1, "one") + SessionFixture.Line(2, "two");

    private readonly SessionFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    [Arguments("""{"seq":3,"ts":"2026-11-22T06:07:10.893Z","kind":"note","text":"whole but for its newline"}""")]
    [Arguments("""{"seq":3,"ts":"2026-11-2""")]
    [Arguments("{")]
    [Arguments("garbage\n")]
    [Arguments("\0\0\0\0\0\0\0\0")]
    [Arguments("\n")]
    [Arguments("null\n")]
    [Arguments("{}\n")]
    [Arguments("{\"seq\":3,\"ts\":\"yesterday\",\"kind\":\"note\"}\n")]
    [Arguments("{\"seq\":3,\"ts\":5,\"kind\":\"note\"}\n")]
    [Arguments("{\"seq\":3,\"ts\":\"2026-11-22T06:07:10.893Z\",\"kind\":\"gossip\"}\n")]
    [Arguments("{\"seq\":3,\"ts\":\"2026-11-22T06:07:10.893Z\",\"kind\":\"note\",\"text\":\"\\ud800\"}\n")]
    public async Task A_torn_tail_is_cut_off_at_the_first_append_and_said(string tail)
    {
        _fixture.Write("s", 1, Whole + tail);
        var store = _fixture.Open();
        store.Read("s", all: false)!.Entries.Select(entry => entry.Text).ShouldBe(["one", "two"]);

        (await store.AppendAsync("s", SessionFixture.Note("three"))).Seq.ShouldBe(3);

        (await File.ReadAllTextAsync(_fixture.FileOf("s"), TestContext.Current!.Execution.CancellationToken)).ShouldBe(Whole + SessionFixture.Line(3, "three"));
        var bytes = System.Text.Encoding.UTF8.GetByteCount(tail);
        _fixture.TailsCut.ShouldHaveSingleItem().ShouldBe($"session s: cut off a torn last line of {bytes} bytes");
    }

    [Test]
    public async Task A_file_of_nothing_but_a_torn_line_begins_anew()
    {
        _fixture.Write("s", 1, """{"seq":1,"ts""");
        (await _fixture.Open().AppendAsync("s", SessionFixture.Note("one"))).ShouldBe(new AppendReceipt("s", 1, 1, SessionFixture.Line(1, "one").Length, 0));
        _fixture.LinesOf("s").Length.ShouldBe(1);
    }

    [Test]
    public async Task A_damaged_line_costs_none_of_the_entries_after_it()
    {
        _fixture.Write("s", 1, SessionFixture.Line(1, "one") + "dam\0aged\n" + SessionFixture.Line(3, "three", "user"));
        var store = _fixture.Open();
        var receipt = await store.AppendAsync("s", SessionFixture.Note("four"));
        (receipt.Seq, receipt.Turns).ShouldBe((4, 1));
        store.Read("s", all: false)!.Entries.Select(entry => entry.Text).ShouldBe(["one", "three", "four"]);
        _fixture.TailsCut.ShouldBeEmpty();
    }

    [Test]
    public async Task An_entry_without_a_number_does_not_start_the_count_anew()
    {
        _fixture.Write("s", 1, Whole + "{\"ts\":\"2026-11-22T06:07:10.893Z\",\"kind\":\"note\",\"text\":\"by hand\"}\n");
        (await _fixture.Open().AppendAsync("s", SessionFixture.Note("three"))).Seq.ShouldBe(3);
        _fixture.LinesOf("s").Length.ShouldBe(4);
    }

    [Test]
    public async Task A_line_longer_than_a_read_is_a_line()
    {
        var store = _fixture.Open();
        var text = new string('x', 700_000);
        await store.AppendAsync("s", SessionFixture.Note(text));
        await store.AppendAsync("s", SessionFixture.Note("short"));
        (await _fixture.Open().AppendAsync("s", SessionFixture.Note("after"))).Seq.ShouldBe(3);
        store.Read("s", all: false)!.Entries.Select(entry => entry.Text!.Length).ShouldBe([text.Length, 5, 5]);
    }

    [Test]
    public async Task A_log_changed_behind_the_store_is_looked_at_again()
    {
        var store = _fixture.Open();
        await store.AppendAsync("s", SessionFixture.Note("one"));
        await File.AppendAllTextAsync(_fixture.FileOf("s"), SessionFixture.Line(2, "another's") + "{\"to", TestContext.Current!.Execution.CancellationToken);
        (await store.AppendAsync("s", SessionFixture.Note("three"))).Seq.ShouldBe(3);
        store.Read("s", all: false)!.Entries.Select(entry => entry.Text).ShouldBe(["one", "another's", "three"]);
    }

    [Test]
    public async Task A_session_deleted_behind_the_store_goes_on_with_its_numbers()
    {
        var store = _fixture.Open();
        await store.AppendAsync("s", SessionFixture.Note("one"));
        Directory.Delete(Path.Combine(_fixture.Root, "s"), recursive: true);
        (await store.AppendAsync("s", SessionFixture.Note("three"))).Seq.ShouldBe(3);
        _fixture.LinesOf("s").Length.ShouldBe(2, "the first one says what is gone");
    }

    [Test]
    public async Task Where_the_place_cannot_be_opened_every_append_fails_until_it_can_be()
    {
        var store = _fixture.Open();
        // A file where the directory should be stops root too.
        await File.WriteAllTextAsync(_fixture.Root, "in the way", TestContext.Current!.Execution.CancellationToken);
        await ShouldFail(store, appends: 20);

        File.Delete(_fixture.Root);
        (await store.AppendAsync("s", SessionFixture.Note("after"))).Seq.ShouldBe(1);
    }

    [Test]
    public async Task Where_the_file_cannot_be_written_every_append_fails_until_it_can_be()
    {
        Directory.CreateDirectory(_fixture.FileOf("s"));
        var store = _fixture.Open();
        await ShouldFail(store, appends: 20);

        Directory.Delete(_fixture.FileOf("s"));
        (await store.AppendAsync("s", SessionFixture.Note("after"))).Seq.ShouldBe(1);
    }

    [Test]
    public async Task A_disk_in_trouble_between_two_appends_costs_no_number()
    {
        var store = _fixture.Open();
        await store.AppendAsync("s", SessionFixture.Note("one"));
        var aside = Path.Combine(_fixture.Root, "aside");
        Directory.Move(Path.Combine(_fixture.Root, "s"), aside);
        await File.WriteAllTextAsync(Path.Combine(_fixture.Root, "s"), "in the way", TestContext.Current!.Execution.CancellationToken);
        await ShouldFail(store, appends: 3);

        File.Delete(Path.Combine(_fixture.Root, "s"));
        Directory.Move(aside, Path.Combine(_fixture.Root, "s"));
        (await store.AppendAsync("s", SessionFixture.Note("two"))).Seq.ShouldBe(2);
        _fixture.SeqsOf("s").ShouldBe([1, 2]);
    }

    private async Task ShouldFail(SessionStore store, int appends)
    {
        var failures = Enumerable.Range(0, appends).Select(i => store.AppendAsync("s", SessionFixture.Note($"{i}"))).ToList();
        foreach (var failing in failures)
        {
            var failure = await Should.ThrowAsync<SessionUnavailableException>(() => failing);
            failure.Message.ShouldStartWith("session s cannot be written: ");
        }
        _fixture.WritesFailed.ShouldNotBeEmpty();
    }
}
