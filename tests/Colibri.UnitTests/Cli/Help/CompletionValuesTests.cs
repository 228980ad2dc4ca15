using Colibri.Cli;
using Colibri.Cli.Help;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Cli.Output;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Help;

public sealed class CompletionValuesTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    public static List<(string, string, string)> Values =>
    [
        (
            "tasks", Json(new TaskList([Queued with { Number = 12, Held = true }, Failed with { Number = 9, Title = "a\tb: " + new string('c', 60) }]), Wire.TaskList),
            $"12\theld: Fix the login test\n9\tfailed: a\\tb: {new string('c', 35)}…\n"
        ),
        (
            "agents",
            Json(new AgentList(
            [
                new Agent { Id = AgentId, Label = "a3", Name = "pi", Kind = "spawned", Lifecycle = Lifecycle.Running, RegisteredAt = Now },
                new Agent { Id = SessionId, Label = "a2", Name = "pi", Kind = "spawned", Lifecycle = Lifecycle.Stopped, RegisteredAt = Now },
            ]), Wire.AgentList),
            "a3\tpi\n"
        ),
        (
            "profiles", Json(Samples.Status with { Agents = new StatusAgents(0, 4, [], [new StatusProfile("careful", "claude"), new StatusProfile("quick", "pi", 2)]) }, Wire.StatusReport),
            "careful\tclaude\nquick\tpi\n"
        ),
        ("profiles", Json(Samples.Status, Wire.StatusReport), ""),
        ("workspaces", Json(Samples.Status with { Workspaces = [new StatusWorkspace("site", "/srv/site")] }, Wire.StatusReport), "site\t/srv/site\n"),
    ];

    [Test]
    [MethodDataSource(nameof(Values))]
    public async Task A_line_is_a_value_and_what_it_is(string what, string data, string printed)
    {
        await using var daemon = FakeDaemon.Granting(data);

        (await CliRun.OfAsync(["completion", "--values", what, "--socket", daemon.SocketPath])).ShouldBe(new CliRun(ExitCodes.Done, printed, ""));
    }

    public static IEnumerable<string> Kinds => CompletionValues.All;

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task Without_an_answer_nothing_is_offered_and_nothing_is_said(string what)
    {
        await using var refusing = FakeDaemon.Answering("""{"ok":false,"error":{"code":"unavailable","message":"not now"}}""");
        await using var babbling = FakeDaemon.Answering("""{"ok":true,"data":[]}""");
        await using var other = FakeDaemon.Answering("hello");
        foreach (var socket in new[] { "/nowhere/s", refusing.SocketPath, babbling.SocketPath, other.SocketPath })
            (await CliRun.OfAsync(["completion", "--values", what, "--socket", socket])).ShouldBe(new CliRun(ExitCodes.Done, "", ""), socket);
    }

    [Test]
    public async Task A_daemon_that_is_silent_is_not_waited_for()
    {
        await using var silent = new FakeDaemon(static (_, _) => Task.CompletedTask);
        var clock = System.Diagnostics.Stopwatch.StartNew();

        (await CliRun.OfAsync(["completion", "--values", "tasks", "--socket", silent.SocketPath])).ShouldBe(new CliRun(ExitCodes.Done, "", ""));

        clock.Elapsed.ShouldBeGreaterThanOrEqualTo(CompletionValues.Patience - TimeSpan.FromMilliseconds(50));
        clock.Elapsed.ShouldBeLessThan(Colibri.Protocol.Client.ColibriClient.ReplyTimeout / 2);
    }

    [Test]
    [Arguments("completion", "completion needs SHELL: colibri completion bash > /etc/bash_completion.d/colibri")]
    [Arguments("completion bash --values tasks", "completion takes SHELL or --values, not both")]
    [Arguments("completion --values cats", "--values 'cats' is none of tasks, agents, profiles, workspaces")]
    public async Task It_is_a_script_or_values(string line, string problem) =>
        (await CliRun.OfAsync(line.Split(' '))).ShouldBe(new CliRun(ExitCodes.Usage, "", $"colibri: {problem} (see: colibri completion --help)\n"));
}
