using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Transports;

/// <summary>How runs over ACP and duplex end where the agent's process, and not its protocol, decides: exits, pipes that are not read, words at the very end.</summary>
[NotInParallel]
public sealed class AgentsOwnEndTests : IAsyncDisposable
{
    private const string Opens = """
        #!/bin/sh
        say() { printf '%s\n' "$1"; }
        while read -r line; do
            id=${line#*\"id\":}; id=${id%%,*}
            result='{}'
            case $line in
                *'"method":"initialize"'*) result='{"protocolVersion":1}' ;;
                *'"method":"session/new"'*) @NEW@ result='{"sessionId":"own"}' ;;
                *'"method":"session/prompt"'*) @PROMPT@ ;;
            esac
            say '{"jsonrpc":"2.0","id":'"$id"',"result":'"$result"'}'
        done
        """;

    private readonly SupervisorFixture _fixture = new();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task An_agent_that_exits_while_its_session_is_made_is_judged_by_its_exit_and_its_last_words()
    {
        var task = await _fixture.Create("mend it", maxAttempts: 1);
        await SupervisorFixture.End(await StartAsync("opencode", Opens.Replace("@NEW@", "echo 'no such licence' >&2; exit 3;", StringComparison.Ordinal), Transport.Acp, task));
        var done = await _fixture.Get(task);
        (done.Verdict, done.Error!.Message).ShouldBe(("exit-code", "exited 3 after response: no such licence"));
    }

    [Test]
    public async Task An_agent_that_asks_and_reads_no_answer_is_ended_with_that_cause()
    {
        const string Asks = """
            i=0
            while [ $i -lt 4000 ]; do
                i=$((i + 1))
                say '{"jsonrpc":"2.0","id":'$i',"method":"session/request_permission","params":{"sessionId":"own","toolCall":{"toolCallId":"c-'$i'","title":"ls","kind":"execute"},"options":[{"optionId":"yes","name":"Allow","kind":"allow_once"}]}}'
            done
            exec sleep 300
            """;
        var task = await _fixture.Create("mend it", maxAttempts: 1);
        var agent = await StartAsync("opencode", Opens.Replace("@PROMPT@", Asks, StringComparison.Ordinal), Transport.Acp, task);
        await SupervisorFixture.End(agent);
        var done = await _fixture.Get(task);
        (done.Verdict, done.Error!.Message).ShouldBe(("stopped", "it does not read its standard input: 1024 answers to what it has asked wait there; it was stopped"));
    }

    [Test]
    public async Task A_prompt_that_is_refused_is_so_in_the_session()
    {
        const string Refuses = """
            say '{"jsonrpc":"2.0","id":'"$id"',"error":{"code":-32603,"message":"no such model"}}'; continue
            """;
        var task = await _fixture.Create("mend it", maxAttempts: 1);
        await SupervisorFixture.End(await StartAsync("opencode", Opens.Replace("@PROMPT@", Refuses, StringComparison.Ordinal), Transport.Acp, task));
        Entries(task).ShouldBe(["user: mend it", "note: the agent refused the prompt: no such model", "note: run ended: agent-error (no such model)"]);
    }

    /// <summary>The agent prints the end of its turn when the words are with it already, and begins another turn with them.</summary>
    [Test]
    public async Task Words_that_come_at_the_end_of_a_turn_over_duplex_are_answered_within_the_run()
    {
        const string Server = """
            #!/bin/sh
            turn() {
                printf '%s\n' '{"type":"system","subtype":"init","session_id":"own"}'
                printf '%s\n' '{"type":"assistant","message":{"id":"m-'"$1"'","role":"assistant","content":[{"type":"text","text":"'"$1"'"}]},"session_id":"own"}'
            }
            ends() { printf '%s\n' '{"type":"result","subtype":"success","is_error":false,"result":"'"$1"'","num_turns":1,"session_id":"own","total_cost_usd":0.01,"usage":{"input_tokens":1,"output_tokens":1}}'; }
            read -r line; turn first
            read -r line; ends first
            turn second; ends second
            while read -r line; do :; done
            """;
        var task = await _fixture.Create("mend it", maxAttempts: 1);
        var agent = await StartAsync("claude", Server, Transport.Duplex, task);
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "it works");
        (await agent.TellAsync("and this")).IsTaken.ShouldBeTrue();
        await SupervisorFixture.End(agent);
        var done = await _fixture.Get(task);
        done.Verdict.ShouldBe("done", done.Error?.Message);
        done.Result!.Text.ShouldBe("second");
        Entries(task).ShouldBe(["user: mend it", "assistant: first", "user: and this", "assistant: second", "note: run ended: done"], ignoreOrder: true);
    }

    /// <summary>What it prints behind the end of its run, before its exit, is read and kept.</summary>
    [Test]
    public async Task Words_behind_the_result_and_before_the_exit_are_in_the_session()
    {
        const string Server = """
            #!/bin/sh
            read -r line
            printf '%s\n' '{"type":"assistant","message":{"id":"m-1","role":"assistant","content":[{"type":"text","text":"first"}]},"session_id":"own"}'
            printf '%s\n' '{"type":"result","subtype":"success","is_error":false,"result":"first","num_turns":1,"session_id":"own","total_cost_usd":0.01,"usage":{"input_tokens":1,"output_tokens":1}}'
            while read -r line; do :; done
            printf '%s\n' '{"type":"assistant","message":{"id":"m-2","role":"assistant","content":[{"type":"text","text":"last words"}]},"session_id":"own"}'
            printf '%s\n' '{"type":"result","subtype":"success","is_error":false,"result":"last words","num_turns":1,"session_id":"own","total_cost_usd":0.03,"usage":{"input_tokens":1,"output_tokens":1}}'
            """;
        var task = await _fixture.Create("mend it", maxAttempts: 1);
        await SupervisorFixture.End(await StartAsync("claude", Server, Transport.Duplex, task));
        var done = await _fixture.Get(task);
        (done.Verdict, done.Result!.Text, done.Usage.CostMicrocents).ShouldBe(("done", "last words", 3_000_000));
        Entries(task).ShouldBe(["user: mend it", "assistant: first", "assistant: last words", "note: run ended: done"]);
    }

    private Task<SupervisedAgent> StartAsync(string name, string script, Transport transport, BoardTask task)
    {
        var program = _fixture.PathOf(name);
        File.WriteAllText(program, script.Replace("@NEW@", "", StringComparison.Ordinal).Replace("@PROMPT@", "", StringComparison.Ordinal));
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return _fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = program, Transport = transport, TaskId = task.Id, Access = transport == Transport.Acp ? Access.Full : Access.Edit });
    }

    private List<string> Entries(BoardTask task) =>
        [.. _fixture.Sessions.Read(_fixture.Board.GetAsync(task.Id).GetAwaiter().GetResult()!.SessionId!, all: true)!.Entries
            .Where(entry => entry.Kind != SessionEntryKind.Usage).Select(entry => $"{entry.Kind.ToString().ToLowerInvariant()}: {entry.Text}")];
}
