using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Launch;

/// <summary>A run that was cut short is gone on with in the agent's own session, by programs that have the names of agents and print their recordings.</summary>
[NotInParallel]
public sealed class GoingOnTests : IAsyncDisposable
{
    private const string Title = "Mend the roof";
    private const string Description = "It leaks.\nOn the north side: \"quoted\", 'quoted', ünïcode.";
    private const string InTool = "exec sleep 300";

    /// <summary>
    /// A kind, what its first run prints before the kill, what the next run prints, the arguments from the session's on, and what both have used by what
    /// they say. Codex, Qwen and droid tell the whole session's; Gemini nothing of a run that was killed, and Copilot nothing but in its file, which is not
    /// among the recordings. Of Pi no resumed run is on record, and another one's is taken under the session's id.
    /// </summary>
    private static readonly (string Kind, string Killed, string Next, string Arguments, Usage Used)[] Kinds =
    [
        ("claude", "claude-2.1-stream-json-killed", "claude-2.1-stream-json-resumed", "--resume @", Used(324, 13, 2176, 106240)),
        ("codex", "codex-0.171-exec-json-killed", "codex-0.171-exec-json-resumed", "resume @", Used(472, 64, 3328, 0)),
        ("opencode", "opencode-1.18-run-json-killed", "opencode-1.18-run-json-resumed", "-s @", Used(148, 12, 1152, 96960)),
        ("pi", "pi-1.6.0-json-killed-by-TERM-in-tool", "pi-1.6.0-json-tool", "--session @", Used(500, 92, 3200, 384000)),
        ("gemini", "gemini-0.61-stream-json-killed", "gemini-0.61-stream-json-resumed", "--resume @ -p", Used(296, 24, 2304, 0)),
        ("qwen", "qwen-0.24-stream-json-killed", "qwen-0.24-stream-json-resumed", "--resume @", Used(472, 64, 3328, 0)),
        ("copilot", "copilot-1.0-json-killed", "copilot-1.0-json-resumed", "--resume=@ -p", Used(0, 0, 0, 0)),
        ("droid", "droid-0.225-stream-json-killed", "droid-0.225-stream-json-resumed", "-s @", Used(324, 52, 2176, 0)),
    ];

    /// <summary>
    /// A kind, a run that is done, one in the same session after feedback, and what both have used: Codex tells what the whole thread has used, the others
    /// what the run has, Claude Code its cost both ways. Qwen and droid tell the session's as well.
    /// </summary>
    private static readonly (string Kind, string First, string Next, Usage Used)[] SentBack =
    [
        ("claude", "claude-2.1-stream-json-resumed", "claude-2.1-stream-json-resumed-again", Used(296, 24, 2304, 203200)),
        ("codex", "codex-0.171-exec-json-tool", "codex-0.171-exec-json-resumed", Used(472, 64, 3328, 0)),
        ("opencode", "opencode-1.18-run-json", "opencode-1.18-run-json-resumed", Used(472, 64, 3328, 337440)),
        ("pi", "pi-1.6.0-json-tool", "pi-1.6.0-json-two", Used(648, 104, 4352, 480960)),
        ("gemini", "gemini-0.61-stream-json-tool", "gemini-0.61-stream-json-resumed", Used(670, 79, 4480, 0)),
        ("qwen", "qwen-0.24-stream-json-tool", "qwen-0.24-stream-json-resumed", Used(472, 64, 3328, 0)),
        ("copilot", "copilot-1.0-json-tool", "copilot-1.0-json-resumed", Used(0, 0, 0, 0)),
        ("droid", "droid-0.225-stream-json-tool", "droid-0.225-stream-json-resumed", Used(324, 52, 2176, 0)),
    ];

    private readonly SupervisorFixture _fixture = new(configure: plain => plain with { SchedulerPromptInjection = true });

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    public static List<(string, string, string, string, Usage)> Expectations() => [.. Kinds];

    public static List<(string, string, string, Usage)> SentBackExpectations() => [.. SentBack];

    [Test]
    [MethodDataSource(nameof(Expectations))]
    public async Task A_killed_run_goes_on_in_its_own_session_and_is_booked_once(string kind, string killed, string next, string arguments, Usage used)
    {
        var task = await _fixture.Create(Title, Description, maxAttempts: 1);
        var session = await KilledInATool(kind, killed, task);

        await RunToEnd(kind, task, Print(next, session));

        var runs = await _fixture.Board.RunsAsync(task.Id);
        runs.Select(run => (run.Verdict, run.HarnessSession, run.IsResumed, run.Attempt)).ShouldBe([("interrupted", session, false, 1), ("done", session, true, 1)]);
        ShouldTakeUp(kind, arguments, session);
        runs[1].Arguments.ShouldBe(Said(kind));
        Said(kind)[^1].ShouldStartWith("The run before this one ended before the task was done: the daemon ended while the agent was running.\n");
        Said(kind)[^1].ShouldNotContain("leaks");
        var done = await _fixture.Get(task);
        (done.Status, done.Attempts, done.Interruptions).ShouldBe((TaskState.Done, 1, 0));
        ((done.Usage with { UnpricedTokens = 0 }), (await _fixture.Board.UsageOfDayAsync(_fixture.Budgets.Today)) with { UnpricedTokens = 0 }).ShouldBe((used, used));
        Notes(done).ShouldContain($"it goes on in the agent's own session {session}");
        _fixture.Logger.Of(535).ShouldHaveSingleItem().ShouldContain(session);
    }

    [Test]
    [MethodDataSource(nameof(SentBackExpectations))]
    public async Task A_run_that_is_sent_back_is_booked_once(string kind, string first, string next, Usage used)
    {
        var task = await _fixture.Create(Title, Description);
        await RunToEnd(kind, task, Print(first));
        var session = RunsOf(task)[0].HarnessSession!;
        await _fixture.Board.RetryAsync(task.Id, "once more");

        await RunToEnd(kind, task, Print(next, session));

        ShouldTakeUp(kind, Kinds.First(row => row.Kind == kind).Arguments, session);
        Said(kind)[^1].ShouldBe("once more");
        ((await _fixture.Get(task)).Usage with { UnpricedTokens = 0 }, (await _fixture.Board.UsageOfDayAsync(_fixture.Budgets.Today)) with { UnpricedTokens = 0 }).ShouldBe((used, used));
    }

    /// <summary>Each kind, also with a second task between, whose session is its own.</summary>
    [Test]
    [Arguments("claude")]
    [Arguments("opencode")]
    public async Task Each_task_goes_on_in_its_own_session(string kind)
    {
        var row = Kinds.First(known => known.Kind == kind);
        var (first, second) = (await _fixture.Create(Title, Description), await _fixture.Create("Paint the door"));
        var session = await KilledInATool(kind, row.Killed, first);

        await RunToEnd(kind, second, Print(row.Next, session));
        Said(kind).ShouldNotContain(session);
        Said(kind)[^1].ShouldBe("Paint the door");
        await RunToEnd(kind, first, Print(row.Next, session));

        Said(kind).ShouldContain(session);
    }

    [Test]
    public async Task A_session_in_which_nothing_was_answered_is_worth_nothing()
    {
        var task = await _fixture.Create(Title, Description);
        var agent = await Start("pi", task, $"head -n 2 '{PathOf("pi-1.6.0-json-tool")}'; {InTool}");
        Shell.Until(() => RunsOf(task) is [{ HarnessSession: not null }], "its session is on record");
        RunsOf(task)[0].HasAnswered.ShouldBeFalse();
        await Kill(agent);

        await RunToEnd("pi", task, Print("pi-1.6.0-json-tool"));

        Said("pi").SkipLast(1).ShouldBe(["--mode", "json"]);
        Said("pi")[^1].ShouldEndWith($"{Title}\n\n{Description}");
    }

    /// <summary>A kill in its first moment leaves the id all the same, as it was given.</summary>
    [Test]
    public async Task An_id_that_is_given_is_on_record_at_the_claim()
    {
        var task = await _fixture.Create(Title, Description);
        var agent = await Start("claude", task, InTool);
        Shell.Until(() => File.Exists(Program("claude") + ".said"), "the agent has begun");

        var run = RunsOf(task).ShouldHaveSingleItem();
        run.HarnessSession.ShouldNotBeNull();
        Said("claude").ShouldBe(["-p", "--output-format", "stream-json", "--verbose", "--session-id", run.HarnessSession, $"{Title}\n\n{Description}"]);
        (run.HasAnswered, run.IsResumed).ShouldBe((false, false));
        await Kill(agent);
        RunsOf(task)[0].HarnessSession.ShouldBe(run.HarnessSession);
    }

    [Test]
    [Arguments("claude", "echo 'No conversation found with session ID: x' >&2; exit 1")]
    [Arguments("pi", "echo 'fork it? [y/N]'; exit 0")]
    [Arguments("codex", "exit 42")]
    public async Task A_session_that_two_runs_could_not_take_up_is_given_up_at_no_attempt(string kind, string failure)
    {
        var row = Kinds.First(known => known.Kind == kind);
        var task = await _fixture.Create(Title, Description, maxAttempts: 1);
        var session = await KilledInATool(kind, row.Killed, task);

        for (var failed = 1; failed <= 2; failed++)
        {
            await RunToEnd(kind, task, failure);
            Said(kind).ShouldContain(session);
            var queued = await _fixture.Get(task);
            (queued.Status, queued.Attempts).ShouldBe((TaskState.Queued, 0));
            queued.Error!.Message.ShouldStartWith($"the agent's own session {session} was not taken up: ");
        }
        await RunToEnd(kind, task, Print(row.Next));

        Said(kind).ShouldNotContain(session);
        Said(kind)[^1].ShouldEndWith($"{Title}\n\n{Description}");
        // With what the session had so far before it, as any fresh run.
        Said(kind)[^1].ShouldContain("Running the command.");
        var done = await _fixture.Get(task);
        done.Status.ShouldBe(TaskState.Done);
        Notes(done).ShouldContain($"it begins anew: 2 runs could not take up the agent's own session {session}");
        (_fixture.Logger.Of(536).Count, _fixture.Logger.Of(537).Count).ShouldBe((2, 1));
        _fixture.Logger.Of(537)[0].ShouldContain(session);
    }

    /// <summary>What its provider fails at is not the session's fault.</summary>
    [Test]
    public async Task A_provider_that_fails_gives_no_session_up()
    {
        var task = await _fixture.Create(Title, Description);
        var session = await KilledInATool("claude", "claude-2.1-stream-json-killed", task);

        for (var tries = 0; tries < 3; tries++)
            await RunToEnd("claude", task, $"{Print("claude-2.1-stream-json-limit")}; exit 1");
        await RunToEnd("claude", task, Print("claude-2.1-stream-json-resumed"));

        Said("claude").ShouldContain(session);
        RunsOf(task).Select(run => (run.Verdict, run.IsResumed)).ShouldBe([("interrupted", false), ("provider", true), ("provider", true), ("provider", true), ("done", true)]);
    }

    [Test]
    public async Task A_task_that_was_changed_is_told_whole()
    {
        var task = await _fixture.Create(Title, Description);
        var session = await KilledInATool("claude", "claude-2.1-stream-json-killed", task);
        (await _fixture.Board.EditAsync(task.Id, new TaskEdit { Description = "It leaks on the south side." })).Outcome.ShouldBe(EdgeOutcome.Applied);

        await RunToEnd("claude", task, Print("claude-2.1-stream-json-resumed"));

        Said("claude").ShouldContain(session);
        Said("claude")[^1].ShouldEndWith($"The task was changed after you were told it. It is now:\n\n{Title}\n\nIt leaks on the south side.");
    }

    [Test]
    public async Task In_another_directory_it_begins_anew_and_the_board_says_so()
    {
        var (here, there) = (Directory.CreateDirectory(_fixture.PathOf("here")).FullName, Directory.CreateDirectory(_fixture.PathOf("there")).FullName);
        var task = await _fixture.Board.CreateAsync(new NewTask { Title = Title, Description = Description, Cwd = here });
        var session = await KilledInATool("claude", "claude-2.1-stream-json-killed", task);
        (await _fixture.Board.EditAsync(task.Id, new TaskEdit { Cwd = there })).Outcome.ShouldBe(EdgeOutcome.Applied);

        await RunToEnd("claude", task, Print("claude-2.1-stream-json-resumed"));

        Said("claude").ShouldNotContain(session);
        Said("claude")[^1].ShouldEndWith($"{Title}\n\n{Description}");
        var run = RunsOf(task)[^1];
        run.IsResumed.ShouldBeFalse();
        run.Arguments.SkipLast(1).ShouldBe(Said("claude").SkipLast(1));
        run.Arguments[^1].ShouldBe($"{Title}\n\n{Description}");
        Notes(await _fixture.Get(task)).ShouldContain($"it begins anew: the agent's own session is of another directory, {here}");
    }

    [Test]
    public async Task Feedback_is_said_alone_and_after_a_kill_with_what_happened()
    {
        var task = await _fixture.Create(Title, Description);
        await RunToEnd("claude", task, Print("claude-2.1-stream-json"));
        var session = RunsOf(task)[0].HarnessSession!;
        await _fixture.Board.RetryAsync(task.Id, "once more, with care");

        await KilledInATool("claude", "claude-2.1-stream-json-resumed", task);
        Said("claude").TakeLast(3).ShouldBe(["--resume", session, "once more, with care"]);
        await RunToEnd("claude", task, Print("claude-2.1-stream-json-resumed"));

        Said("claude")[^1].ShouldStartWith("The run before this one ended before the task was done: ");
        Said("claude")[^1].ShouldEndWith("\n\nonce more, with care");
    }

    [Test]
    public async Task A_session_of_another_kind_is_left_alone()
    {
        var task = await _fixture.Create(Title, Description);
        var session = await KilledInATool("claude", "claude-2.1-stream-json-killed", task);

        await RunToEnd("codex", task, Print("codex-0.171-exec-json-tool"));

        Said("codex").ShouldNotContain(session);
        Said("codex")[^1].ShouldEndWith($"{Title}\n\n{Description}");
    }

    private static Usage Used(long input, long output, long cacheRead, long microcents) =>
        new() { InputTokens = input, OutputTokens = output, CacheReadTokens = cacheRead, CostMicrocents = microcents };

    private static string PathOf(string recording) => Path.Combine(Recordings.Folder, recording + ".jsonl");

    /// <summary>The recording, its session under another id where one is given.</summary>
    private static string Print(string recording, string? session = null)
    {
        if (session is null)
            return $"cat '{PathOf(recording)}'";
        var own = IdsIn(recording);
        return $"sed 's/{own}/{session}/g' '{PathOf(recording)}'";
    }

    // Copilot tells its session at its end alone, and its other lines bear ids of their own.
    private static string IdsIn(string recording)
    {
        var lines = Recordings.Lines(recording);
        var (first, last) = (System.Text.Encoding.UTF8.GetString(lines[0]), System.Text.Encoding.UTF8.GetString(lines[^1]));
        foreach (var (line, name) in ((string, string)[])[(first, "session_id"), (first, "thread_id"), (first, "sessionID"), (last, "sessionId"), (first, "id")])
        {
            var mark = $"\"{name}\":\"";
            if (line.IndexOf(mark, StringComparison.Ordinal) is >= 0 and var at)
                return line[(at + mark.Length)..line.IndexOf('"', at + mark.Length)];
        }
        throw new InvalidOperationException($"{recording} tells no session");
    }

    private void ShouldTakeUp(string kind, string arguments, string session)
    {
        var expected = arguments.Replace("@", session, StringComparison.Ordinal).Split(' ');
        Said(kind).SkipLast(1).TakeLast(expected.Length).ShouldBe(expected);
    }

    /// <summary>Runs it until it is in the middle of its work, and kills the daemon as far as the board knows.</summary>
    /// <returns>Its session.</returns>
    private async Task<string> KilledInATool(string kind, string recording, BoardTask task)
    {
        var agent = await Start(kind, task, $"{Print(recording)}; {InTool}");
        Shell.Until(() => RunsOf(task) is [.., { HasAnswered: true, HarnessSession: not null, FinishedAt: null }], "its session and an answer are on record");
        await Kill(agent);
        return RunsOf(task)[^1].HarnessSession!;
    }

    /// <summary>The end of a run as the next daemon puts it on record; that of the agent itself comes later, and changes nothing.</summary>
    private async Task Kill(SupervisedAgent agent)
    {
        var spawn = (await _fixture.Board.LiveSpawnsAsync()).ShouldHaveSingleItem();
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
    }

    private async Task RunToEnd(string kind, BoardTask task, string script) => await SupervisorFixture.End(await Start(kind, task, script));

    private Task<SupervisedAgent> Start(string kind, BoardTask task, string script)
    {
        var program = Program(kind);
        if (!File.Exists(program))
        {
            File.WriteAllText(program, """
                #!/bin/sh
                for argument; do printf '%s\0' "$argument"; done > "$0.saying"
                mv "$0.saying" "$0.said"
                . "$0.does"
                """);
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        File.WriteAllText(program + ".does", script);
        return _fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = program, TaskId = task.Id });
    }

    private string Program(string kind) => _fixture.PathOf(kind);

    // A path of the daemon's own for the file of its usage may stand first.
    private string[] Said(string kind)
    {
        var said = File.ReadAllText(Program(kind) + ".said").Split('\0')[..^1];
        return said[0] == "--usage-output-file" ? said[2..] : said;
    }

    private IReadOnlyList<RunRow> RunsOf(BoardTask task) => _fixture.Board.RunsAsync(task.Id).GetAwaiter().GetResult();

    private List<string?> Notes(BoardTask task) =>
        [.. _fixture.Sessions.Read(task.SessionId!, all: true)!.Entries.Where(entry => entry.Kind == SessionEntryKind.Note).Select(entry => entry.Text)];
}
