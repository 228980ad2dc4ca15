using System.Text.Json;
using Colibri.Core.Cost;
using Colibri.Core.Sessions;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions;

public sealed class SessionFollowerTests
{
    [Test]
    public async Task It_gives_what_is_there_and_then_each_new_entry()
    {
        using var directory = new SessionsDirectoryOfTest();
        var store = directory.Store();
        await Append(store, 3);
        using var follower = store.Follow("s", null);
        (await Next(follower, 3)).ShouldBe([1L, 2L, 3L]);

        var next = Next(follower, 2);
        await Append(store, 2);
        (await next).ShouldBe([4L, 5L]);
        follower.TryRead(out _).ShouldBeFalse();
    }

    [Test]
    public async Task A_session_may_be_followed_before_its_first_entry_and_over_compactions()
    {
        using var directory = new SessionsDirectoryOfTest();
        var store = directory.Store();
        using var follower = store.Follow("s", null);
        var first = Next(follower, 4);
        await Append(store, 4);
        (await first).ShouldBe([1L, 2L, 3L, 4L]);

        (await store.CompactAsync("s"))!.Seq.ShouldBe(5);
        await Append(store, 1);
        // The summary, and what came after it: the entries that were kept are told once.
        (await Next(follower, 2)).ShouldBe([5L, 6L]);

        using var whole = store.Follow("s", 1);
        (await Next(whole, 6)).ShouldBe([1L, 2L, 3L, 4L, 5L, 6L]);
        using var part = store.Follow("s", 4);
        (await Next(part, 3)).ShouldBe([4L, 5L, 6L]);
    }

    [Test]
    public async Task Entries_that_are_gone_from_the_disk_are_counted_in_their_place()
    {
        using var directory = new SessionsDirectoryOfTest();
        var store = directory.Store();
        await Append(store, 5);
        var path = Path.Combine(directory.Root, "s", "0001.jsonl");
        var lines = await File.ReadAllLinesAsync(path, TestContext.Current!.Execution.CancellationToken);
        await File.WriteAllLinesAsync(path, [lines[0], lines[4]], TestContext.Current!.Execution.CancellationToken);

        using var follower = store.Follow("s", null);
        var told = new List<Event>();
        for (var i = 0; i < 3; i++)
            told.Add(await Read(follower));
        told.Select(line => (line.Kind, line.Entry?.Seq, line.Missed)).ShouldBe([("entry", 1L, null), ("missed", null, 3L), ("entry", 5L, null)]);
    }

    /// <summary>A slow reader: all is written before a line of it is taken, and far more than a batch.</summary>
    [Test]
    public async Task A_slow_reader_misses_nothing_and_holds_one_batch()
    {
        using var directory = new SessionsDirectoryOfTest();
        var store = directory.Store();
        using var follower = store.Follow("s", null);
        var text = new string('x', 50_000);
        for (var i = 0; i < 30; i++)
            await store.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.Note, Text = text });
        await Read(follower);
        var held = 0;
        while (follower.TryRead(out _))
            held++;
        held.ShouldBeLessThan(6);
        (await Next(follower, 29 - held)).Last().ShouldBe(30);
    }

    private static async Task Append(SessionStore store, int entries)
    {
        for (var i = 0; i < entries; i++)
            await store.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.User, Text = "hello" });
    }

    private static async Task<List<long>> Next(SessionFollower follower, int count)
    {
        var numbers = new List<long>();
        while (numbers.Count < count)
            numbers.Add((await Read(follower)).Entry!.Seq);
        return numbers;
    }

    private static async Task<Event> Read(SessionFollower follower)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current!.Execution.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        return JsonSerializer.Deserialize(await follower.ReadAsync(deadline.Token), ProtocolJson.Wire.Event)!;
    }

    private sealed class SessionsDirectoryOfTest : IDisposable
    {
        public string Root { get; } = Directory.CreateTempSubdirectory("colibri-follow-").FullName;

        public SessionStore Store() => new(Root, new CostControl(CostMode.Max, new Core.Events.EventHub(TimeProvider.System)), TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

        public void Dispose() => Directory.Delete(Root, recursive: true);
    }
}
