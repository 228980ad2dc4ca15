using Colibri.Cli.Top;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Top;

/// <summary>A stand-in that answers what the screen asks, from what a model holds.</summary>
internal static class TopDaemon
{
    public static FakeDaemon Of(TopModel model, Func<string, FakeConnection, Task>? first = null) => new(async (line, connection) =>
    {
        if (first is not null)
            await first(line, connection);
        var data = line switch
        {
            _ when Is(line, "subscribe") => """{"topics":["tasks","panes","cost","notices"]}""",
            _ when Is(line, "status") => Json(model.Status!, ProtocolJson.Wire.StatusReport),
            _ when Is(line, "snapshot") => Json(new Snapshot(Snapshot.CurrentSchema, "clawdie", Now, model.Agents), ProtocolJson.Wire.Snapshot),
            _ when Is(line, "inbox") => Json(model.Inbox, ProtocolJson.Wire.InboxReport),
            _ when Is(line, "budget") => Json(model.Budget!, ProtocolJson.Wire.BudgetState),
            _ when Is(line, "list-tasks") => Json(new TaskList(line.Contains("queued", StringComparison.Ordinal) ? model.Queue : []), ProtocolJson.Wire.TaskList),
            _ => "{}",
        };
        await connection.SendAsync($$"""{"ok":true,"data":{{data}}}""");
    });

    private static bool Is(string line, string command) => line.StartsWith($"{{\"cmd\":\"{command}\"", StringComparison.Ordinal);
}
