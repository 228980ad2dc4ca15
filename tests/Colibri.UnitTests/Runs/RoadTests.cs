using System.Text.Json;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Runs;

/// <summary>One theory over all roads to a run: whichever agent gets a task, and however, the same rules hold.</summary>
[NotInParallel]
public sealed class RoadTests : IAsyncDisposable
{
    private const long Cent = 1_000_000;

    /// <summary>Does what the prompt says. It writes down what it was told, each followed by a NUL.</summary>
    private const string Work = """
        work() {
            case $1 in
                *mute*) stay ;;
                *open*) echo '{"type":"session","id":"h","cwd":"/w"}'; stay ;;
                *hang*|*unheard*) echo '{"type":"agent_start"}'; stay ;;
                *gazing*) echo '{"type":"session","id":"h","cwd":"/w"}'; stay ;;
                *pulsing*) echo '{"type":"agent_start"}'; while :; do echo '{"type":"heartbeat"}'; sleep 0.05; done ;;
                *forging*)
                    echo '{"type":"agent_start"}'
                    echo '{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}'
                    while :; do echo '{"type":"tool_execution_update","toolCallId":"a"}'; sleep 0.05; done ;;
                *retrying*)
                    echo '{"type":"agent_start"}'
                    while :; do echo '{"type":"auto_retry_start","attempt":1,"errorMessage":"529"}'; sleep 0.05; done ;;
                *inquiring*)
                    echo '{"type":"agent_start"}'
                    echo '{"type":"extension_ui_request","id":"q1","method":"confirm","title":"Delete the branch?"}'; stay ;;
                *long*) echo '{"type":"agent_start"}'; while :; do echo '{"type":"message_update"}'; sleep 0.05; done ;;
                *close*) echo '{"type":"agent_start"}'; exec >&- 2>&-; stay ;;
                *break*)
                    echo '{"type":"agent_start"}'
                    echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"it broke"}}'
                    echo '{"type":"agent_settled"}' ;;
                *dear*)
                    echo '{"type":"agent_start"}'
                    echo '{"type":"message_end","message":{"role":"assistant","content":[],"usage":{"input":1,"output":1,"cost":{"total":0.02}},"stopReason":"toolUse"}}'
                    stay ;;
                *)
                    echo '{"type":"agent_start"}'
                    echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}'
                    echo '{"type":"agent_settled"}' ;;
            esac
        }

        """;

    private const string OneShot = "stay() { exec sleep 300; }\n" + Work + """printf '%s\0' "$0" >> TOLD; work "$0" """;

    /// <summary>It hears the end of its standard input, so that no test waits for the signal that comes after it.</summary>
    private const string Server = "stay() { cat > /dev/null; exit; }\n" + Work + """
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            echo '{"id":"'"$id"'","type":"response","command":"any","success":true}'
            case $line in *'"type":"prompt"'*) printf '%s\0' "$line" >> TOLD; work "$line" ;; esac
        done
        """;

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(600);

    private readonly FakeTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private SupervisorFixture? _fixture;
    private Task _running = Task.CompletedTask;

    public enum Road
    {
        /// <summary>The scheduler starts an agent for this task alone.</summary>
        OneShot,

        /// <summary>A client does, naming the task.</summary>
        SpawnAgent,

        /// <summary>The same with an agent that is told over its standard input.</summary>
        SpawnRpcAgent,

        /// <summary>An attempt before it has failed.</summary>
        Retry,

        /// <summary>The first task of a long-lived agent that the scheduler starts.</summary>
        LongLived,

        /// <summary>The second task of an agent at rest.</summary>
        AtRestSecond,

        /// <summary>The third, after an attempt at it has failed.</summary>
        AtRestThirdRetry,

        /// <summary>The agent is there before the task is, as that of <c>COLIBRI_AUTOSPAWN</c> is.</summary>
        Resident,
    }

    /// <summary>A word for the agent, the settings that matter, the verdict.</summary>
    private static readonly (string Word, Func<DaemonConfiguration, DaemonConfiguration> Configure, string Verdict)[] Rules =
    [
        ("well", plain => plain, "done"),
        ("break", plain => plain, "agent-error"),
        ("mute", plain => plain with { FirstEventTimeout = Short }, "deadline"),
        ("open", plain => plain with { FirstEventTimeout = Short }, "deadline"),
        ("hang", plain => plain with { StallAfter = Short, StallKill = true }, "deadline"),
        ("unheard", plain => plain with { SilenceTimeout = Short }, "deadline"),
        ("gazing", plain => plain with { SilenceTimeout = Short }, "deadline"),
        ("pulsing", plain => plain with { SilenceTimeout = Short }, "deadline"),
        ("forging", plain => plain with { ToolTimeout = Short }, "deadline"),
        ("retrying", plain => plain with { FirstEventTimeout = Short }, "provider"),
        ("inquiring", plain => plain with { SilenceTimeout = Short, QuestionTimeout = Short }, "deadline"),
        ("long", plain => plain with { RunTimeout = Short }, "deadline"),
        ("close", plain => plain, "stopped"),
        ("dear", plain => plain, "budget"),
    ];

    public static IEnumerable<(Road, string)> RoadsAndRules() => Enum.GetValues<Road>().SelectMany(road => Rules.Select(rule => (road, rule.Word)));

    public static IEnumerable<(Road, bool, bool)> RoadsAndSessions() => Enum.GetValues<Road>()
        .SelectMany(road => new[] { (road, false, false), (road, true, false), (road, true, true) });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        if (_fixture is not null)
            await _fixture.DisposeAsync();
    }

    [Test]
    [MethodDataSource(nameof(RoadsAndRules))]
    public async Task A_run_is_held_to_the_same_rules_on_every_road(Road road, string word)
    {
        var rule = Rules.First(rule => rule.Word == word);
        var task = await Travel(road, word, rule.Configure, session: null);

        var status = rule.Verdict switch { "done" => TaskState.Done, "provider" => TaskState.Queued, _ => TaskState.Failed };
        (task.Status, task.Verdict).ShouldBe((status, rule.Verdict), task.Error?.Message);
    }

    /// <summary>The roads to a run without a task.</summary>
    public enum Lone
    {
        /// <summary>The prompt of <c>spawn-agent</c>, among the arguments.</summary>
        Prompt,

        /// <summary>The same over standard input.</summary>
        RpcPrompt,

        /// <summary>An operator's words to an agent at rest.</summary>
        Told,

        /// <summary>The first words to the agent of <c>COLIBRI_AUTOSPAWN</c>.</summary>
        Resident,
    }

    public static IEnumerable<(Lone, string)> LoneRoadsAndRules() => Enum.GetValues<Lone>().SelectMany(road => Rules.Where(rule => rule.Verdict is "deadline" or "provider").Select(rule => (road, rule.Word)));

    [Test]
    [MethodDataSource(nameof(LoneRoadsAndRules))]
    public async Task An_agent_without_a_task_is_held_to_the_same_limits(Lone road, string word)
    {
        var rule = Rules.First(rule => rule.Word == word);
        _fixture = new SupervisorFixture(maxAgents: 1, configure: rule.Configure, closedOutputGrace: Short);
        var isRpc = road != Lone.Prompt;
        var script = (isRpc ? Server : OneShot).Replace("TOLD", $"'{_fixture.PathOf("told")}'", StringComparison.Ordinal);
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script) with
        {
            Rpc = isRpc,
            Prompt = road == Lone.Told ? null : word,
            TakesTasks = road == Lone.Resident,
            IsKept = road == Lone.Resident,
        });
        if (road == Lone.Told)
            (await agent.TellAsync(word)).IsTaken.ShouldBeTrue();
        await SupervisorFixture.End(agent);
        _fixture.Sessions.Read(agent.SessionId, all: true)!.Entries[^1].Text.ShouldNotBeNull().ShouldStartWith("run ended: deadline");
    }

    [Test]
    [MethodDataSource(nameof(RoadsAndSessions))]
    public async Task A_run_is_told_whole_and_logged_to_its_tasks_session_on_every_road(Road road, bool hasSession, bool injects)
    {
        var task = await Travel(road, "well", plain => plain with { SchedulerPromptInjection = injects }, hasSession ? "own-session" : null, hasSession);

        const string Prompt = "well\n\nthe whole story,\nin two lines";
        var run = (await _fixture!.Board.RunsAsync(task.Id))[^1];
        (task.Status, task.SessionId, run.SessionId).ShouldBe((TaskState.Done, hasSession ? "own-session" : run.SessionId, hasSession ? "own-session" : run.SessionId));
        var told = Told(await File.ReadAllTextAsync(_fixture.PathOf("told"), TestContext.Current!.Execution.CancellationToken)).Last();
        if (injects)
            told.ShouldSatisfyAllConditions(text => text.ShouldContain("what was said before"), text => text.ShouldEndWith("[task]\n" + Prompt));
        else
            told.ShouldBe(Prompt);
        var entries = _fixture.Sessions.Read(run.SessionId, all: true)!.Entries.Select(entry => entry.Text).ToList();
        entries.Skip(entries.LastIndexOf(Prompt)).ShouldBe([Prompt, "well", "run ended: done"]);
    }

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task A_task_whose_earlier_attempts_spent_its_budget_is_told_to_nobody_on_every_road(Road road)
    {
        var task = await Travel(road, "well", plain => plain, session: null, spent: 2 * Cent);

        (task.Status, task.Verdict).ShouldBe((TaskState.Failed, "budget"), task.Error?.Message);
        var told = File.Exists(_fixture!.PathOf("told")) ? Told(await File.ReadAllTextAsync(_fixture.PathOf("told"), TestContext.Current!.Execution.CancellationToken)) : [];
        told.ShouldNotContain(text => text.Contains("the whole story", StringComparison.Ordinal));
    }

    public static IEnumerable<Road> Roads() => Enum.GetValues<Road>();

    /// <summary>Brings a task to its last run's end on a road.</summary>
    private async Task<BoardTask> Travel(
        Road road, string word, Func<DaemonConfiguration, DaemonConfiguration> configure, string? session, bool hasEntries = false, long spent = 0)
    {
        var budgets = new Budgets(Cent, null, new EventHub(TimeProvider.System), TimeProvider.System);
        // One slot: the later task of a long-lived agent cannot go to another one.
        _fixture = new SupervisorFixture(maxAgents: 1, _time, budgets, configure: configure, closedOutputGrace: Short);
        var isRpc = road is not (Road.OneShot or Road.SpawnAgent or Road.Retry);
        var isLongLived = road is Road.LongLived or Road.AtRestSecond or Road.AtRestThirdRetry or Road.Resident;
        var script = (isRpc ? Server : OneShot).Replace("TOLD", $"'{_fixture.PathOf("told")}'", StringComparison.Ordinal);
        var request = SupervisorFixture.Request(script) with { Rpc = isRpc, TakesTasks = isLongLived, IsKept = road == Road.Resident };
        if (hasEntries)
            await _fixture.Sessions.AppendAsync(session!, new SessionEntry { Kind = SessionEntryKind.User, Text = "what was said before" });
        if (road == Road.Resident)
            await _fixture.Supervisor.SpawnAsync(request);

        var before = road switch { Road.AtRestSecond => 1, Road.AtRestThirdRetry => 2, _ => 0 };
        for (var n = 0; n < before; n++)
            await _fixture.Create($"before {n}");
        var isRetry = road is Road.Retry or Road.AtRestThirdRetry;
        var task = await _fixture.Board.CreateAsync(new NewTask
        {
            Title = word,
            Description = "the whole story,\nin two lines",
            MaxAttempts = isRetry || spent > 0 ? 2 : 1,
            SessionId = session,
        });
        if (isRetry || spent > 0)
            await FailOnceAsync(task, spent);

        if (road is Road.SpawnAgent or Road.SpawnRpcAgent)
            await StartAsync(request with { TaskId = task.Id });
        else
            Schedule(road == Road.Resident ? [] : [new AgentCandidate("sh", _ => true, request)]);
        // What its provider failed waits in the queue: this clock stands still.
        Shell.Until(
            () => _fixture.Board.Counts is { Queued: 0, Claimed: 0, Started: 0 } || _fixture.Get(task).GetAwaiter().GetResult() is { Status: TaskState.Queued, Verdict: "provider" },
            "every task has ended");
        return await _fixture.Get(task);
    }

    private async Task StartAsync(SpawnRequest request)
    {
        try
        {
            await _fixture!.Supervisor.SpawnAsync(request);
        }
        catch (SpawnRefusedException)
        {
            // Its task says why.
        }
    }

    private async Task FailOnceAsync(BoardTask task, long spent)
    {
        var record = BoardFixture.Record("earlier");
        await _fixture!.Board.BeginSpawnAsync(record with { SessionId = task.SessionId ?? record.SessionId }, task.Id);
        var usage = new UsageRow(record.RunId, new DateOnly(2026, 11, 22), "mock", "mock-1", 1, new Usage { CostMicrocents = spent });
        await _fixture.Board.EndSpawnAsync("earlier", new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = _time.GetUtcNow(), Usage = [usage] });
        // The rest after the first start.
        _time.Advance(TimeSpan.FromMinutes(1));
    }

    private void Schedule(IReadOnlyList<AgentCandidate> candidates)
    {
        var scheduler = _fixture!.Engine.Schedule(candidates);
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
    }

    private static IEnumerable<string> Told(string file) => file.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(told =>
    {
        if (!told.StartsWith('{'))
            return told;
        using var line = JsonDocument.Parse(told);
        return line.RootElement.GetProperty("message").GetString()!;
    });
}
