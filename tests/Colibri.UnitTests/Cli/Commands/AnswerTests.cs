using Colibri.Cli;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Cli.Output;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Commands;

public sealed class AnswerTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;
    private static readonly Pane Resting = Samples.Working with { Id = "p4", Label = "a4" };
    private static readonly Pane Asking = Samples.Working with
    {
        Label = "a5",
        Activity = Activity.Blocked,
        Question = new AgentQuestion("01a2-q", "confirm", "Go on?"),
    };

    /// <summary>A daemon with an agent at work and one that asks, which takes every answer.</summary>
    private static FakeDaemon Having(params Pane[] panes) => new((line, connection) => connection.SendAsync(
        $$"""{"ok":true,"data":{{(line.Contains("\"snapshot\"", StringComparison.Ordinal)
            ? Json(new Snapshot(Snapshot.CurrentSchema, "host", Now, panes), Wire.Snapshot)
            : $$"""{"id":"{{AgentId}}","label":"a5","name":"pi","kind":"spawned","capabilities":[],"registered_at":"2026-11-22T06:07:08Z"}""")}}}"""));

    [Test]
    [Arguments("a5")]
    [Arguments(AgentId)]
    public async Task Without_a_question_said_it_answers_the_one_that_is_open(string agent)
    {
        await using var daemon = Having(Resting, Asking);

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "answer", agent, "--no"]);

        run.ShouldBe(new CliRun(ExitCodes.Done, "agent a5 has its answer\n", ""));
        daemon.Requests.ShouldBe(["""{"cmd":"snapshot"}""", $$"""{"cmd":"answer","agent_id":"{{agent}}","request":"01a2-q","confirmed":false}"""]);
    }

    [Test]
    [Arguments("a4", "agent a4 has no open question; see who asks: colibri inbox (conflict)")]
    [Arguments("a6", "there is no agent a6 on the glasspane; see who asks: colibri inbox (not-found)")]
    public async Task An_agent_that_asks_nothing_is_sent_nothing(string agent, string said)
    {
        await using var daemon = Having(Resting, Asking);

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "answer", agent, "--yes"]);

        run.ShouldBe(new CliRun(ExitCodes.Refused, "", $"colibri: {said}\n"));
        daemon.Requests.ShouldBe(["""{"cmd":"snapshot"}"""]);
    }

    [Test]
    [Arguments("confirm", "--yes|--no")]
    [Arguments("permission", "--yes|--no")]
    [Arguments("input", "--value TEXT")]
    public async Task What_to_type_fits_a_line(string method, string typed)
    {
        var question = Asking.Question! with { Method = method };
        await using var daemon = FakeDaemon.Granting(Json(
            new InboxReport([new InboxItem(InboxKind.Question, TaskId, 5, AgentId, "a5", Now, "Go on?", ["answer", "stop-agent"]) { Title = "Drop it", Question = question }]),
            Wire.InboxReport));

        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "inbox"])).Out.ShouldBe(
            $"1 question\n  5     5m   Drop it\n             Go on?\n             colibri answer a5 {typed}  colibri stop-agent a5\n");

        await using var panes = Having(Asking with { Question = question });
        (await CliRun.OfAsync(["--socket", panes.SocketPath, "snapshot"])).Out.ShouldContain($"asks: Go on? (colibri answer a5 {typed})\n");
    }
}
