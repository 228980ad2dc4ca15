using System.Text.Json;

namespace Colibri.EndToEndTests.Harness;

/// <summary>What one subscription has been told so far.</summary>
internal sealed class EventLog(WireClient client) : IAsyncDisposable
{
    private readonly List<JsonElement> _events = [];

    public static async Task<EventLog> SubscribeAsync(ColibriDaemon daemon, params string[] topics)
    {
        var client = await daemon.ConnectAsync();
        await client.DataAsync(new { cmd = "subscribe", topics });
        return new EventLog(client);
    }

    public IEnumerable<JsonElement> Panes => _events.Where(one => one.Has("pane")).Select(one => one.Member("pane"));
    public IEnumerable<JsonElement> Tasks => _events.Where(one => one.Has("task")).Select(one => one.Member("task"));

    /// <summary>Reads on until the condition holds for everything read.</summary>
    public async Task ReadUntilAsync(Func<EventLog, bool> condition, string what)
    {
        while (!condition(this))
        {
            try
            {
                _events.Add(await client.ReadAsync());
            }
            catch (TimeoutException quiet)
            {
                throw new TimeoutException($"no event says that {what}; so far:\n{string.Join('\n', _events.TakeLast(20))}", quiet);
            }
        }
    }

    /// <summary>A field's values in order, each run of equal ones once.</summary>
    public static List<string> Course(IEnumerable<JsonElement> things, string field)
    {
        var course = new List<string>();
        foreach (var value in things.Select(thing => thing.Text(field)))
            if (course.Count == 0 || course[^1] != value)
                course.Add(value);
        return course;
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
