using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Providers;

namespace Colibri.UnitTests.Runs;

/// <summary>What a run's agent said last, and what it was asked and answered, on every road that a run can take.</summary>
[NotInParallel]
public sealed class ResultTests : IAsyncDisposable
{
    private const string Key = "sk-ant-api03-Zq8vR2mWx7LbT4nKc9Jd5Hf6Gs3Pa1Uy0EiOo";

    /// <summary>Says the words of each prompt, and fails where they say so.</summary>
    private const string Server = """
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            case $line in
                *'"type":"prompt"'*)
                    words=${line#*\"message\":\"}; words=${words%%\"*}
                    echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
                    echo '{"type":"agent_start"}'
                    case $line in
                        *silent*) echo '{"type":"tool_execution_start","toolCallId":"t","toolName":"bash","args":{}}'; echo '{"type":"tool_execution_end","toolCallId":"t","toolName":"bash","result":{"content":[]},"isError":false}' ;;
                        *ask*) echo '{"type":"extension_ui_request","id":"q1","method":"'"${words#ask }"'","title":"Which?","options":["red","green"]}'; continue ;;
                        *) echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"said '"$words"'"}],"stopReason":"stop"}}' ;;
                    esac
                    case $line in *break*) echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"it broke"}}' ;; esac
                    echo '{"type":"agent_settled"}' ;;
                *'"type":"extension_ui_response"'*)
                    echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"heard it"}],"stopReason":"stop"}}'
                    echo '{"type":"agent_settled"}' ;;
                *) echo '{"id":"'"$id"'","type":"response","command":"other","success":true}' ;;
            esac
        done
        """;

    private readonly SupervisorFixture _fixture = new(secrets: Keys.Of(Key));

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    [Arguments("claude", """{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"first"}]}}|{"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"in part"}]}}|{"type":"result","subtype":"success","is_error":false,"result":"in whole"}""", "in whole")]
    [Arguments("claude", """{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"mine"}]}}|{"type":"assistant","parent_tool_use_id":"t","message":{"id":"m2","content":[{"type":"text","text":"a sub-agent's"}]}}|{"type":"result","subtype":"success","is_error":false}""", "mine")]
    [Arguments("codex", """{"type":"turn.started"}|{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"first"}}|{"type":"item.completed","item":{"id":"2","type":"agent_message","text":"last"}}|{"type":"turn.completed","usage":{}}""", "last")]
    [Arguments("opencode", """{"type":"step_start"}|{"type":"text","part":{"text":"first"}}|{"type":"text","part":{"text":"last\nof two lines"}}|{"type":"step_finish","part":{"reason":"stop"}}""", "last\nof two lines")]
    [Arguments("pi", """{"type":"agent_start"}|{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"stopReason":"stop"}}|{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"  "}],"stopReason":"stop"}}|{"type":"agent_settled"}""", "a\nb")]
    [Arguments("zot", """{"type":"turn_start"}|{"type":"assistant_message","content":[{"type":"text","text":"last"}]}|{"type":"done"}""", "last")]
    public async Task A_done_run_has_the_last_words_of_its_agent_and_the_end_of_standard_error(string kind, string lines, string words)
    {
        var task = await _fixture.Create();
        var script = $"cat <<'END'\n{lines.Replace('|', '\n')}\nEND\necho 'talk of {kind}' >&2";
        await SupervisorFixture.End(await _fixture.Supervisor.SpawnAsync(new() { Binary = "sh", Runtime = kind, Arguments = ["-c", script], Rpc = false, TaskId = task.Id }));

        var done = await _fixture.Get(task);
        (done.Status, done.Result).ShouldBe((TaskState.Done, new TaskResult(words)));
        var run = await _fixture.OnlyRun(task);
        (run.Result, run.StderrTail).ShouldBe((new TaskResult(words), $"talk of {kind}\n"));
    }

    [Test]
    public async Task A_failed_run_has_them_as_well_and_the_next_one_its_own()
    {
        var task = await _fixture.Create(maxAttempts: 2);
        var failed = await _fixture.RunToEnd("""echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"I tried"}],"stopReason":"stop"}}'; exit 3""", task);
        (failed.Status, failed.Result).ShouldBe((TaskState.Queued, new TaskResult("I tried")));

        var silent = await _fixture.RunToEnd("exit 3", task);
        (silent.Status, silent.Result).ShouldBe((TaskState.Failed, null));
        (await _fixture.Board.RunsAsync(task.Id)).Select(run => run.Result?.Text).ShouldBe(["I tried", null]);
    }

    [Test]
    public async Task A_stopped_and_a_cancelled_run_have_them()
    {
        const string Talks = """echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"so far"}],"stopReason":"toolUse"}}'; exec sleep 300""";
        var (stopped, cancelled) = (await _fixture.Create(maxAttempts: 1), await _fixture.Create(maxAttempts: 1));
        foreach (var task in new[] { stopped, cancelled })
        {
            var agent = await _fixture.Spawn(Talks, task);
            Shell.Until(() => agent.ToPane().Events == 2, "it has spoken");
            if (task == cancelled)
                await _fixture.Board.CancelAsync(task.Id);
            _fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
            await SupervisorFixture.End(agent);
            (await _fixture.Get(task)).Result.ShouldBe(new TaskResult("so far"));
        }
    }

    [Test]
    public async Task Each_run_of_a_long_lived_agent_has_its_own()
    {
        var tasks = new List<BoardTask>();
        foreach (var title in (string[])["one", "two", "silent", "break"])
            tasks.Add(await _fixture.Create(title, maxAttempts: 1));
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Server, tasks[0]) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.IsAtRest, "the first is done");
        foreach (var task in tasks[1..])
        {
            (await agent.TryAssignAsync(task.Id)).ShouldBeTrue();
            Shell.Until(() => agent.IsAtRest, "the next is done");
        }
        var ended = new List<BoardTask>();
        foreach (var task in tasks)
            ended.Add(await _fixture.Get(task));
        ended.Select(task => (task.Status, task.Result?.Text)).ShouldBe(
            [(TaskState.Done, "said one"), (TaskState.Done, "said two"), (TaskState.Done, null), (TaskState.Failed, "said break")]);
    }

    [Test]
    public async Task Long_words_are_cut_and_a_key_in_them_is_not_told()
    {
        var task = await _fixture.Create();
        var script = $$$"""
            echo '{"type":"agent_start"}'
            printf '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"{{{Key}}} '
            head -c 300000 /dev/zero | tr '\0' x
            printf '"}],"stopReason":"stop"}}\n{"type":"agent_settled"}\n'
            """;
        var result = (await _fixture.RunToEnd(script, task)).Result!;
        (result.Truncated, result.Text.Length, result.Text[..12]).ShouldBe((true, 64 * 1024, "[redacted] x"));
        // The board keeps it over a restart, and a list is shorter for it.
        (await _fixture.Board.ListAsync(null, 10, null, 1)).Tasks.ShouldHaveSingleItem().Result.ShouldBe(result);
        await _fixture.Create();
        (await _fixture.Board.ListAsync(null, 10, null, 1_000)).Next.ShouldBe(task.Id);
    }

    [Test]
    [Arguments("select", "red", null, "red")]
    [Arguments("confirm", null, true, "yes")]
    [Arguments("confirm", null, false, "no")]
    [Arguments("input", null, null, "cancelled")]
    [Arguments("editor", "my " + Key, null, "my [redacted]")]
    public async Task A_question_and_its_answer_stand_in_the_session_in_their_order(string method, string? value, bool? confirmed, string answer)
    {
        var task = await _fixture.Create($"ask {method}");
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Server, task) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.Question is not null, "it asks");
        agent.TryAnswer("q1", value, confirmed).ShouldBeTrue();
        Shell.Until(() => agent.IsAtRest, "it is done");

        var entries = _fixture.Sessions.Read((await _fixture.Get(task)).SessionId!, all: true)!.Entries;
        entries.Select(entry => (entry.Kind, entry.Text)).ShouldBe(
        [
            (SessionEntryKind.User, $"ask {method}"), (SessionEntryKind.Question, "Which?\n- red\n- green"), (SessionEntryKind.Answer, answer),
            (SessionEntryKind.Assistant, "heard it"), (SessionEntryKind.Note, "run ended: done"),
        ]);
    }
}
