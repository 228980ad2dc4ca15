using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using Colibri.Web.Glass;

namespace Colibri.UnitTests.Web.Glass;

/// <summary>A page of a session of a thousand entries, of which the live generation has a compaction and the last forty.</summary>
public sealed class SessionReaderTests : IAsyncDisposable
{
    private const int All = 1_000;
    private readonly FakeDaemon _fake;
    private readonly DaemonClient _daemon;
    private string _text = "words";

    public SessionReaderTests()
    {
        _fake = new FakeDaemon(async (line, connection) =>
        {
            var asked = JsonSerializer.Deserialize(line, ProtocolJson.Wire.CommandRequest)!;
            if (asked.Cmd == "get-session")
            {
                SessionEntry[] live = [.. Enumerable.Range(All - 40, 41).TakeLast(asked.Limit!.Value).Select(i => Entry(i))];
                await connection.SendAsync($$"""{"ok":true,"data":{{JsonSerializer.Serialize(new SessionEntries("s1", 3, live), ProtocolJson.Wire.SessionEntries)}}}""");
                return;
            }
            await connection.SendAsync("""{"ok":true,"data":{"session_id":"s1"}}""");
            for (var seq = asked.From!.Value; seq <= All; seq++)
            {
                // Entries 101 to 110 are gone from the disk.
                if (seq is <= 100 or > 110)
                    await connection.SendAsync(JsonSerializer.Serialize(new Event { Kind = "entry", At = default, SessionId = "s1", Entry = Entry(seq) }, ProtocolJson.Wire.Event));
            }
        });
        _daemon = new DaemonClient(_fake.SocketPath);
    }

    public async ValueTask DisposeAsync()
    {
        _daemon.Dispose();
        await _fake.DisposeAsync();
    }

    [Test]
    public async Task The_latest_page_that_is_in_the_live_generation_is_read_from_it_alone()
    {
        var slice = await ReadAsync(null, 30);
        Numbers(slice).ShouldBe(Enumerable.Range(971, 30).Select(i => (long)i));
        (slice.First, slice.End, slice.Last).ShouldBe((971, All, All));
        _fake.Requests.Count.ShouldBe(1);
    }

    [Test]
    [Arguments(null, 901, 1_000, 100)]
    [Arguments(900L, 801, 900, 100)]
    [Arguments(50L, 1, 50, 50)]
    [Arguments(5_000L, 901, 1_000, 100)]
    [Arguments(150L, 51, 150, 90)]
    public async Task Any_page_is_read_from_its_first_entry_on(long? to, long first, long end, int entries)
    {
        var slice = await ReadAsync(to, 100);
        (slice.First, slice.End, slice.Last, slice.Entries.Count).ShouldBe((first, end, All, entries));
        Numbers(slice)[0].ShouldBe(first);
        Numbers(slice)[^1].ShouldBe(end);
        JsonSerializer.Deserialize(_fake.Requests[^1], ProtocolJson.Wire.CommandRequest)!.From.ShouldBe(first);
    }

    [Test]
    public async Task A_long_text_is_cut()
    {
        _text = new string('a', SessionReader.LongestText - 1) + "🙂 and more";
        (await ReadAsync(null, 30)).Entries[0].Text!.Length.ShouldBe(SessionReader.LongestText - 1);
    }

    private Task<SessionSlice> ReadAsync(long? to, int most) => SessionReader.ReadAsync(_daemon, "12", to, most, CancellationToken.None);

    private static List<long> Numbers(SessionSlice slice) => [.. slice.Entries.Select(entry => entry.Seq)];

    private SessionEntry Entry(long seq) => new() { Seq = seq, Kind = SessionEntryKind.Note, Text = _text };
}
