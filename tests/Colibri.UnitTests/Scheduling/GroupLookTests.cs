using System.Diagnostics;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

/// <summary>How the scheduler looks at tasks of groups that have a limit.</summary>
[NotInParallel]
public sealed class GroupLookTests : IAsyncDisposable
{
    private readonly FakeTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SupervisorFixture _fixture;
    private LiveSettings _settings = null!;
    private int _limit = 1;
    private Task _running = Task.CompletedTask;

    public GroupLookTests() => _fixture = new SupervisorFixture(4, _time, settings: configuration => _settings = new LiveSettings(Of(configuration), () => new SettingsReading
    {
        Settings = Of(configuration),
        Stated = new Dictionary<string, FilePlace>(),
        FromEnvironment = new HashSet<string>(),
        Unknown = [],
    }));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    public async Task One_runs_at_a_time_others_run_beside_it_and_the_rest_says_why_it_waits()
    {
        var go = _fixture.PathOf("go");
        var tasks = new List<BoardTask>();
        for (var i = 0; i < 3; i++)
            tasks.Add(await Create("db"));
        await Create(null);
        Start(Waiting(go));

        Shell.Until(() => _fixture.Board.Counts is { Started: 2, Queued: 2 }, "one of the group and the other one run");
        var waiting = _fixture.Engine.Queue.Show(await _fixture.Get(tasks[1]));
        waiting.BlockedBy!.ShouldContain(new BlockedBy("group", "group db has its limit of 1 running: 1"));
        _fixture.Engine.Queue.Show(await _fixture.Board.ListAsync(null, 9, null)).Tasks.Count(task => task.BlockedBy is [{ Code: "group" }]).ShouldBe(2);
        await File.WriteAllTextAsync(go, "", CancellationToken.None);

        // No tick: the end of each wakes the scheduler.
        Shell.Until(() => _fixture.Board.Counts.Done == 4, "all are done, one after the other");
        _fixture.Changes.Where(task => task is { Group: "db", Status: TaskState.Started or TaskState.Done }).Select(task => (task.Number, task.Status)).Distinct()
            .ShouldBe(Enumerable.Range(1, 3).SelectMany(number => new[] { ((long)number, TaskState.Started), (number, TaskState.Done) }));
    }

    [Test]
    public async Task A_place_that_an_outside_claimant_leaves_is_taken_without_a_tick()
    {
        var outside = await Create("db");
        await _fixture.Board.ClaimAsync(outside.Id, "outside");
        await Create("db");
        Start(Done);
        Shell.Until(() => _time.NextTimer is not null, "the scheduler waits");
        _fixture.Board.Counts.Queued.ShouldBe(1);

        await _fixture.Board.CancelAsync(outside.Id);

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the other one is done");
    }

    [Test]
    public async Task A_limit_that_is_raised_lets_more_start_and_one_that_is_lowered_stops_none()
    {
        var go = _fixture.PathOf("go");
        for (var i = 0; i < 4; i++)
            await Create("db");
        Start(Waiting(go));
        Shell.Until(() => _fixture.Board.Counts.Started == 1, "one runs");
        _limit = 3;
        _settings.Reload();
        Shell.Until(() => _fixture.Board.Counts.Started == 3, "three run");
        _limit = 1;
        _settings.Reload();
        _fixture.Board.Counts.ShouldSatisfyAllConditions(counts => counts.Started.ShouldBe(3), counts => counts.Queued.ShouldBe(1));

        await File.WriteAllTextAsync(go, "", CancellationToken.None);
        Shell.Until(() => _fixture.Board.Counts.Done == 4, "all are done");
    }

    [Test]
    public async Task A_client_starts_no_more_than_the_scheduler()
    {
        await _fixture.SpawnWorking(await Create("db"));
        var other = await Create("db");

        (await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Spawn("exit 0", other))).Message.ShouldContain("group db has its limit of 1 running: 1");
    }

    /// <summary>The time is told rather than judged, except that it must be far from that of a look-up for each task.</summary>
    [Test]
    public async Task A_long_queue_of_a_full_group_hides_nothing_and_costs_a_look_little()
    {
        const int InFront = 100_000;
        await _fixture.Board.ClaimAsync((await Create("db")).Id, "outside");
        await Task.WhenAll(Enumerable.Range(0, InFront).Select(_ => Create("db")));
        var free = await Create(null);
        Start(Done);
        var since = Stopwatch.GetTimestamp();

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the task behind them is done");

        var took = Stopwatch.GetElapsedTime(since);
        Console.WriteLine($"a task behind {InFront} of a full group was done {took.TotalMilliseconds:0} ms after the scheduler began");
        (await _fixture.Get(free)).Status.ShouldBe(TaskState.Done);
        took.ShouldBeLessThan(TimeSpan.FromSeconds(20));
    }

    private static AgentCandidate Done => new("sh", _ => true, SupervisorFixture.Request(SupervisorFixture.LifeCycle));

    private static AgentCandidate Waiting(string go) =>
        new("sh", _ => true, SupervisorFixture.Request($"while [ ! -e '{go}' ]; do sleep 0.02; done\n{SupervisorFixture.LifeCycle}"));

    private ColibriSettings Of(DaemonConfiguration configuration) =>
        new() { Daemon = configuration, Groups = [new GroupSettings { Name = "db", Limit = _limit }] };

    private Task<BoardTask> Create(string? group) => _fixture.Board.CreateAsync(new NewTask { Title = "t", Group = group });

    private void Start(AgentCandidate candidate) => _running = Task.Run(() => _fixture.Engine.Schedule([candidate]).RunAsync(_stop.Token));
}
