using System.Text.Json.Serialization.Metadata;
using Colibri.Cli;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Output;

public sealed class ViewTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    private static async Task<string> ShownAsync<T>(T data, JsonTypeInfo<T> type, string command, int width = 80, bool terminal = false)
    {
        await using var daemon = FakeDaemon.Granting(Json(data, type));
        var run = await CliRun.OfAsync(
            ["--socket", daemon.SocketPath, .. command.Split(' ')], "", environment: null, width, terminal);
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(ExitCodes.Done);
        return run.Out;
    }

    [Test]
    public async Task Groups_that_have_a_limit_are_told_with_what_runs_and_waits() =>
        (await ShownAsync(Samples.Status with { Groups = [new StatusGroup("database", 1, 1, 12), new StatusGroup("web", 4, 0, 0)] }, Wire.StatusReport, "status")).ShouldContain("""
            tasks      12 queued, 0 claimed, 1 started, 1,340 done, 7 failed, 2 cancelled
            groups     database: 1 of 1 running, 12 queued
                       web: 0 of 4 running, 0 queued
            agents     1 of 4 running, 3 panes
            """);

    [Test]
    public async Task Status() => (await ShownAsync(Samples.Status, Wire.StatusReport, "status")).ShouldBe("""
        daemon     colibri-daemon 0.1.0+8d5991cc, pid 4242
        host       clawdie
        up         3 days 4 hours, since 2026-11-19T06:07:10.893Z
        socket     /var/run/colibri/colibri.sock
        db         /var/db/colibri/colibri.sqlite
        sessions   /var/db/colibri/sessions
        mode       smart: 2 MB and 20 turns a session, 16 kB a tool result
                   escalated from fast at 2026-11-22T06:07:10.893Z by session review-42
        scheduler  every 30 seconds, 9,121 ticks, the last at 2026-11-22T06:07:10.893Z
                   2 queued tasks no configured agent can take
        tasks      12 queued, 0 claimed, 1 started, 1,340 done, 7 failed, 2 cancelled
        agents     1 of 4 running, 3 panes
          019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01  pi  working
            on task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        cgroups    below /sys/fs/cgroup/system.slice/colibri-daemon.service
        cache      41.3 % of 21,800 tokens sent came from it
        headroom   off
        limits hit requests too large 1, events missed 17

        """);

    [Test]
    public async Task A_prune_names_numbers_in_ranges_and_a_few_sessions() => (await ShownAsync(
        new PruneReport(
            DryRun: true, PrunedNumbers.Of([1, 2, 3, 5, 7, 8]), PrunedIds.Of(["s1", "s2", "s3", "s4", "s5"]), 3_000_000, PrunedNumbers.Of([12]),
            PrunedNumbers.Of([.. Enumerable.Range(1, 60).Select(number => number * 2L)]), 3_400_000),
        Wire.PruneReport, "prune --dry-run")).ShouldBe("""
        would delete 6 tasks: 1-3, 5, 7-8
        would delete 5 sessions of 3 MB: s1, s2, s3 and 2 more
        would delete 60 directories of tasks that are gone: 2, 4, 6, 8, 10, 12, 14, 16,
        18, 20, 22, 24 and 48 more
        would delete 1 worktree of a task: 12
        would free 3.4 MB

        """);

    [Test]
    public async Task A_prune_says_why_not_all_went() => (await ShownAsync(
        new PruneReport(DryRun: false, PrunedNumbers.Of([]), PrunedIds.Of([]), 0, PrunedNumbers.Of([]), PrunedNumbers.Of([]), 0, "cannot open /w: \u001b[2J"),
        Wire.PruneReport, "prune")).ShouldBe("not all that is due could be deleted: cannot open /w: \\x1b[2J\n");

    [Test]
    public async Task A_reload_says_what_changed_and_what_needs_a_restart() => (await ShownAsync(
        new SettingsChange(
            "/etc/colibri/colibri.toml",
            [
                new("daemon.max_agents", "4", "8"), new("agents.claude", null, "kind = \"claude\""), new("agents.pi", "kind = \"pi\"", null), new("agents.zot.env", null, null),
                new("workspaces.site.check", "\"npm test\"", "\"npm run test -- --all\""),
            ],
            ["daemon.max_agents"]),
        Wire.SettingsChange, "reload")).ShouldBe("""
        read /etc/colibri/colibri.toml
        daemon.max_agents: 4 is now 8 (after a restart)
        agents.claude: now kind = "claude"
        agents.pi: no longer kind = "pi"
        agents.zot.env: changed
        workspaces.site.check: "npm test" is now "npm run test -- --all"

        """);

    [Test]
    public async Task A_reload_that_changes_nothing_says_so() =>
        (await ShownAsync(new SettingsChange(null, [], []), Wire.SettingsChange, "reload")).ShouldBe("there is no configuration file\nnothing changed\n");

    [Test]
    [Arguments(1, "its disk is full", "1 run of an earlier daemon not closed yet, tasks held: its disk is full")]
    [Arguments(2, null, "2 runs of an earlier daemon not closed yet, tasks held: processes survive")]
    public async Task Status_tells_of_what_an_earlier_daemon_left(int runs, string? reason, string shown) =>
        (await ShownAsync(Samples.Status with { Leftovers = new StatusLeftovers(runs, reason) }, Wire.StatusReport, "status", width: 200)).ShouldContain(shown);

    [Test]
    public async Task Refused_calls_are_shown_with_the_task_its_attempts_and_the_pane()
    {
        DeniedTool[] denied = [new("Write", "not granted", 1), new("Bash", null, 12)];
        var run = new TaskRun { Attempt = 1, AgentId = "a", Binary = "claude", StartedAt = Now, FinishedAt = Now, Verdict = "denied", Denied = denied };
        var task = await ShownAsync(Failed with { Denied = denied, Runs = [run] }, Wire.BoardTask, "get-task t", width: 200);
        task.ShouldContain("denied      Write: not granted; Bash 12 times");
        task.ShouldContain(", denied: Write, Bash 12 times");
        var panes = new Snapshot(Colibri.Protocol.Wire.Snapshot.CurrentSchema, "clawdie", Now, [Working with { Denied = denied }]);
        (await ShownAsync(panes, Wire.Snapshot, "snapshot", width: 200)).ShouldContain("denied: Write: not granted; Bash 12 times");
    }

    [Test]
    [Arguments("0.1.0+8d5991cc76df12bdcd036395f0e20cc9d7594acf", false)]
    [Arguments("0.2.0+11112222333344445555666677778888aaaabbbb", true)]
    public async Task Status_says_when_the_daemon_is_of_another_version_than_the_client(string client, bool isOther)
    {
        await using var daemon = FakeDaemon.Granting(Json(Samples.Status, Wire.StatusReport));

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "status"], version: client);

        run.Out.Contains("this client is 0.2.0+11112222: restart the daemon after an upgrade", StringComparison.Ordinal).ShouldBe(isOther, run.Out);
    }

    [Test]
    public async Task Status_tells_of_providers_that_are_held_and_of_what_is_paused()
    {
        var shown = await ShownAsync(Samples.Status with
        {
            Queue = new QueueState([new QueuePause(null, null, Now, "the plan is used up"), new QueuePause("openai", null, Now)]),
            Providers =
            [
                new StatusRoute("anthropic", "claude-opus-5-5", "ready", null, 0, null),
                new StatusRoute("openai", null, "backing-off", Now.AddMinutes(2), 3, "stream disconnected before completion: error sending request for url (https://api.example/v1/responses)"),
                new StatusRoute("pi", null, "auth-failed", null, 1, "401: invalid api key", "/usr/local/bin/pi"),
            ],
        }, Wire.StatusReport, "status");

        shown.ShouldContain("""
            paused     the whole queue since 2026-11-22T06:07:10.893Z: the plan is used up
            paused     provider openai since 2026-11-22T06:07:10.893Z

            """);
        shown.ShouldContain("""
            providers  anthropic:claude-opus-5-5: ready
                       openai: backing-off until 2026-11-22T06:09:10.893Z, 3 failures in a
                       row
                       stream disconnected before completion: error sending request for url
                       (https://api.example/v1/responses)
                       pi: auth-failed, 1 failure in a row
                       401: invalid api key

            """);
        shown.Split('\n').ShouldAllBe(line => line.Length <= 80);
    }

    [Test]
    public async Task Get_task_says_what_a_queued_task_waits_for() => (await ShownAsync(
        Queued with { BlockedBy = [new BlockedBy("provider", "provider openai says that a limit is reached, waits until 2026-11-22T09:00:00Z: You have reached your usage limit."), new BlockedBy("slots", "all 4 agents are busy (COLIBRI_MAX_AGENTS)")] },
        Wire.BoardTask, "get-task t")).ShouldContain("""
        waits for   provider: provider openai says that a limit is reached, waits until
                    2026-11-22T09:00:00Z: You have reached your usage limit.
                    slots: all 4 agents are busy (COLIBRI_MAX_AGENTS)
        attempts    0 of 3

        """);

    [Test]
    public async Task Pause_queue() => (await ShownAsync(
        new QueueAnswer(new QueueState([new QueuePause("openai", null, Now, "the plan is used up")])), Wire.QueueAnswer, "pause-queue --provider openai")).ShouldBe("""
        paused: provider openai since 2026-11-22T06:07:10.893Z: the plan is used up
          go on: colibri resume-queue --provider openai

        """);

    [Test]
    public async Task Resume_queue() => (await ShownAsync(new QueueAnswer(new QueueState([])), Wire.QueueAnswer, "resume-queue")).ShouldBe("nothing is paused\n");

    [Test]
    public async Task Snapshot() => (await ShownAsync(
        new Snapshot(Colibri.Protocol.Wire.Snapshot.CurrentSchema, "clawdie", Now, [Working, Dead]), Wire.Snapshot, "snapshot")).ShouldBe("""
        AGENT               LIFECYCLE  ACTIVITY  TOOL  TURNS  TOKENS     COST
        pi                  running    working   bash      3   22.1k  $0.0024
          019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 on 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        colibri-test-agent  stopped    error     -      1.2k       0  $0.0000
          019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77
          exit 3: no such model: \x1b[31mgpt-9

        """);

    [Test]
    public async Task Get_task() => (await ShownAsync(Failed, Wire.BoardTask, "get-task t")).ShouldBe("""
        task        019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        title       Fix the login test
        status      failed
        attempts    3 of 3
        priority    5
        needs       dotnet, git
        agent       019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01
        session     019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77
        verdict     error
        error       agent-error: 529 overloaded_error after four tries; the provider
                    says to come back in an hour
        usage       12,000 tokens in, 345 out, 9,000 read from cache, 800 written to it
        cost        $0.0024
        created     2026-11-22T06:07:10.893Z
        updated     2026-11-22T06:07:10.893Z
        started     2026-11-22T06:07:11.893Z
        finished    2026-11-22T06:08:12.893Z

          The test fails on Sundays since somebody compared dates in local time. Find
          it, fix it, keep the others green.

              dotnet test

        what was said: colibri get-session 019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77

        """);

    [Test]
    public async Task List_tasks() => (await ShownAsync(
        new TaskList([Queued, Failed with { Title = "Übersetze 漢字漢字漢字漢字漢字漢字漢字 und \e[2J und mehr" }], "c9"), Wire.TaskList,
        "list-tasks")).ShouldBe("""
                                        TASK  STATE   AGE     COST  TITLE
        019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10  queued   5m        -  Fix the login test
        019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10  failed   5m  $0.0024  Übersetze 漢字漢字…
          agent-error: 529 overloaded_error after four tries; the provider says to come…
        there are more: colibri list-tasks --after c9

        """);

    private static readonly RunSummary Tried = new()
    {
        Id = SessionId,
        TaskId = TaskId,
        TaskNumber = 12,
        Title = "Write the release notes of the year and of the month",
        Attempt = 2,
        AgentId = AgentId,
        Label = "a7",
        Profile = "claude",
        Runtime = "claude",
        SessionId = SessionId,
        Provider = "anthropic",
        Model = "claude-opus-4-5-of-a-very-long-name-indeed",
        StartedAt = Now,
        EndedAt = Now.AddSeconds(75),
        DurationMs = 75_000,
        Verdict = "done",
        Usage = Spent,
    };

    private static readonly RunList Attempts = new(
    [
        Tried with { EndedAt = null, DurationMs = null, Verdict = null, Profile = null, Usage = new Usage() },
        Tried,
        Tried with
        {
            TaskNumber = 9,
            Title = "\e[2J",
            Attempt = 1,
            Verdict = "spawn-failed",
            DurationMs = 20,
            Error = new TaskError("spawn-failed", "the program was there and could not be started, and so on"),
            Denied = [new DeniedTool("bash", "not now", 2)],
        },
    ], "r1");

    [Test]
    public async Task List_runs() => (await ShownAsync(Attempts, Wire.RunList, "list-runs")).ShouldBe("""
        TASK  TRY  VERDICT       AGENT   AGE  TOOK     COST  TITLE
          12    2  running       a7       5m    5m        -  Write the release notes of…
          12    2  done          claude   5m    1m  $0.0024  Write the release notes of…
           9    1  spawn-failed  claude   5m    0s  $0.0024  \x1b[2J
          spawn-failed: the program was there and could not be started, and so on
          denied: bash 2 times: not now
        there are more: colibri list-runs --before r1

        """);

    [Test]
    public async Task List_runs_of_one_task_shows_the_models() => (await ShownAsync(new RunList([Tried]), Wire.RunList, "list-runs 12")).ShouldBe("""
        TRY  VERDICT  AGENT   AGE  TOOK     COST  MODEL
          2  done     claude   5m    1m  $0.0024  anthropic:claude-opus-4-5-of-a-very-l…

        """);

    /// <summary>The evening's table at 80 columns: each line fits, and what is long is cut.</summary>
    [Test]
    public async Task List_tasks_shows_numbers_places_and_costs() => (await ShownAsync(
        new TaskList(
        [
            Queued with { Number = 130, Agent = "claude", Workspace = "the-site-of-the-shop", Title = "Write the release notes of the year and of the month", After = ["x"] },
            Failed with { Number = 9, Agent = "pi", CreatedAt = Now.AddDays(-3) },
            Queued with { Number = 8, Status = TaskState.Done, Usage = Spent, Error = null },
        ], TaskId), Wire.TaskList,
        "list-tasks --workspace site")).ShouldBe("""
        TASK  STATE   AGE  AGENT   WORKSPACE        COST  TITLE
         130  queued   5m  claude  the-site-of…        -  Write the release notes of th…
           9  failed   3d  pi      -             $0.0024  Fix the login test
          agent-error: 529 overloaded_error after four tries; the provider says to come…
           8  done     5m  -       -             $0.0024  Fix the login test
        there are more: colibri list-tasks --workspace site --after 8

        """);

    [Test]
    public async Task Get_task_says_who_worked_where_and_with_which_rights()
    {
        var run = new TaskRun
        {
            Attempt = 1,
            AgentId = AgentId,
            Label = "a3",
            Profile = "careful",
            Access = "edit",
            Cwd = "/state/trees/site/9-fix",
            Binary = "claude",
            StartedAt = Now,
            FinishedAt = Now.AddSeconds(2),
            Verdict = "done",
        };
        var shown = await ShownAsync(Failed with { Number = 9, Runs = [run, run with { Attempt = 2, Profile = null, Cwd = null }] }, Wire.BoardTask, "get-task 9", width: 120);

        shown.ShouldContain($"agent       a3 ({AgentId})\n");
        shown.ShouldContain("attempt 1   done by a3 (careful, may edit), 2 seconds, in /state/trees/site/9-fix\n");
        shown.ShouldContain("attempt 2   done by a3 (may edit), 2 seconds\n");
    }

    [Test]
    public async Task A_known_key_is_told() => (await ShownAsync(Queued with { Number = 7, Existing = true }, Wire.BoardTask, "create-task --title T --key k")).ShouldBe("""
        the key is known: it is task 7 (queued), and no second task was made
          in a directory of its own, by any agent
        follow it: colibri wait 7

        """);

    [Test]
    public async Task List_tasks_says_why_a_held_one_does_not_start() => (await ShownAsync(
        new TaskList([Queued with { Held = true }, Poison], null), Wire.TaskList, "list-tasks")).ShouldBe("""
                                        TASK  STATE  AGE  COST  TITLE
        019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10  held    5m     -  Fix the login test
          start it: colibri release-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10  held    5m     -  Fix the login test
          poison: 3 runs in a row were interrupted because the daemon was killed, so the
          task is held; see whether it ends the daemon, then type: colibri release-task
          019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10

        """);

    /// <summary>What waits for a slot goes by itself, and says nothing.</summary>
    [Test]
    [Arguments("rights", "  rights: p: access = \"edit\" cannot be held\n")]
    [Arguments("program", "  program: p: access = \"edit\" cannot be held\n")]
    [Arguments("program-missing", "  program-missing: p: access = \"edit\" cannot be held\n")]
    [Arguments("confinement", "  confinement: p: access = \"edit\" cannot be held\n")]
    [Arguments("slots", "")]
    public async Task List_tasks_says_what_waits_for_a_person(string code, string line) => (await ShownAsync(
        new TaskList([Queued with { Number = 7, BlockedBy = [new BlockedBy("slots", "busy"), new BlockedBy(code, "p: access = \"edit\" cannot be held")] }], null), Wire.TaskList, "list-tasks")).ShouldBe(
        "TASK  STATE   AGE  COST  TITLE\n   7  queued   5m     -  Fix the login test\n" + line);

    [Test]
    public async Task Get_task_says_why_a_held_one_does_not_start() => (await ShownAsync(Poison, Wire.BoardTask, "get-task t")).ShouldBe("""
        task        019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        title       Fix the login test
        status      held
                    it does not start before: colibri release-task
                    019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        attempts    0 of 3
        last try    poison
        last error  poison: 3 runs in a row were interrupted because the daemon was
                    killed, so the task is held; see whether it ends the daemon, then
                    type: colibri release-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        cut short   3 runs in a row, because the daemon was killed
        created     2026-11-22T06:07:10.893Z
        updated     2026-11-22T06:07:10.893Z

        """);

    [Test]
    [Arguments("hold-task", true, "held")]
    [Arguments("release-task", false, "queued")]
    public async Task Hold_and_release(string command, bool held, string shown) => (await ShownAsync(
        Queued with { Held = held }, Wire.BoardTask, $"{command} t")).ShouldBe($"task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 is {shown}\n");

    private static BoardTask Poison => Queued with
    {
        Held = true,
        Interruptions = 3,
        Verdict = "poison",
        Error = new TaskError("poison", $"3 runs in a row were interrupted because the daemon was killed, so the task is held; see whether it ends the daemon, then type: colibri release-task {TaskId}"),
    };

    [Test]
    public async Task Create_task() => (await ShownAsync(Queued, Wire.BoardTask, "create-task --title T")).ShouldBe("""
        created task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 (queued)
          in a directory of its own, by any agent
        follow it: colibri wait 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10

        """);

    [Test]
    public async Task Cancel_task() => (await ShownAsync(Queued with { Status = TaskState.Started, AgentId = AgentId }, Wire.BoardTask,
        "cancel-task t")).ShouldBe("""
        task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 is started by agent 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01

        """);

    [Test]
    public async Task List_agents() => (await ShownAsync(new AgentList(
    [
        new Agent
        {
            Id = AgentId, Name = "pi", Kind = "spawned", Lifecycle = Lifecycle.Running, Activity = Activity.Blocked, TaskId = TaskId, RegisteredAt = Now,
        },
        new Agent { Id = SessionId, Name = "builder", Kind = "registered", Host = "forge", LastHeartbeatAt = Now, RegisteredAt = Now },
    ]), Wire.AgentList, "list-agents")).ShouldBe("""
        ID                                    NAME     KIND        STATE
        019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01  pi       spawned     blocked
          on task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10
        019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77  builder  registered  heard 06:07:10Z
          at forge

        """);

    [Test]
    public async Task Spawn_agent() => (await ShownAsync(
        new Agent { Id = AgentId, Name = "pi", Kind = "spawned", Pid = 4711, RegisteredAt = Now }, Wire.Agent, "spawn-agent pi")).ShouldBe("""
        started pi as agent 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01, pid 4711
        see it work: colibri snapshot

        """);

    [Test]
    public async Task Stop_agent() => (await ShownAsync(
        new Agent { Id = AgentId, Name = "pi", Kind = "spawned", Lifecycle = Lifecycle.Stopped, Exit = new ProcessExit(Signal: 15), RegisteredAt = Now },
        Wire.Agent, "stop-agent a")).ShouldBe("""
        agent 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 (pi) is stopped, signal 15

        """);

    [Test]
    public async Task Stop_agent_of_which_the_exit_is_lost() => (await ShownAsync(
        new Agent { Id = AgentId, Name = "pi", Kind = "spawned", Lifecycle = Lifecycle.Stopped, Exit = new ProcessExit(), RegisteredAt = Now },
        Wire.Agent, "stop-agent a")).ShouldBe("""
        agent 019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 (pi) is stopped, exit unknown

        """);

    [Test]
    public async Task List_sessions() => (await ShownAsync(
        new SessionList([new SessionSummary(SessionId, 2, 12_345, Now), new SessionSummary("review-42", 1, 999, Now)]), Wire.SessionList,
        "list-sessions")).ShouldBe("""
        UPDATED                   GEN     SIZE  ID
        2026-11-22T06:07:10.893Z    2  12.3 kB  019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77
        2026-11-22T06:07:10.893Z    1    999 B  review-42

        """);

    private static readonly SessionEntries Session = new(SessionId, 2,
    [
        new SessionEntry { Seq = 7, Ts = Now, Kind = SessionEntryKind.User, Text = "Fix the login test.\nIt fails on Sundays, and only there, which nobody saw for a whole week." },
        new SessionEntry { Seq = 8, Ts = Now, Kind = SessionEntryKind.ToolResult, Tool = "bash", IsError = true, Text = string.Join('\n', Enumerable.Range(1, 143).Select(i => $"line\t{i}")) + "\n" },
        new SessionEntry { Seq = 9, Ts = Now, Kind = SessionEntryKind.Usage, Usage = Spent },
    ]);

    [Test]
    public async Task Get_task_shows_the_agents_last_words()
    {
        var shown = await ShownAsync(Failed with { Result = new TaskResult("It is mended.\n\e[31mSee src/lamp.c") }, Wire.BoardTask, "get-task t");
        shown.ShouldContain("\nthe agent's last words\n  It is mended.\n");
        shown.ShouldNotContain("\e");
        (await ShownAsync(Failed with { Result = new TaskResult("cut", true) }, Wire.BoardTask, "get-task t")).ShouldContain("\n  cut\n  … cut; the session has all\n");
        (await ShownAsync(Failed with { Result = new TaskResult(string.Join('\n', Enumerable.Range(1, 143)), true) }, Wire.BoardTask, "get-task t"))
            .ShouldContain("\n  20\n  … 123 more lines, --json has all\n");
    }

    [Test]
    public async Task Get_session_shows_calls_questions_and_answers()
    {
        var shown = await ShownAsync(
            new SessionEntries(SessionId, 1,
            [
                new SessionEntry { Seq = 1, Ts = Now, Kind = SessionEntryKind.ToolCall, Tool = "bash", Text = """{"command":"make"}""" },
                new SessionEntry { Seq = 2, Ts = Now, Kind = SessionEntryKind.Question, Text = "Which?\n- red\n- green" },
                new SessionEntry { Seq = 3, Ts = Now, Kind = SessionEntryKind.Answer, Text = "red" },
                new SessionEntry { Seq = 4, Ts = Now, Kind = SessionEntryKind.ToolCall, Tool = "write", Text = string.Join('\n', Enumerable.Range(1, 143)) },
            ]),
            Wire.SessionEntries, "get-session s");
        shown.ShouldContain("""
            #1 tool_call bash  2026-11-22T06:07:10.893Z
                {"command":"make"}

            #2 question  2026-11-22T06:07:10.893Z
                Which?
                - red
                - green

            #3 answer  2026-11-22T06:07:10.893Z
                red

            """.ReplaceLineEndings("\n"));
        shown.ShouldContain("… 123 more lines, --full shows all");
    }

    [Test]
    public async Task Get_session() => (await ShownAsync(Session, Wire.SessionEntries, "get-session s")).ShouldBe("""
        session 019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77, generation 2, 3 entries

        #7 user  2026-11-22T06:07:10.893Z
            Fix the login test.
            It fails on Sundays, and only there, which nobody saw for a whole week.

        #8 tool_result bash failed  2026-11-22T06:07:10.893Z
            line    1
            line    2
            line    3
            line    4
            line    5
            line    6
            line    7
            line    8
            line    9
            line    10
            line    11
            line    12
            line    13
            line    14
            line    15
            line    16
            line    17
            line    18
            line    19
            line    20
            … 123 more lines, --full shows all

        #9 usage  2026-11-22T06:07:10.893Z
            12,000 tokens in, 345 out, 9,000 read from cache, 800 written to it, $0.0024

        """);

    [Test]
    public async Task Get_session_full_cuts_nothing()
    {
        var shown = await ShownAsync(Session, Wire.SessionEntries, "get-session s --full");

        shown.ShouldContain("    line    143\n");
        shown.ShouldNotContain("more lines");
    }

    [Test]
    public async Task A_result_of_one_line_more_than_the_cut_is_not_cut_to_say_so()
    {
        var text = string.Join('\n', Enumerable.Range(1, 21));
        var shown = await ShownAsync(
            Session with { Entries = [new SessionEntry { Kind = SessionEntryKind.ToolResult, Text = text }] }, Wire.SessionEntries, "get-session s");

        shown.ShouldEndWith("    20\n    21\n");
    }

    [Test]
    public async Task Append_session_with_what_the_daemon_adds()
    {
        await using var daemon = FakeDaemon.Granting(
            """{"session_id":"s","seq":9,"generation":2,"bytes":1500,"turns":1,"compacted":{"session_id":"s","generation":2,"seq":10,"entries":4,"turns":3,"bytes_before":12345,"bytes_after":1500},"escalated":{"from":"smart","to":"max"},"over_budget":true}""");
        var run = await CliRun.OfAsync(["append-session", "s", "--kind", "note", "--socket", daemon.SocketPath]);

        run.Out.ShouldBe("""
            entry 9 of session s: generation 2, 1.5 kB, 1 turn
            compacted 4 entries into one: generation 2, 12.3 kB before, 1.5 kB after
            cost mode escalated from smart to max
            the session is over budget

            """);
    }

    [Test]
    public async Task Get_prompt()
    {
        await using var daemon = FakeDaemon.Granting(
            """{"messages":[{"role":"system","content":"You are careful."},{"role":"user","content":"Go\non"}],"prefix_sha256":"abc","total_bytes":23,"estimated_tokens":6,"trimmed":false}""");
        var run = await CliRun.OfAsync(["get-prompt", "s", "--socket", daemon.SocketPath]);

        run.Out.ShouldBe("""
            system
                You are careful.

            user
                Go
                on

            prefix sha256     abc
            total bytes       23
            estimated tokens  6
            trimmed           no

            """);
    }

    [Test]
    public async Task Skills_and_tenants()
    {
        (await ShownAsync(new SkillList([new Skill("review", new string('d', 70), "quality", Now)]), Wire.SkillList, "list-skills")).ShouldBe("""
            NAME    CATEGORY  DESCRIPTION
            review  quality   ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd…

            """);
        (await ShownAsync(new TenantList([new Tenant("acme", "/jails/acme", Now)]), Wire.TenantList, "list-tenants")).ShouldBe("""
            TENANT  JAIL ROOT
            acme    /jails/acme

            """);
    }

    private static readonly KindReport Claude = new()
    {
        Name = "claude",
        Title = "Claude Code",
        Program = "claude",
        Path = "/usr/local/bin/claude",
        Version = "2.1.332 (Claude Code)",
        Transports = ["print", "duplex"],
        Arguments = ["-p"],
        Tells = new KindTold("live", "at-its-end", true, true, true, true),
        Can = ["resume", "answer", "cancel"],
        Access = [new("read", true, "reads"), new("edit", true, "writes in its directory"), new("full", true, "does all")],
        AccessOver = [new("duplex", "edit", true, "asks before it acts")],
        Profiles = [new KindProfile { Name = "reviewer", Path = "/usr/local/bin/claude", Version = "2.1.332 (Claude Code)", Access = "read" }],
    };

    private static readonly KindReport Zot = new()
    {
        Name = "zot",
        Title = "zot",
        Program = "zot",
        DocumentedOnly = true,
        Transports = ["rpc"],
        Arguments = ["rpc"],
        Tells = new KindTold("live", "never", false, true, true, true),
        Can = [],
        Access = [new("read", false, "cannot be held: zot has no rights of its own"), new("edit", false, "cannot be held"), new("full", true, "does all")],
        Profiles = [new KindProfile { Name = "z", Access = "edit", Problem = "access = \"edit\" cannot be held" }],
    };

    [Test]
    public async Task Kinds() => (await ShownAsync(new KindList([Claude, Zot]), Wire.KindList, "agents")).ShouldBe("""
        KIND    INSTALLED  SPEAKS        TELLS NOT
        claude  2.1.332    print duplex
        zot     no         rpc           cost, turns
          from documents only
          profile z: access = "edit" cannot be held

        one whole, with what it can and what holds it: colibri agents KIND; all: -v

        """);

    /// <summary>Every kind that there is, with the longest that each column can hold, on a terminal of 80 columns.</summary>
    [Test]
    public async Task Kinds_fit_a_narrow_terminal()
    {
        var hidden = new KindTold("never", "never", false, false, false, false);
        var all = Runtimes.Kinds.Select(kind => Zot with { Name = kind.Name, Title = kind.Title, Transports = kind.Transports, Tells = hidden, Profiles = [], DocumentedOnly = null });
        var lines = (await ShownAsync(new KindList([.. all]), Wire.KindList, "agents")).Split('\n');
        lines.Where(line => line.Length > 80).ShouldBeEmpty();
        lines.Single(line => line.StartsWith("acp ", StringComparison.Ordinal)).ShouldStartWith("acp       -          acp ");
        lines.Single(line => line.StartsWith("goose ", StringComparison.Ordinal)).ShouldStartWith("goose     no         print acp         usage, cost, turns,");
    }

    [Test]
    public async Task A_kind_of_any_program_names_none()
    {
        var shown = await ShownAsync(new KindList([Zot with { Name = "acp", Title = "any", Program = "acp", Arguments = [], Profiles = [] }]), Wire.KindList, "agents -v");
        shown.ShouldContain("program    any: the one that a profile or a request names");
        shown.ShouldNotContain("arguments");
    }

    [Test]
    public async Task One_kind_whole() => (await ShownAsync(new KindList([Claude, Zot]), Wire.KindList, "agents -v")).ShouldBe("""
        kind       claude: Claude Code
        program    /usr/local/bin/claude
        version    2.1.332 (Claude Code)
        speaks     print, duplex
        arguments  -p
        tells      usage live, cost at its end, turns, refusals, the token limit,
                   failures
        can        resume, answer, cancel
        read       reads
        edit       writes in its directory
                   over duplex: asks before it acts
        full       does all
        profile    reviewer: read

        kind       zot: zot, from documents only
        program    zot, which is not on the daemon's search path
        speaks     rpc
        arguments  rpc
        tells      usage live, refusals, the token limit, failures
        tells not  cost, turns
        can        nothing of resume, steer, answer, cancel
        read       cannot be held: zot has no rights of its own
        edit       cannot be held
        full       does all
        profile    z: edit; access = "edit" cannot be held

        """);

    [Test]
    public async Task The_cost_by_task_names_tasks_by_number()
    {
        static CostLine Line(string? id, long? number, string? title, long microcents) =>
            CostLine.Of(3, new Usage { InputTokens = 1_200, OutputTokens = 340, CostMicrocents = microcents }) with { TaskId = id, TaskNumber = number, Title = title };
        var summary = new CostSummary
        {
            By = CostGrouping.Task,
            Total = Line(null, null, null, 412_000_000),
            Lines = [Line("019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10", 12, "Fix the login test, which fails on the days on which the clocks change", 400_000_000), Line(null, null, null, 12_000_000)],
        };
        (await ShownAsync(summary, Wire.CostSummary, "cost")).ShouldBe("""
            TASK   TITLE                                        COST  SENT  CACHED  OUT  REQ
            12     Fix the login test, which fails on the…   $4.0000  1.2k      0%  340    3
            -      (no task)                                 $0.1200  1.2k      0%  340    3
            total                                            $4.1200  1.2k      0%  340    3

            """);
    }

    [Test]
    public async Task Set_cost_mode() => (await ShownAsync(
        new CostState { Mode = CostMode.Max, SessionMaxBytes = 8_000_000, MaxUncompactedTurns = 100 }, Wire.CostState, "set-cost-mode max")).ShouldBe("""
        max: 8 MB and 100 turns a session, tool results unlimited

        """);

    [Test]
    [Arguments("list-tasks", """{"tasks":[]}""", "no tasks; add one: colibri add 'What to do'\n")]
    [Arguments("list-tasks --tag t", """{"tasks":[]}""", "no such tasks; see all: colibri list-tasks\n")]
    [Arguments("list-tasks --status failed", """{"tasks":[]}""", "no failed tasks; see all: colibri list-tasks\n")]
    [Arguments("list-runs", """{"runs":[]}""", "no runs; the first task makes one: colibri add 'What to do'\n")]
    [Arguments("list-runs 12", """{"runs":[]}""", "no runs of task 12 yet: colibri get-task 12\n")]
    [Arguments("list-agents", """{"agents":[]}""", "no agents; start one: colibri spawn-agent BINARY --task-id TASK_ID\n")]
    [Arguments("list-sessions", """{"sessions":[]}""", "no sessions; every run of a task makes one: colibri create-task --title 'What to do'\n")]
    [Arguments("list-skills", """{"skills":[]}""", "no skills; add one: colibri register-skill NAME --category C --description D\n")]
    [Arguments("list-tenants", """{"tenants":[]}""", "no tenants; add one: colibri register-tenant TENANT_ID --jail-root-path DIR\n")]
    public async Task Nothing_is_said_in_words_with_the_way_to_something(string command, string data, string shown)
    {
        await using var daemon = FakeDaemon.Granting(data);

        (await CliRun.OfAsync(["--socket", daemon.SocketPath, .. command.Split(' ')])).ShouldBe(new CliRun(ExitCodes.Done, shown, ""));
    }

    [Test]
    public async Task Colour_is_for_a_terminal_that_did_not_refuse_it()
    {
        var list = new TaskList([Failed]);
        (await ShownAsync(list, Wire.TaskList, "list-tasks", terminal: true)).ShouldContain("\e[31mfailed\e[0m");
        await using var daemon = FakeDaemon.Granting(Json(list, Wire.TaskList));
        foreach (var refusal in new Dictionary<string, string>[] { new() { ["NO_COLOR"] = "1" }, new() { ["TERM"] = "dumb" } })
            (await CliRun.OfAsync(["--socket", daemon.SocketPath, "list-tasks"], "", refusal, terminal: true)).Out.ShouldNotContain("\e[");
    }

    [Test]
    public async Task An_answer_that_is_not_understood_says_what_to_compare()
    {
        await using var daemon = FakeDaemon.Granting("""{"id":"t","status":"paused"}""");
        var run = await CliRun.OfAsync(["get-task", "t", "--socket", daemon.SocketPath]);

        run.ExitCode.ShouldBe(ExitCodes.Refused);
        run.Error.ShouldBe(
            "colibri: the daemon's answer is not understood (versions differ? compare: colibri version, colibri status --json)\n");
    }

    [Test]
    public async Task Every_page_is_one_list_and_unknown_fields_survive_in_json()
    {
        var first = $$"""{"tasks":[{{Json(Queued, Wire.BoardTask).Insert(1, "\"new\":1,")}}],"next":"c1"}""";
        var second = $$"""{"tasks":[{{Json(Failed, Wire.BoardTask)}}]}""";
        await using var daemon = new FakeDaemon((line, connection) => connection.SendAsync(
            $$"""{"ok":true,"data":{{(line.Contains("\"after\":\"c1\"", StringComparison.Ordinal) ? second : first)}}}"""));

        var shown = await CliRun.OfAsync(["list-tasks", "--all", "--socket", daemon.SocketPath]);
        var json = await CliRun.OfAsync(["list-tasks", "--all", "--json", "--socket", daemon.SocketPath]);

        shown.Out.Split('\n').Length.ShouldBe(5);
        json.Out.ShouldBe(
            $$"""{"tasks":[{{Json(Queued, Wire.BoardTask).Insert(1, "\"new\":1,")}},{{Json(Failed, Wire.BoardTask)}}]}""" + "\n");
    }
}
