using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A task whose event is larger than a subscriber's queue may be: escaping makes up to six bytes of each of its own.</summary>
public sealed class LargeEventTests
{
    [Test]
    [Arguments("\u007F", 800_000)]
    [Arguments("\U0001F426", 425_000)]
    public async Task A_large_event_and_those_after_it_reach_a_subscriber_that_waits(string unit, int count)
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        await using var subscriber = await SubscribeAsync(daemon);
        for (var round = 0; round < 2; round++)
        {
            var large = await CreateAsync(client, "large", unit, count);
            var told = (await subscriber.ReadAsync()).Member("task");
            (told.Text("id"), told.Text("description").Length).ShouldBe((large, unit.Length * count));
            var after = await CreateAsync(client, "after", "", 0);
            (await subscriber.ReadAsync()).Member("task").Text("id").ShouldBe(after);
        }
        (await MissedAsync(client)).ShouldBe(0);
    }

    [Test]
    public async Task A_subscriber_that_missed_large_events_is_told_how_many_and_hears_those_after_them()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        await using var subscriber = await SubscribeAsync(daemon);
        // What is not read fills the socket, then the queue; from then on events are missed.
        const int Created = 6;
        for (var i = 0; i < Created; i++)
            await CreateAsync(client, "large", "\u007F", 800_000);
        var missed = await MissedAsync(client);
        missed.ShouldBeInRange(1, Created - 1);

        for (var i = 0; i < Created - missed; i++)
            (await subscriber.ReadAsync()).Member("task").Text("title").ShouldBe("large");
        var gap = await subscriber.ReadAsync();
        (gap.Text("kind"), gap.Member("missed").GetInt32()).ShouldBe(("missed", missed));
        var after = await CreateAsync(client, "after", "", 0);
        (await subscriber.ReadAsync()).Member("task").Text("id").ShouldBe(after);
        (await MissedAsync(client)).ShouldBe(missed);
    }

    private static async Task<WireClient> SubscribeAsync(ColibriDaemon daemon)
    {
        var subscriber = await daemon.ConnectAsync();
        await subscriber.DataAsync(new { cmd = "subscribe", topics = new[] { "tasks" } });
        return subscriber;
    }

    // By hand: a serialiser would escape what is short because it is not escaped.
    private static async Task<string> CreateAsync(WireClient client, string title, string unit, int count) => (await client.DataAsync(
        $$"""{"cmd":"create-task","title":"{{title}}","description":"{{string.Concat(Enumerable.Repeat(unit, count))}}"}""")).Text("id");

    private static async Task<int> MissedAsync(WireClient client) =>
        (await client.DataAsync(new { cmd = "status" })).Member("counters").Member("events_missed").GetInt32();
}
