using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Sessions;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Transports;

/// <summary>A run over the Agent Client Protocol that was cut short goes on in the agent's own session, which the transport loads.</summary>
[NotInParallel]
public sealed class AcpGoingOnTests : IAsyncDisposable
{
    private const string Title = "Mend the roof";
    private const string Description = "It leaks.";

    /// <summary>
    /// An agent whose sessions are its process's, and which answers a prompt as <c>.does</c> says: <c>silent</c>, <c>says</c> some words and is cut, or
    /// <c>done</c>. It loads any session, with its history, unless <c>.lost</c> is there. It tells the cost of the whole session.
    /// </summary>
    private const string Server = """
        #!/bin/sh
        say() { printf '%s\n' "$1"; }
        update() { say '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"'"$session"'","update":'"$1"'}}'; }
        words() { update '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"'"$1"'"}}'; }
        cost() { update '{"sessionUpdate":"usage_update","cost":{"amount":'"$1"',"currency":"USD"}}'; }
        : > "$0.heard"
        for argument; do printf '%s\n' "argument $argument" >> "$0.heard"; done
        while read -r line; do
            printf '%s\n' "$line" >> "$0.heard"
            id=${line#*\"id\":}; id=${id%%,*}
            result='{}'
            case $line in
                *'"method":"initialize"'*) result='{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}' ;;
                *'"method":"session/load"'*)
                    if [ -e "$0.lost" ]; then
                        say '{"jsonrpc":"2.0","id":'"$id"',"error":{"code":-32603,"message":"Internal error","data":{"details":"No previous sessions"}}}'
                        continue
                    fi
                    session=${line#*\"sessionId\":\"}; session=${session%%\"*}
                    words 'an earlier answer' ;;
                *'"method":"session/new"'*) session=own-$$; result='{"sessionId":"'"$session"'"}' ;;
                *'"method":"session/prompt"'*)
                    case $(cat "$0.does") in
                        silent) continue ;;
                        says)
                            words 'I look at it.'
                            cost 0.01
                            update '{"sessionUpdate":"agent_thought_chunk","content":{"type":"text","text":"hm"}}'
                            continue ;;
                    esac
                    words 'It is mended.'
                    cost 0.03
                    result='{"stopReason":"end_turn"}' ;;
            esac
            say '{"jsonrpc":"2.0","id":'"$id"',"result":'"$result"'}'
        done
        """;

    private readonly SupervisorFixture _fixture = new();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task A_killed_run_goes_on_in_its_own_session_and_is_booked_once()
    {
        var task = await _fixture.Create(Title, Description, maxAttempts: 1);
        var session = await KilledAfterWords(task);
        Heard().ShouldContain(line => line.Contains("\"session/new\"", StringComparison.Ordinal));

        await SupervisorFixture.End(await Start(task, "done"));

        var runs = await _fixture.Board.RunsAsync(task.Id);
        runs.Select(run => (run.Verdict, run.HarnessSession, run.IsResumed, run.Attempt)).ShouldBe([("interrupted", session, false, 1), ("done", session, true, 1)]);
        runs[1].Arguments.ShouldBe(["acp"]);
        Heard().Count(line => line == "argument acp").ShouldBe(1);
        Heard().ShouldNotContain(line => line.Contains("\"session/new\"", StringComparison.Ordinal));
        Heard().ShouldContain(line => line.Contains("\"session/load\"", StringComparison.Ordinal) && line.Contains($"\"sessionId\":\"{session}\"", StringComparison.Ordinal));
        Heard()[^1].ShouldContain("The run before this one ended before the task was done: the daemon ended while the agent was running.");
        Heard()[^1].ShouldNotContain("leaks");
        var done = await _fixture.Get(task);
        (done.Status, done.Attempts, done.Usage.CostMicrocents).ShouldBe((TaskState.Done, 1, 3_000_000));
        Entries(done, SessionEntryKind.Assistant).ShouldBe(["I look at it.", "It is mended."]);
        Entries(done, SessionEntryKind.Note).ShouldContain($"it goes on in the agent's own session {session}");
    }

    [Test]
    public async Task Its_session_is_on_record_from_the_answer_to_session_new_on()
    {
        var task = await _fixture.Create(Title, Description);
        await Start(task, "silent");
        Shell.Until(() => RunsOf(task) is [{ HarnessSession: not null }], "its session is on record");
        (RunsOf(task)[0].HasAnswered, RunsOf(task)[0].HarnessSession![..4]).ShouldBe((false, "own-"));
    }

    [Test]
    public async Task A_session_that_it_does_not_load_is_begun_anew_in_the_same_run()
    {
        var task = await _fixture.Create(Title, Description, maxAttempts: 1);
        var session = await KilledAfterWords(task);
        await File.WriteAllTextAsync(Program + ".lost", "", TestContext.Current!.Execution.CancellationToken);

        await SupervisorFixture.End(await Start(task, "done"));

        Heard()[^1].ShouldContain($"{Title}\\n\\n{Description}");
        Heard()[^1].ShouldNotContain("The run before this one");
        var runs = await _fixture.Board.RunsAsync(task.Id);
        runs.Select(run => (run.Verdict, run.IsResumed)).ShouldBe([("interrupted", false), ("done", false)]);
        runs[1].HarnessSession.ShouldNotBeNull().ShouldNotBe(session);
        var done = await _fixture.Get(task);
        (done.Status, done.Attempts).ShouldBe((TaskState.Done, 1));
        Entries(done, SessionEntryKind.Note).ShouldContain("the agent could not take up its earlier session: it was told the whole task in a new one");
        await _fixture.Board.RetryAsync(task.Id, "once more");
        File.Delete(Program + ".lost");

        await SupervisorFixture.End(await Start(task, "done"));

        RunsOf(task).Select(run => run.HarnessSession).TakeLast(2).Distinct().ShouldHaveSingleItem();
        Heard()[^1].ShouldContain("\"once more\"");
    }

    private string Program => _fixture.PathOf("opencode");

    private async Task<string> KilledAfterWords(BoardTask task)
    {
        var agent = await Start(task, "says");
        Shell.Until(() => RunsOf(task) is [.., { HasAnswered: true, HarnessSession: not null, FinishedAt: null }], "its session and an answer are on record");
        var spawn = (await _fixture.Board.LiveSpawnsAsync()).ShouldHaveSingleItem();
        // As the next daemon puts it on record; the end of the agent itself comes later, and changes nothing.
        await _fixture.Board.EndRunAsync(new RunEnd
        {
            AgentId = spawn.AgentId,
            Claim = spawn.Claim,
            AgentEnded = true,
            Ending = RunEnding.Killed,
            Verdict = "interrupted",
            Error = new TaskError("interrupted", "the daemon ended while the agent was running"),
        });
        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
        await SupervisorFixture.End(agent);
        return RunsOf(task)[^1].HarnessSession!;
    }

    private Task<SupervisedAgent> Start(BoardTask task, string does)
    {
        if (!File.Exists(Program))
        {
            File.WriteAllText(Program, Server);
            File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        File.WriteAllText(Program + ".does", does);
        return _fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = Program, Transport = Transport.Acp, TaskId = task.Id });
    }

    private string[] Heard() => File.ReadAllLines(Program + ".heard");

    private IReadOnlyList<RunRow> RunsOf(BoardTask task) => _fixture.Board.RunsAsync(task.Id).GetAwaiter().GetResult();

    private List<string?> Entries(BoardTask task, SessionEntryKind kind) =>
        [.. _fixture.Sessions.Read(task.SessionId!, all: true)!.Entries.Where(entry => entry.Kind == kind).Select(entry => entry.Text)];
}
