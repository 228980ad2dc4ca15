using System.Text.Json;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests;

/// <summary>Holds the model stand-in against the recordings: real Pi, run without Colibri, must print what was recorded.</summary>
[ClassDataSource<PiInstallation>(Shared = SharedType.PerTestSession)]
public sealed class RealPiTests(PiInstallation pi)
{
    [Test]
    [Arguments("tool", 2, "pi-1.6.0-json-tool")]
    [Arguments("two", 2, "pi-1.6.0-json-two")]
    [Arguments("retry", 3, "pi-1.5.2-json-retry")]
    [Arguments("fail", 4, "pi-1.5.2-json-fail")]
    [Arguments("auth", 1, "pi-1.5.2-json-auth")]
    [Arguments("length", 1, "pi-1.6.0-json-length")]
    public async Task Pi_prints_the_events_and_usage_of_the_recording(string scenario, int requests, string recording)
    {
        await using var model = new ModelStandIn();
        var printed = await RunAsync(model, scenario);
        var recorded = await File.ReadAllTextAsync(Repository.Recording(recording), TestContext.Current!.Execution.CancellationToken);

        printed.ExitCode.ShouldBe(0, printed.ToString());
        var (seen, expected) = (Events(printed.Stdout), Events(recorded));
        Types(seen).ShouldBe(Types(expected));
        Endings(seen).ShouldBe(Endings(expected));
        model.RequestsOf(scenario).ShouldBe(requests);
    }

    [Test]
    public async Task A_plain_answer_takes_one_request()
    {
        await using var model = new ModelStandIn();
        var events = Events((await RunAsync(model, "plain")).Stdout);

        Endings(events).ShouldHaveSingleItem().ShouldBe("stop 148 12 1152 ");
        Types(events).ShouldContain("agent_settled");
        model.Requests.ShouldBe(1);
    }

    [Test]
    public async Task A_connection_dropped_in_the_middle_of_every_answer_ends_in_an_error_with_exit_0()
    {
        await using var model = new ModelStandIn();
        var finished = await RunAsync(model, "cut");

        finished.ExitCode.ShouldBe(0);
        Endings(Events(finished.Stdout)).ShouldAllBe(ending => ending.StartsWith("error "));
        Types(Events(finished.Stdout)).ShouldContain("auto_retry_end");
    }

    private async Task<Finished> RunAsync(ModelStandIn model, string scenario)
    {
        using var directory = new TempDirectory();
        var start = Launch.Prepare(pi.Executable, [.. PiHome.Arguments, $"SCENARIO:{scenario}"],
            PiHome.Furnish(directory.Folder("home"), model.Port).ToDictionary(entry => entry.Name, entry => entry.Value));
        start.WorkingDirectory = directory.Folder("work");
        return await Launch.ToEndAsync(start);
    }

    private static List<JsonElement> Events(string stdout) =>
        [.. stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];

    /// <summary>Event types in order. How many updates a message or tool has is a matter of timing, and two tools end in any order.</summary>
    private static List<string> Types(IEnumerable<JsonElement> events) =>
        [.. events.Select(one => one.Text("type")).Where(type => !type.EndsWith("_update", StringComparison.Ordinal))];

    /// <summary>How each assistant message ended, with its usage and its error.</summary>
    private static List<string> Endings(IEnumerable<JsonElement> events) =>
    [
        .. from one in events
           where one.Text("type") == "message_end"
           let message = one.Member("message")
           where message.Text("role") == "assistant"
           let usage = message.Member("usage")
           select $"{message.Text("stopReason")} {usage.Number("input")} {usage.Number("output")} {usage.Number("cacheRead")} {message.TextOrNull("errorMessage")}",
    ];
}
