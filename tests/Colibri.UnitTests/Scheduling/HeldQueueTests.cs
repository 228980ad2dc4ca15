using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

/// <summary>A queue whose provider is away: on every road its tasks wait, and lose nothing. The clock stands still until it is moved.</summary>
[NotInParallel]
public sealed class HeldQueueTests : IAsyncDisposable
{
    private const int Held = 455;
    private const int HoldEnded = 456;
    private const int HeldLonger = 457;

    private readonly FakeTime _time = new();
    private CancellationTokenSource _stop = new();
    private SupervisorFixture? _fixture;
    private BoardScheduler? _scheduler;
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        if (_fixture is not null)
            await _fixture.DisposeAsync();
    }

    /// <summary>A kind, what it prints when its provider fails, and what it prints over a good run.</summary>
    private static readonly (string Kind, string Failure, string Print)[] Failures =
    [
        ("pi", "503", PiFails("503: {\\\"message\\\":\\\"service unavailable\\\"}")),
        ("pi", "refused", PiFails("Connection error.")),
        ("pi", "cut", PiFails("terminated")),
        ("pi", "dns", PiFails("getaddrinfo EAI_AGAIN api.example")),
        ("codex", "limit", """echo '{"type":"thread.started","thread_id":"t"}'; echo '{"type":"turn.started"}'; echo '{"type":"turn.failed","error":{"message":"You have reached your usage limit. Try again in 3 hours 12 minutes."}}'; exit 1"""),
        ("codex", "refused", """echo '{"type":"turn.started"}'; echo '{"type":"error","message":"Reconnecting... 1/1 (stream disconnected before completion: error sending request for url (http://127.0.0.1:1/))"}'; echo '{"type":"turn.failed","error":{"message":"stream disconnected before completion: error sending request for url (http://127.0.0.1:1/)"}}'; exit 1"""),
        ("codex", "429", """echo '{"type":"turn.started"}'; echo '{"type":"turn.failed","error":{"message":"exceeded retry limit, last status: 429 Too Many Requests"}}'; exit 1"""),
        ("claude", "limit", """echo '{"type":"system","subtype":"init","session_id":"s"}'; echo '{"type":"result","subtype":"success","is_error":true,"result":"Claude AI usage limit reached|1760000400","session_id":"s"}'; exit 1"""),
        ("claude", "529", """echo '{"type":"system","subtype":"init","session_id":"s"}'; echo '{"type":"result","subtype":"success","is_error":true,"api_error_status":529,"result":"API Error: 529 Overloaded","session_id":"s"}'; exit 1"""),
        ("claude", "refused", """echo '{"type":"system","subtype":"init","session_id":"s"}'; echo '{"type":"system","subtype":"api_retry","attempt":1,"retry_delay_ms":500,"error_status":null}'; echo '{"type":"result","subtype":"success","is_error":true,"result":"API Error: Unable to connect to API (ECONNREFUSED)","session_id":"s"}'; exit 1"""),
        ("claude", "login", """echo '{"type":"system","subtype":"init","session_id":"s"}'; echo '{"type":"result","subtype":"success","is_error":true,"result":"Not logged in · Please run /login","session_id":"s"}'; exit 1"""),
        ("opencode", "429", """echo '{"type":"error","sessionID":"s","error":{"name":"APIError","data":{"message":"rate limited","statusCode":429}}}'; exit 1"""),
        ("opencode", "refused", """echo '{"type":"error","sessionID":"s","error":{"name":"UnknownError","data":{"message":"Unable to connect. Is the computer able to access the url?"}}}'; exit 1"""),
        ("zot", "503", """echo '{"type":"turn_start"}'; echo '{"type":"error","message":"503: overloaded"}'; echo '{"type":"done"}'"""),
        ("zot", "refused", """echo '{"type":"turn_start"}'; echo '{"type":"error","message":"dial tcp 127.0.0.1:1: connect: connection refused"}'; echo '{"type":"done"}'"""),
    ];

    private static string PiFails(string error) =>
        $$$"""echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"{{{error}}}"}}'; echo '{"type":"agent_settled"}'""";

    private static string GoodRunOf(string kind) => kind switch
    {
        "codex" => """echo '{"type":"turn.started"}'; echo '{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"ok"}}'; echo '{"type":"turn.completed","usage":{"input_tokens":10,"output_tokens":5}}'""",
        "claude" => """echo '{"type":"system","subtype":"init","session_id":"s"}'; echo '{"type":"result","subtype":"success","is_error":false,"result":"ok","usage":{"input_tokens":1,"output_tokens":5},"total_cost_usd":0.01}'""",
        "opencode" => """echo '{"type":"step_start","part":{}}'; echo '{"type":"text","part":{"text":"ok"}}'; echo '{"type":"step_finish","part":{"reason":"stop","tokens":{"input":1,"output":5}}}'""",
        "zot" => """echo '{"type":"turn_start"}'; echo '{"type":"assistant_message","content":[{"type":"text","text":"ok"}]}'; echo '{"type":"usage","input":1,"output":5}'; echo '{"type":"done"}'""",
        _ => """echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"ok"}],"usage":{"input":1,"output":5},"stopReason":"stop"}}'; echo '{"type":"agent_settled"}'""",
    };

    public enum Road
    {
        OneShot,
        LongLived,
        Resident,
    }

    /// <summary>Kinds × failures × roads × (with and without a route).</summary>
    public static IEnumerable<(string, string, Road, bool)> All() => Failures
        .SelectMany(failure => Enum.GetValues<Road>().Where(road => road == Road.OneShot ? failure.Kind != "zot" : failure.Kind is "pi" or "zot")
            .SelectMany(road => new[] { (failure.Kind, failure.Failure, road, false), (failure.Kind, failure.Failure, road, true) }))
        // With a route, a refused key is the route's: see ProviderRouterTests.
        .Where(one => one.Item2 != "login" || !one.Item4);

    [Test]
    [MethodDataSource(nameof(All))]
    public async Task Tasks_of_a_provider_that_is_away_wait_and_lose_no_attempt(string kind, string failure, Road road, bool hasRoute)
    {
        const int Tasks = 6;
        Open(hasRoute ? RouteOf(kind) : null);
        Away(true);
        for (var n = 0; n < Tasks; n++)
            await _fixture!.Create($"task {n}", maxAttempts: 1);
        await StartAsync(RequestOf(kind, Failures.First(one => (one.Kind, one.Failure) == (kind, failure)).Print, road), road);

        await SettleAsync(() => Providers.Any(provider => provider.State is not "ready"));
        for (var look = 0; look < 5; look++)
            await LookAsync(TimeSpan.FromSeconds(1));

        Starts.ShouldBeLessThanOrEqualTo(5, "only those that were under way when it became known");
        var waiting = (await _fixture!.Board.ListAsync(TaskState.Queued, 100, null)).Tasks;
        waiting.Count.ShouldBe(Tasks);
        foreach (var task in waiting)
        {
            task.Attempts.ShouldBe(0, task.Error?.Message);
            _fixture.Engine.Queue.Show(task).BlockedBy.ShouldNotBeNull().ShouldContain(reason => reason.Code == "provider");
        }
        waiting.Where(task => task.Verdict is not null).Select(task => (task.Verdict, task.Error!.Code)).Distinct().ShouldBe([("provider", "provider")]);
        var shown = Providers.First(provider => provider.State != "ready");
        (shown.Failures > 0, shown.LastError is { Length: > 0 }).ShouldBe((true, true));

        Away(false);
        if (failure == "login")
            await _fixture.Engine.ResumeAsync("anthropic", null);
        await SettleAsync(() => _fixture.Board.Counts.Done == Tasks);
        Providers.ShouldAllBe(provider => provider.State == "ready");
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_night_with_an_outage_loses_nothing_and_starts_little(bool hasRoute)
    {
        const int Tasks = 30;
        // Four at once, the one that takes the first free slot, and a try each 22 s, 45 s, 90 s, 3 min and 6 min at the soonest.
        const int MostStarts = 12;
        Open(hasRoute ? "mock" : null);
        Away(true);
        for (var n = 0; n < Tasks; n++)
            await _fixture!.Create($"task {n}");
        await StartAsync(RequestOf("pi", PiFails("Connection error."), Road.OneShot), Road.OneShot);
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(10); passed += TimeSpan.FromSeconds(2))
            await LookAsync(TimeSpan.FromSeconds(2));
        Starts.ShouldBeInRange(4, MostStarts);
        _fixture!.Board.Counts.ShouldBe(new StatusTasks(Tasks, 0, 0, 0, 0, 0));
        var lines = hasRoute ? _fixture.Logger.Of(414).Count : _fixture.Logger.Of(Held).Count + _fixture.Logger.Of(HeldLonger).Count;
        lines.ShouldBeLessThan(MostStarts);

        Away(false);
        var healed = TimeSpan.Zero;
        for (; _fixture.Board.Counts.Done < Tasks && healed < TimeSpan.FromHours(1); healed += TimeSpan.FromSeconds(1))
            await LookAsync(TimeSpan.FromSeconds(1));

        _fixture.Board.Counts.ShouldBe(new StatusTasks(0, 0, 0, Tasks, 0, 0));
        healed.ShouldBeLessThan(TimeSpan.FromMinutes(11));
        (await _fixture.Board.ListAsync(null, 100, null)).Tasks.ShouldAllBe(task => task.Attempts == 1);
        _fixture.Logger.Of(hasRoute ? 415 : HoldEnded).Count.ShouldBe(1);
    }

    [Test]
    public async Task An_agent_that_has_worked_and_speaks_of_the_site_it_works_on_holds_nobody()
    {
        Open();
        Away(true);
        for (var n = 0; n < 6; n++)
            await _fixture!.Create($"task {n}", maxAttempts: 1);
        await StartAsync(RequestOf("claude", """
            echo '{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","id":"t","name":"Bash"}]}}'
            echo '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"connection refused"}]}}'
            echo '{"type":"result","subtype":"success","is_error":true,"result":"curl: (7) Failed to connect to localhost port 3000: Connection refused"}'
            exit 1
            """, Road.OneShot), Road.OneShot);

        await SettleAsync(() => _fixture!.Board.Counts.Failed == 6);
        Providers.ShouldBeEmpty();
    }

    [Test]
    public async Task A_run_that_has_worked_and_loses_its_provider_costs_no_attempt_either()
    {
        Open();
        Away(true);
        var task = await _fixture!.Create("long work", maxAttempts: 1);
        await StartAsync(RequestOf("pi", """
            echo '{"type":"agent_start"}'
            echo '{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}'; echo '{"type":"tool_execution_end","toolCallId":"a","result":{}}'
            echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"Connection error."}}'
            echo '{"type":"agent_settled"}'
            """, Road.OneShot), Road.OneShot);

        await SettleAsync(() => _fixture.Get(task).GetAwaiter().GetResult() is { Verdict: "provider", Attempts: 0, Status: TaskState.Queued });
    }

    [Test]
    public async Task One_task_that_its_provider_refuses_while_others_succeed_fails_in_the_end_and_stops_nobody()
    {
        Open(maxAgents: 1);
        var odd = await _fixture!.Create("odd", maxAttempts: 1);
        await StartAsync(RequestOf("pi", PiFails("429: it does not like this"), Road.OneShot, away: """[ "$0" = odd ]"""), Road.OneShot);

        var created = 0;
        for (var minutes = 0; minutes < 60 && (await _fixture.Get(odd)).Status != TaskState.Failed; minutes++)
        {
            await _fixture.Create($"other {created++}", maxAttempts: 1);
            for (var n = 0; n < 30; n++)
                await LookAsync(TimeSpan.FromSeconds(2));
        }

        (await _fixture.Get(odd)).ShouldSatisfyAllConditions(task => task.Status.ShouldBe(TaskState.Failed), task => task.Attempts.ShouldBe(1));
        await SettleAsync(() => _fixture.Board.Counts.Done == created);
        (await _fixture.Board.RunsAsync(odd.Id)).Count.ShouldBeInRange(ProviderHold.MostAlone + 1, 2 * ProviderHold.MostAlone);
    }

    [Test]
    public async Task A_program_that_prints_nothing_until_its_deadline_is_held_when_others_fail_alike()
    {
        Open(configure: plain => plain with { FirstEventTimeout = TimeSpan.FromMilliseconds(300) });
        Away(true);
        for (var n = 0; n < 6; n++)
            await _fixture!.Create($"task {n}", maxAttempts: 2);
        await StartAsync(RequestOf("pi", "exec sleep 300", Road.OneShot), Road.OneShot);

        await SettleAsync(() => Providers.Any(provider => provider.State is "backing-off" or "resting"));
        Shell.Until(() => _fixture!.Supervisor.Running == 0, "those under way have ended");

        _fixture!.Board.Counts.ShouldBe(new StatusTasks(6, 0, 0, 0, 0, 0));
        var seen = (await _fixture.Board.ListAsync(null, 10, null)).Tasks.Where(task => task.Verdict is not null).ToList();
        seen.Count(task => task.Verdict == "deadline").ShouldBe(1, "the first one had to pay");
        seen.Count(task => task is { Verdict: "provider", Attempts: 0 }).ShouldBeGreaterThan(0);
        seen.First(task => task.Verdict == "provider").Error!.Message.ShouldStartWith("printed no event within");
    }

    [Test]
    public async Task Claude_that_tries_again_and_again_is_ended_and_its_provider_held()
    {
        Open(configure: plain => plain with { FirstEventTimeout = TimeSpan.FromMilliseconds(500) });
        Away(true);
        var task = await _fixture!.Create("t", maxAttempts: 1);
        await StartAsync(RequestOf("claude", """
            echo '{"type":"system","subtype":"init","session_id":"s"}'
            while :; do echo '{"type":"system","subtype":"api_retry","attempt":1,"retry_delay_ms":100,"error_status":529}'; echo '{"type":"system","subtype":"status"}'; sleep 0.1; done
            """, Road.OneShot), Road.OneShot);

        await SettleAsync(() => Providers.Any(provider => provider is { Provider: "anthropic", State: "backing-off" }));
        var queued = await _fixture.Get(task);
        (queued.Status, queued.Verdict, queued.Attempts).ShouldBe((TaskState.Queued, "provider", 0));
        // The wait that it states counts while it keeps to it.
        queued.Error!.Message.ShouldMatch(@"^said nothing but errors for 0\.[56] s \(COLIBRI_FIRST_EVENT_TIMEOUT[^)]*\), the last one: status 529");
    }

    [Test]
    public async Task A_program_that_fails_alike_on_every_task_before_it_begins_rests_before_it_has_used_up_the_queue()
    {
        const int Tasks = 20;
        Open();
        Away(true);
        for (var n = 0; n < Tasks; n++)
            await _fixture!.Create($"task {n}", maxAttempts: 1);
        await StartAsync(RequestOf("claude", """echo '{"type":"system","subtype":"init","session_id":"s"}'; echo 'invalid settings' >&2; exit 1""", Road.OneShot), Road.OneShot);

        Shell.Until(() => _fixture!.Engine.Breaker.Status().Count == 1 && _fixture.Supervisor.Running == 0, "the program rests");
        _fixture!.Board.Counts.Queued.ShouldBeGreaterThan(Tasks / 2);
        (await ShownAsync()).BlockedBy.ShouldNotBeNull().ShouldContain(reason => reason.Code == "program-resting");
    }

    [Test]
    public async Task A_refused_key_without_a_route_waits_for_an_operator()
    {
        Open();
        Away(true);
        for (var n = 0; n < 6; n++)
            await _fixture!.Create($"task {n}", maxAttempts: 1);
        await StartAsync(RequestOf("pi", PiFails("401: invalid api key"), Road.OneShot), Road.OneShot);
        await SettleAsync(() => Providers.Any(provider => provider.State == "auth-failed"));
        var starts = Starts;
        for (var day = 0; day < 3; day++)
            await LookAsync(TimeSpan.FromDays(1));
        Starts.ShouldBe(starts, "no time mends a key");
        var shown = Providers.ShouldHaveSingleItem();
        (shown.State, shown.Until, shown.Program).ShouldBe(("auth-failed", null, _fixture!.Programs.Find("sh")));
        (await ShownAsync()).BlockedBy.ShouldNotBeNull().ShouldHaveSingleItem().Message.ShouldContain("colibri resume-queue --provider sh");

        Away(false);
        await _fixture.Engine.ResumeAsync("sh", null);
        await SettleAsync(() => _fixture.Board.Counts.Done == 6);
    }

    [Test]
    public async Task An_operators_stop_says_nothing_about_the_provider()
    {
        Open();
        Away(true);
        var task = await _fixture!.Create("t", maxAttempts: 2);
        await StartAsync(RequestOf("pi", """echo '{"type":"agent_start"}'; exec sleep 300""", Road.OneShot), Road.OneShot);
        Shell.Until(() => _fixture.Supervisor.Agents.Any(agent => agent.ToPane().Activity == Activity.Working), "it works");
        _fixture.Supervisor.TryStop(_fixture.Supervisor.Agents[0].Id, TimeSpan.Zero);
        Shell.Until(() => _fixture.Get(task).GetAwaiter().GetResult() is { Verdict: "stopped", Attempts: 1 }, "the attempt counts");
        Providers.ShouldBeEmpty();
    }

    [Test]
    [Arguments(null, null, true)]
    [Arguments("sh", null, true)]
    [Arguments(null, "sh", true)]
    [Arguments("anthropic", null, false)]
    [Arguments(null, "zot", false)]
    public async Task What_an_operator_pauses_does_not_start_until_it_is_resumed(string? provider, string? agent, bool isHeld)
    {
        Open();
        (await _fixture!.Engine.PauseAsync(provider, agent, "lunch")).Paused.ShouldHaveSingleItem().Reason.ShouldBe("lunch");
        await _fixture.Create("t");
        await StartAsync(RequestOf("pi", "", Road.OneShot), Road.OneShot);
        if (!isHeld)
        {
            await SettleAsync(() => _fixture.Board.Counts.Done == 1);
            return;
        }
        for (var look = 0; look < 3; look++)
            await LookAsync(TimeSpan.FromMinutes(10));
        Starts.ShouldBe(0);
        (await ShownAsync()).BlockedBy.ShouldNotBeNull().ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            reason => reason.Code.ShouldBe("paused"), reason => reason.Message.ShouldContain("lunch"));

        (await _fixture.Engine.ResumeAsync(provider, agent)).Paused.ShouldBeEmpty();
        await SettleAsync(() => _fixture.Board.Counts.Done == 1);
    }

    [Test]
    public async Task A_queued_task_says_why_it_does_not_start()
    {
        var budgets = new Budgets(null, 1_000_000, new EventHub(TimeProvider.System), TimeProvider.System);
        Open(maxAgents: 1, budgets: budgets);
        var task = await _fixture!.Create("t");
        await StartAsync(null, Road.OneShot);
        await LookAsync(TimeSpan.Zero);
        await ReasonsAsync(("no-agent", "COLIBRI_AGENT_BINARY"));

        var late = _fixture.PathOf("late");
        await RestartAsync(new AgentCandidate("late", capability => capability == "code", new SpawnRequest { Binary = late, Runtime = "pi" }));
        await LookAsync(TimeSpan.Zero);
        await ReasonsAsync(("program-missing", late));

        await File.WriteAllTextAsync(late, "#!/bin/sh\nexit 7\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(late, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        for (var crash = 0; crash < 5; crash++)
            _fixture.Engine.Breaker.Report(late, crashed: true, "exited 7");
        await LookAsync(TimeSpan.Zero);
        await ReasonsAsync(("program-resting", "exited 7"));

        _fixture.Engine.Breaker.Report(late, crashed: false);
        await _fixture.Board.CancelAsync(task.Id);
        await _fixture.Create("t", capabilities: "piano");
        await LookAsync(TimeSpan.Zero);
        await ReasonsAsync(("no-agent", "piano"));

        var agent = await _fixture.Spawn(SupervisorFixture.Working);
        await ReasonsAsync(("no-agent", "piano"), ("slots", "all 1 agents are busy"));
        budgets.Restore(budgets.Today, new Usage { CostMicrocents = 2_000_000 }, null);
        await ReasonsAsync(("no-agent", "piano"), ("budget", "colibri budget lift"));
        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
        var later = (await ShownAsync()) with { NotBefore = _time.GetUtcNow().AddMinutes(1) };
        _fixture.Engine.Queue.Show(later).BlockedBy!.Select(reason => reason.Code).ShouldContain("backoff");
        _fixture.Engine.Queue.Show(later with { Status = TaskState.Failed, BlockedBy = null }).BlockedBy.ShouldBeNull();
    }

    [Test]
    public async Task A_held_task_names_the_command_that_releases_it_and_a_poisoned_one_its_reason()
    {
        Open();
        var task = await _fixture!.Create("t");
        (await _fixture.Board.HoldAsync(task.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
        await StartAsync(RequestOf("pi", "", Road.OneShot), Road.OneShot);
        await LookAsync(TimeSpan.Zero);
        await ReasonsAsync(("held", $"it does not start before: colibri release-task {task.Number}"));

        var poison = (await _fixture.Get(task)) with { Error = new TaskError("poison", "3 runs in a row were interrupted"), Interruptions = 3 };
        _fixture.Engine.Queue.Show(poison).BlockedBy.ShouldNotBeNull().ShouldHaveSingleItem().Message
            .ShouldBe($"3 of its runs in a row were interrupted because the daemon was killed; it does not start before: colibri release-task {task.Number}");

        await _fixture.Board.ReleaseAsync(task.Id);
        await SettleAsync(() => _fixture.Board.Counts.Done == 1);
    }

    /// <summary>Codex is away and takes only "code"; Pi takes only "review".</summary>
    [Test]
    [Arguments(0)]
    [Arguments(5_000)]
    public async Task Behind_tasks_of_a_held_provider_those_of_another_are_found_and_no_look_is_repeated(int more)
    {
        const int CodeTasks = 20;
        Open(maxAgents: 4);
        Away(true);
        await Task.WhenAll(Enumerable.Range(0, CodeTasks + more).Select(n => _fixture!.Create($"code {n}", capabilities: "code")));
        await _fixture!.Create("review", capabilities: "review");
        _fixture.Engine.Holds.Failed(new ProviderSource("openai"), new ProviderFault(ProviderFailure.Overload, IsStated: true), "503", "earlier", TimeSpan.Zero, TimeSpan.Zero);
        // The one that tries first works until it is let go.
        var code = RequestOf("codex", $"echo '{{\"type\":\"turn.started\"}}'; while [ -e '{_fixture.PathOf("away")}' ]; do sleep 0.05; done", Road.OneShot);
        await RestartAsync(
            new AgentCandidate("codex", capability => capability == "code", code),
            new AgentCandidate("pi", capability => capability == "review", new SpawnRequest { Binary = "sh", Runtime = "pi", Arguments = ["-c", GoodRunOf("pi")] }));

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the other provider's task is done while this one waits");
        Starts.ShouldBe(0);
        Shell.Until(() => _time.NextTimer > TimeSpan.Zero, "the scheduler waits");

        _time.Advance(ProviderHold.FirstWait);
        Shell.Until(() => Starts == 1, "one task tries first");
        await _fixture.Create("review", capabilities: "review");
        _scheduler!.Wake();
        Shell.Until(() => _fixture.Board.Counts.Done == 2, "the other provider's task is done while one tries");
        Shell.Until(() => _time.NextTimer > TimeSpan.Zero, "the scheduler waits");
        (Starts, _fixture.Board.Counts.Started).ShouldBe((1, 1));
        Away(false);
    }

    private async Task ReasonsAsync(params (string Code, string Words)[] expected)
    {
        var reasons = (await ShownAsync()).BlockedBy.ShouldNotBeNull();
        reasons.Select(reason => reason.Code).ShouldBe(expected.Select(one => one.Code));
        foreach (var (reason, one) in reasons.Zip(expected))
            reason.Message.ShouldContain(one.Words);
    }

    private async Task<BoardTask> ShownAsync() => _fixture!.Engine.Queue.Show(await _fixture.Board.ListAsync(TaskState.Queued, 1, null)).Tasks[0];

    private IReadOnlyList<StatusRoute> Providers => [.. _fixture!.Engine.Router.Status(), .. _fixture.Engine.Holds.Status()];

    private int Starts => File.Exists(_fixture!.PathOf("starts")) ? File.ReadAllLines(_fixture.PathOf("starts")).Length : 0;

    private static string RouteOf(string kind) => kind switch { "claude" => "anthropic", "codex" => "openai", _ => "mock" };

    private void Open(string? route = null, int maxAgents = 4, Budgets? budgets = null, Func<DaemonConfiguration, DaemonConfiguration>? configure = null) =>
        _fixture = new SupervisorFixture(maxAgents, _time, budgets, random: new Random(7), configure: plain => (configure ?? (same => same))(
            route is null ? plain : plain with { Providers = [new ProviderRoute(route, null)], KeylessProviders = [route] }));

    private void Away(bool isAway)
    {
        if (isAway)
            File.WriteAllText(_fixture!.PathOf("away"), "");
        else
            File.Delete(_fixture!.PathOf("away"));
    }

    /// <summary>An agent that does what <paramref name="fails"/> prints while the provider is away, and its work else. Each run leaves a line.</summary>
    private SpawnRequest RequestOf(string kind, string fails, Road road, string? away = null)
    {
        var work = $"echo run >> '{_fixture!.PathOf("starts")}'\nif {away ?? $"[ -e '{_fixture.PathOf("away")}' ]"}; then\n:\n{fails}\nelse\n{GoodRunOf(kind)}\nfi";
        var isLongLived = road != Road.OneShot;
        var script = !isLongLived ? work : $$"""
            while read -r line; do
                id=${line#*\"id\":\"}; id=${id%%\"*}
                echo '{"id":"'"$id"'","type":"response","command":"any","success":true}'
                case $line in *'"type":"prompt"'*) {{work}}
                ;; esac
            done
            """;
        return new SpawnRequest { Binary = "sh", Runtime = kind, Arguments = ["-c", script], Rpc = isLongLived, TakesTasks = isLongLived, IsKept = road == Road.Resident };
    }

    private async Task StartAsync(SpawnRequest? request, Road road)
    {
        if (road == Road.Resident)
        {
            var route = _fixture!.Engine.Router.Choose();
            await _fixture.Supervisor.SpawnAsync(request! with { Provider = route?.Provider, Model = route?.Model });
        }
        await RestartAsync(request is null || road == Road.Resident ? [] : [new AgentCandidate("sh", _ => true, request)]);
    }

    private async Task RestartAsync(params AgentCandidate[] candidates)
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        var (scheduler, stopping) = (_fixture!.Engine.Schedule(candidates), _stop.Token);
        _scheduler = scheduler;
        _running = Task.Run(() => scheduler.RunAsync(stopping), CancellationToken.None);
    }

    /// <summary>Moves the clock, lets the scheduler look, and waits until no agent is at work.</summary>
    private async Task LookAsync(TimeSpan by)
    {
        _time.Advance(by);
        await _scheduler!.AnswerAsync().WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        Shell.Until(() => _fixture!.Supervisor.Agents.All(agent => agent.HasEnded || agent.TaskId is null), "no agent is at work");
    }

    /// <summary>What a failure needs to be understood.</summary>
    private async Task<string> StandingAsync()
    {
        var tasks = (await _fixture!.Board.ListAsync(null, 100, null)).Tasks.Where(task => task.Status != TaskState.Done);
        return string.Join("; ", [
            $"{_time.GetUtcNow():HH:mm:ss}", .. tasks.Select(task => $"{task.Title} {task.Status} {task.Verdict} {task.Error?.Message} {task.NotBefore:HH:mm:ss}"),
            .. Providers.Select(provider => $"{provider.Provider} {provider.State} {provider.Until:HH:mm:ss} {provider.Failures}"),
        ]);
    }

    /// <summary>Lets time pass, a second at a time, until it holds.</summary>
    private async Task SettleAsync(Func<bool> holds)
    {
        for (var seconds = 0; !holds(); seconds++)
        {
            if (seconds == 3_600)
                throw new ShouldAssertException($"it does not come about within an hour of the clock: {await StandingAsync()}");
            await LookAsync(TimeSpan.FromSeconds(1));
        }
    }
}
