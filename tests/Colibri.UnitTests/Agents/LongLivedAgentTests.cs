using Colibri.Core.Agents;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents;

/// <summary>Agents that are prompted over standard input: several tasks one after another, told and asked things in between.</summary>
[NotInParallel]
public sealed class LongLivedAgentTests : IAsyncDisposable
{
    /// <summary>Answers every command, and plays a run for each prompt whose end its words choose: "break" fails it, "hang" never ends it.</summary>
    private const string Server = """
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            case $line in
                *'"type":"prompt"'*)
                    echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
                    echo '{"type":"agent_start"}'
                    case $line in
                        *hang*) ;;
                        *break*)
                            echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"it broke"}}'
                            echo '{"type":"agent_settled"}' ;;
                        *ask*) echo '{"type":"extension_ui_request","id":"q1","method":"select","title":"Which?","options":["red","green"]}' ;;
                        *)
                            echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"ok"}],"usage":{"input":10,"output":5,"cacheRead":2,"cacheWrite":1,"cost":{"total":0.01}},"stopReason":"stop"}}'
                            echo '{"type":"agent_settled"}' ;;
                    esac ;;
                *'"type":"extension_ui_response"'*)
                    echo "$line" >&2
                    echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"answered"}],"stopReason":"stop"}}'
                    echo '{"type":"agent_settled"}' ;;
                *'"type":"steer"'*) echo '{"id":"'"$id"'","type":"response","command":"steer","success":false,"error":"no room"}' ;;
                *) echo '{"id":"'"$id"'","type":"response","command":"other","success":true}' ;;
            esac
        done
        """;

    private readonly SupervisorFixture _fixture = new(maxAgents: 2);

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task One_agent_takes_one_task_after_another_each_with_a_run_and_a_cost_of_its_own()
    {
        var (first, second) = (await _fixture.Create("first"), await _fixture.Create("second"));
        var agent = await Spawn(first);
        Shell.Until(() => agent.IsAtRest, "the first task is done and the agent at rest");
        (await agent.TryAssignAsync(second.Id)).ShouldBeTrue();
        Shell.Until(() => agent.IsAtRest, "the second is done");

        foreach (var task in new[] { first, second })
        {
            var done = await _fixture.Get(task);
            (done.Status, done.Verdict, done.SessionId, done.Usage.CostMicrocents).ShouldBe((TaskState.Done, "done", agent.SessionId, 1_000_000));
            (await _fixture.OnlyRun(task)).AgentId.ShouldBe(agent.Id);
        }
        agent.ToPane().TaskId.ShouldBeNull();
        _fixture.Sessions.Read(agent.SessionId, all: true)!.Entries.Where(entry => entry.Kind != SessionEntryKind.Usage).Select(entry => entry.Text)
            .ShouldBe(["first", "ok", "run ended: done", "second", "ok", "run ended: done"]);
    }

    [Test]
    public async Task Entries_that_are_lost_are_those_of_the_run_that_lost_them()
    {
        var tasks = new List<BoardTask>();
        foreach (var title in (string[])["kept", "lost", "kept again"])
            tasks.Add(await _fixture.Create(title));
        var agent = await Spawn(tasks[0]);
        Shell.Until(() => agent.IsAtRest, "the first task is done");
        agent.ToPane().SessionEntriesDropped.ShouldBeNull();
        Directory.Move(_fixture.Sessions.Root, _fixture.Sessions.Root + ".away");
        await File.WriteAllTextAsync(_fixture.Sessions.Root, "in the way", TestContext.Current!.Execution.CancellationToken);

        (await agent.TryAssignAsync(tasks[1].Id)).ShouldBeTrue();
        Shell.Until(() => agent.IsAtRest, "the second is done");
        var lost = (await _fixture.OnlyRun(tasks[1])).SessionEntriesDropped;
        agent.ToPane().NeedsAttention.ShouldBeTrue("the disk refuses its session");
        File.Delete(_fixture.Sessions.Root);
        Directory.Move(_fixture.Sessions.Root + ".away", _fixture.Sessions.Root);
        (await agent.TryAssignAsync(tasks[2].Id)).ShouldBeTrue();
        Shell.Until(() => agent.IsAtRest, "the third is done");

        lost.ShouldBeGreaterThan(1, "prompt, words and the note of its end");
        (await _fixture.OnlyRun(tasks[0])).SessionEntriesDropped.ShouldBe(0);
        (await _fixture.OnlyRun(tasks[2])).SessionEntriesDropped.ShouldBe(0);
        (agent.ToPane().SessionEntriesDropped, _fixture.Supervisor.SessionEntriesDropped).ShouldBe((lost, lost));
        agent.ToPane().NeedsAttention.ShouldBeFalse();
        _fixture.Sessions.Read(agent.SessionId, all: true)!.Entries.Where(entry => entry.Kind != SessionEntryKind.Usage).Select(entry => entry.Text)
            .ShouldBe(["kept", "ok", "run ended: done", "kept again", "ok", "run ended: done"]);
    }

    [Test]
    public async Task A_later_task_that_takes_too_long_is_ended_as_the_first_would_be()
    {
        await using var fixture = new SupervisorFixture(configure: configuration => configuration with { RunTimeout = TimeSpan.FromMilliseconds(200) });
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Server) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.IsAtRest, "it is there");
        var task = await fixture.Create("hang", maxAttempts: 1);
        (await agent.TryAssignAsync(task.Id)).ShouldBeTrue();
        await SupervisorFixture.End(agent);
        (await fixture.Get(task)).Error!.Message.ShouldStartWith("the run took longer than 0.2 s (COLIBRI_RUN_TIMEOUT); it was stopped");
    }

    [Test]
    public async Task The_time_that_a_question_waits_is_no_part_of_the_runs()
    {
        var limit = TimeSpan.FromMilliseconds(600);
        await using var fixture = new SupervisorFixture(configure: configuration => configuration with { RunTimeout = limit, SilenceTimeout = limit, StallAfter = limit, StallKill = true });
        var task = await fixture.Create("ask", maxAttempts: 1);
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Server, task) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.Question is not null, "it asks");
        var since = System.Diagnostics.Stopwatch.StartNew();
        Shell.Until(() => since.Elapsed > 2 * limit, "it waits for longer than a run may take");
        agent.HasEnded.ShouldBeFalse();
        agent.TryAnswer("q1", "red", null).ShouldBeTrue();
        Shell.Until(() => agent.IsAtRest, "it goes on and is done");
        (await fixture.Get(task)).Verdict.ShouldBe("done");
    }

    [Test]
    public async Task A_question_has_a_limit_where_one_is_set()
    {
        await using var fixture = new SupervisorFixture(configure: configuration => configuration with { QuestionTimeout = TimeSpan.FromMilliseconds(200) });
        var task = await fixture.Create("ask", maxAttempts: 1);
        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Server, task) with { Rpc = true, TakesTasks = true, IsKept = true }));
        (await fixture.Get(task)).Error.ShouldBe(new TaskError("deadline", "asked \"Which?\" and got no answer for 0.2 s (COLIBRI_QUESTION_TIMEOUT); it was stopped; "
            + "its last event was response; answer with `colibri answer`, or raise COLIBRI_QUESTION_TIMEOUT"));
    }

    [Test]
    public async Task An_agent_whose_run_failed_is_replaced_unless_it_is_to_be_kept()
    {
        var task = await _fixture.Create("break it", maxAttempts: 1);
        await SupervisorFixture.End(await Spawn(task));
        (await _fixture.Get(task)).Error.ShouldBe(new TaskError("agent-error", "it broke"));

        var (broken, whole) = (await _fixture.Create("break it too", maxAttempts: 1), await _fixture.Create("mend it"));
        var kept = await Spawn(broken, isKept: true);
        Shell.Until(() => kept.IsAtRest, "it stays");
        (await _fixture.Get(broken)).Error.ShouldBe(new TaskError("agent-error", "it broke"));
        (await kept.TryAssignAsync(whole.Id)).ShouldBeTrue();
        Shell.Until(() => kept.IsAtRest, "it is at rest again");
        (await _fixture.Get(whole)).Status.ShouldBe(TaskState.Done);
    }

    [Test]
    public async Task A_task_is_given_to_one_agent_at_rest_alone_and_an_agent_takes_one_at_a_time()
    {
        var agent = await Spawn(await _fixture.Create("first"));
        Shell.Until(() => agent.IsAtRest, "it is at rest");
        var task = await _fixture.Create("hang");
        (await Task.WhenAll(agent.TryAssignAsync(task.Id), agent.TryAssignAsync((await _fixture.Create("another")).Id))).Count(taken => taken).ShouldBe(1);

        var taken = await _fixture.Create("taken");
        await _fixture.Board.ClaimAsync(taken.Id, "somebody");
        (await agent.TryAssignAsync(taken.Id)).ShouldBeFalse();
    }

    [Test]
    public async Task A_task_in_the_hands_of_an_agent_that_dies_is_tried_again()
    {
        var agent = await Spawn(await _fixture.Create("first"));
        Shell.Until(() => agent.IsAtRest, "it is at rest");
        var task = await _fixture.Create("hang");
        (await agent.TryAssignAsync(task.Id)).ShouldBeTrue();
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "it works");

        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
        await SupervisorFixture.End(agent);

        var queued = await _fixture.Get(task);
        (queued.Status, queued.Verdict, queued.Attempts).ShouldBe((TaskState.Queued, "stopped", 1));
    }

    [Test]
    public async Task A_task_that_is_given_to_an_agent_while_it_ends_is_never_left_without_one()
    {
        for (var round = 0; round < 20; round++)
        {
            var agent = await Spawn(await _fixture.Create($"first {round}"));
            Shell.Until(() => agent.IsAtRest, "it is at rest");
            var task = await _fixture.Create($"hang {round}");
            var assigning = Task.Run(() => agent.TryAssignAsync(task.Id));
            if (round % 2 == 0)
                await Task.Yield();
            _fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
            await assigning;
            await SupervisorFixture.End(agent);

            (await _fixture.Board.RunsAsync(task.Id)).ShouldAllBe(run => run.FinishedAt != null);
            (await _fixture.Get(task)).Status.ShouldBe(TaskState.Queued, $"round {round}");
            await _fixture.Board.CancelAsync(task.Id);
        }
        (await _fixture.Board.LiveSpawnsAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_question_is_shown_and_answered_once()
    {
        var task = await _fixture.Create("ask me", maxAttempts: 1);
        var agent = await Spawn(task);
        Shell.Until(() => agent.Question is not null, "it asks");
        var pane = agent.ToPane();
        (pane.Activity, pane.NeedsAttention, pane.Question!.Request, pane.Question.Method, pane.Question.Title)
            .ShouldBe((Activity.Blocked, true, "q1", "select", "Which?"));
        pane.Question.Options.ShouldBe(["red", "green"]);

        agent.TryAnswer("q2", "red", null).ShouldBeFalse("it asks nothing of that name");
        agent.TryAnswer("q1", "green", null).ShouldBeTrue();
        agent.TryAnswer("q1", "red", null).ShouldBeFalse("it has its answer");
        Shell.Until(() => agent.IsAtRest, "the run goes on to its end");
        (await _fixture.OnlyRun(task)).StderrTail.ShouldBe("""{"type":"extension_ui_response","id":"q1","value":"green"}""" + "\n");
    }

    [Test]
    public async Task What_it_is_told_at_rest_is_a_prompt_and_while_it_works_an_addition()
    {
        var agent = await Spawn(await _fixture.Create("first"));
        Shell.Until(() => agent.IsAtRest, "it is at rest");
        (await agent.TellAsync("hang on")).IsTaken.ShouldBeTrue();
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "it works");
        (await agent.TellAsync("and this")).ShouldBe(RpcReply.Refused("no room"));
    }

    [Test]
    public async Task An_agent_that_never_answers_its_prompt_is_ended_by_the_limit_of_the_first_sign()
    {
        var limit = TimeSpan.FromMilliseconds(300);
        await using var fixture = new SupervisorFixture(configure: configuration => configuration with { FirstEventTimeout = limit });
        var task = await fixture.Create("anything", maxAttempts: 1);
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request("cat > /dev/null", task) with { Rpc = true, TakesTasks = true, IsKept = true });
        await SupervisorFixture.End(agent);
        (await fixture.Get(task)).Error!.Message.ShouldContain("COLIBRI_FIRST_EVENT_TIMEOUT");
    }

    [Test]
    public async Task What_it_is_told_while_a_task_is_being_given_to_it_is_not_sent()
    {
        // Without an answer to its command to forget, the task's prompt waits.
        const string deaf = """
            echo '{"type":"session","id":"s"}'
            while read -r line; do echo "$line" >&2; done
            """;
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(deaf) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.IsAtRest, "it is there");
        (await agent.TryAssignAsync((await _fixture.Create("a task")).Id)).ShouldBeTrue();
        var reply = await agent.TellAsync("hello");
        (reply.IsTaken, reply.IsAnswered).ShouldBe((false, false));
        reply.Problem.ShouldBe("it is being given a task or a prompt; try again");
        (agent.StderrTail.Text(Secrets.None) ?? "").ShouldNotContain("hello");
    }

    [Test]
    public async Task A_question_outside_a_run_keeps_no_task_away_once_it_has_its_answer()
    {
        var script = "echo '{\"type\":\"extension_ui_request\",\"id\":\"q0\",\"method\":\"confirm\",\"title\":\"Trust?\"}'\n"
            + Server.Replace("extension_ui_response", "never", StringComparison.Ordinal);
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.Question is not null, "it asks");
        agent.IsAtRest.ShouldBeFalse();
        agent.TryAnswer("q0", null, true).ShouldBeTrue();
        agent.IsAtRest.ShouldBeTrue();
        var task = await _fixture.Create("anything");
        (await agent.TryAssignAsync(task.Id)).ShouldBeTrue();
        Shell.Until(() => agent.IsAtRest, "it is done");
        (await _fixture.Get(task)).Verdict.ShouldBe("done");
    }

    [Test]
    public async Task A_prompt_that_is_refused_for_its_key_costs_no_attempt()
    {
        var task = await _fixture.Create("anything", maxAttempts: 1);
        const string Refuses = """read -r line; echo '{"id":"1","type":"response","command":"prompt","success":false,"error":"401: invalid x-api-key"}'; cat >/dev/null""";
        await SupervisorFixture.End(await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Refuses, task) with { Rpc = true }));
        var queued = await _fixture.Get(task);
        (queued.Status, queued.Verdict, queued.Attempts, queued.Error?.Message).ShouldBe((TaskState.Queued, "provider", 0, "401: invalid x-api-key"));
        _fixture.Engine.Holds.Status().ShouldNotBeEmpty();
    }

    [Test]
    public async Task An_agent_without_a_task_that_began_and_failed_says_nothing_about_its_program()
    {
        for (var n = 0; n < Colibri.Core.Runs.CrashBreaker.TripsAfter; n++)
            await SupervisorFixture.End(await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request("echo '{\"type\":\"session\",\"id\":\"s\"}'; exit 1")));
        _fixture.Engine.Breaker.Status().ShouldBeEmpty();
    }

    [Test]
    public async Task An_agent_for_one_run_takes_no_words()
    {
        var agent = await _fixture.SpawnWorking();
        (await agent.TellAsync("hello")).Problem.ShouldNotBeNull().ShouldContain("one run");
    }

    private Task<SupervisedAgent> Spawn(BoardTask task, bool isKept = false) =>
        _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Server, task) with { Rpc = true, TakesTasks = true, IsKept = isKept });
}
