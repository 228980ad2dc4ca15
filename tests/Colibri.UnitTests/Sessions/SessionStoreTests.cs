using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions;

public sealed class SessionStoreTests : IDisposable
{
    private readonly SessionFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    public async Task The_first_append_makes_the_first_generation()
    {
        var receipt = await _fixture.Open().AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.User, Text = "héllo\n\u2028", Seq = 99 });

        const string Expected = "{\"seq\":1,\"ts\":\"2026-11-22T06:07:10.893Z\",\"kind\":\"user\",\"text\":\"héllo\\n\\u2028\"}\n";
        (await File.ReadAllTextAsync(_fixture.FileOf("s"), TestContext.Current!.Execution.CancellationToken)).ShouldBe(Expected);
        receipt.ShouldBe(new AppendReceipt("s", 1, 1, new FileInfo(_fixture.FileOf("s")).Length, 1));
        Directory.GetFileSystemEntries(Path.Combine(_fixture.Root, "s")).ShouldBe([_fixture.FileOf("s")]);
    }

    [Test]
    public async Task A_log_is_not_for_everybody_to_read()
    {
        await _fixture.Open().AppendAsync("s", SessionFixture.Note("secret"));
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        (File.GetUnixFileMode(_fixture.FileOf("s")) & Others).ShouldBe(UnixFileMode.None);
        (File.GetUnixFileMode(Path.Combine(_fixture.Root, "s")) & Others).ShouldBe(UnixFileMode.None);
    }

    [Test]
    public async Task Appenders_at_once_get_numbers_without_a_gap_in_the_order_of_the_file()
    {
        const int Appenders = 8;
        const int Each = 500;
        var store = _fixture.Open();
        var answered = await Task.WhenAll(Enumerable.Range(0, Appenders).Select(appender => Task.Run(
            async () =>
            {
                var own = new List<(long Seq, string Text)>();
                for (var i = 0; i < Each; i++)
                {
                    var receipt = await store.AppendAsync("s", SessionFixture.Note($"{appender}/{i}"));
                    new FileInfo(_fixture.FileOf("s")).Length.ShouldBeGreaterThanOrEqualTo(receipt.Bytes, "an answered append is in the file");
                    own.Add((receipt.Seq, $"{appender}/{i}"));
                }
                return own;
            },
            TestContext.Current!.Execution.CancellationToken)));

        var entries = store.Read("s", all: false)!.Entries;
        entries.Select(entry => entry.Seq).ShouldBe(Enumerable.Range(1, Appenders * Each).Select(seq => (long)seq));
        foreach (var own in answered)
        {
            own.Select(a => a.Seq).ShouldBeInOrder();
            own.ShouldAllBe(a => entries[(int)a.Seq - 1].Text == a.Text);
        }
    }

    [Test]
    public async Task More_appends_than_the_queue_holds_are_all_written_in_their_order()
    {
        const int Appends = SessionLog.QueueCapacity * 4;
        var store = _fixture.Open();
        var receipts = await Task.WhenAll(Enumerable.Range(0, Appends).Select(i => store.AppendAsync("s", SessionFixture.Note($"{i}"))));
        receipts.Select(receipt => receipt.Seq).Order().ShouldBe(Enumerable.Range(1, Appends).Select(seq => (long)seq));
        _fixture.LinesOf("s").Length.ShouldBe(Appends);
        receipts.Max(receipt => receipt.Bytes).ShouldBe(new FileInfo(_fixture.FileOf("s")).Length);
    }

    [Test]
    public async Task Forgetting_sessions_under_load_neither_loses_nor_doubles_a_number()
    {
        const int Sessions = 6;
        const int Appenders = 8;
        const int Each = 200;
        var store = new SessionStore(_fixture.Root, _fixture.Cost, _fixture.Time, _fixture.Logger) { RememberedLimit = 1 };
        await Task.WhenAll(Enumerable.Range(0, Appenders).Select(appender => Task.Run(
            async () =>
            {
                for (var i = 0; i < Each; i++)
                    await store.AppendAsync($"s{(i + appender) % Sessions}", SessionFixture.Note("x"));
            },
            TestContext.Current!.Execution.CancellationToken)));

        for (var i = 0; i < Sessions; i++)
        {
            var seqs = _fixture.SeqsOf($"s{i}");
            seqs.ShouldBe(Enumerable.Range(1, seqs.Length).Select(seq => (long)seq));
        }
        Enumerable.Range(0, Sessions).Sum(i => _fixture.LinesOf($"s{i}").Length).ShouldBe(Appenders * Each);
        await store.AppendAsync("s0", SessionFixture.Note("the only one at work"));
        store.Remembered.ShouldBeLessThanOrEqualTo(2);
    }

    [Test]
    public async Task Turns_are_the_words_of_user_and_assistant()
    {
        var store = _fixture.Open();
        SessionEntryKind[] kinds = [SessionEntryKind.User, SessionEntryKind.Assistant, SessionEntryKind.ToolResult, SessionEntryKind.Usage, SessionEntryKind.Note, SessionEntryKind.Assistant];
        var turns = new List<long>();
        foreach (var kind in kinds)
            turns.Add((await store.AppendAsync("s", new SessionEntry { Kind = kind, Text = "x" })).Turns);
        turns.ShouldBe([1, 2, 2, 2, 2, 3]);
        (await _fixture.Open().AppendAsync("s", SessionFixture.Note("x"))).Turns.ShouldBe(3);
    }

    [Test]
    public async Task Appends_go_to_the_newest_generation_and_count_on()
    {
        _fixture.Write("s", 1, SessionFixture.Line(1, "old", "user") + SessionFixture.Line(2, "old", "assistant"));
        _fixture.Write("s", 2, SessionFixture.Line(3, "so far", "compaction") + SessionFixture.Line(4, "newer", "user"));
        var store = _fixture.Open();

        var receipt = await store.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.Assistant, Text = "newest" });

        (receipt.Seq, receipt.Generation, receipt.Turns).ShouldBe((5, 2, 2));
        var live = store.Read("s", all: false)!;
        (live.SessionId, live.Generation).ShouldBe(("s", 2));
        live.Entries.Select(entry => entry.Text).ShouldBe(["so far", "newer", "newest"]);
        store.Read("s", all: true)!.Entries.Select(entry => entry.Seq).ShouldBe([1, 2, 3, 4, 5]);
        store.Read("s", all: true, limit: 3)!.Entries.Select(entry => entry.Seq).ShouldBe([3, 4, 5]);
        store.Read("s", all: false, limit: 2)!.Entries.Select(entry => entry.Seq).ShouldBe([.. live.Entries.Select(entry => entry.Seq).Order().TakeLast(2)]);
    }

    [Test]
    public void An_unknown_session_reads_as_none()
    {
        _fixture.Open().Read("nobody", all: false).ShouldBeNull();
        Directory.CreateDirectory(Path.Combine(_fixture.Root, "empty"));
        _fixture.Open().Read("empty", all: true).ShouldBeNull();
    }

    [Test]
    public async Task The_session_changed_last_is_listed_first()
    {
        var store = _fixture.Open();
        store.List(10).ShouldBeEmpty();
        foreach (var id in (string[])["a", "b", "c"])
            await store.AppendAsync(id, SessionFixture.Note(id));
        Directory.CreateDirectory(Path.Combine(_fixture.Root, "empty"));
        var at = new DateTime(2026, 11, 22, 6, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_fixture.FileOf("a"), at.AddMinutes(2));
        File.SetLastWriteTimeUtc(_fixture.FileOf("b"), at.AddMinutes(1));
        File.SetLastWriteTimeUtc(_fixture.FileOf("c"), at.AddMinutes(3));

        store.List(10).Select(session => session.Id).ShouldBe(["c", "a", "b"]);
        store.List(2)[1].ShouldBe(new SessionSummary("a", 1, new FileInfo(_fixture.FileOf("a")).Length, at.AddMinutes(2)));
        store.List(2).Count.ShouldBe(2);
    }
}
