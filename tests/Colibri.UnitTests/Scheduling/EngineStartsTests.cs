using System.Collections.Concurrent;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Runs;

namespace Colibri.UnitTests.Scheduling;

/// <summary>
/// The real engine on a clock that is moved from one wait to the next, with agents that end in any way at random: the rules that decide when
/// something is started again, together, keep the bound, and leave nothing behind that could run.
/// </summary>
[NotInParallel]
public sealed class EngineStartsTests
{
    private const int MaxAgents = 2;
    private const int Tasks = 4;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static readonly string[] Ways =
    [
        SupervisorFixture.LifeCycle,
        "exit 3",
        "exit 0",
        "kill -9 $$",
        """echo '{"type":"agent_start"}'; exit 1""",
        Refused("429: slow down"),
        Refused("503: overloaded"),
        Refused("401: no such key"),
        Refused("the tests are red"),
    ];

    public static IEnumerable<(int Seed, bool HasRoutes)> Seeds() => [(7, false), (8, true), (Random.Shared.Next(), Random.Shared.Next(2) == 0)];

    [Test]
    [MethodDataSource(nameof(Seeds))]
    public async Task Agents_that_end_in_any_way_are_started_no_more_often_than_the_bound_and_all_tasks_end((int Seed, bool HasRoutes) way)
    {
        TestContext.Current!.Output.WriteLine($"seed {way.Seed}, {(way.HasRoutes ? "with" : "without")} routes");
        var random = new Random(way.Seed);
        var time = new FakeTime();
        var starts = new ConcurrentQueue<(string Task, long At)>();
        var isChaos = true;
        await using var fixture = new SupervisorFixture(MaxAgents, time, searchPath: "/usr/bin:/bin",
            configure: plain => way.HasRoutes ? plain with { Providers = [new ProviderRoute("a", null), new ProviderRoute("b", null)], KeylessProviders = ["a", "b"] } : plain,
            steps: new RunSteps([new Flaky(() => isChaos && Roll() % 2 == 0)], []));
        fixture.TaskChanged = task =>
        {
            if (task.Status == TaskState.Claimed)
                starts.Enqueue((task.Id, time.GetTimestamp()));
        };
        for (var i = 0; i < Tasks; i++)
            await fixture.Create($"{i}", maxAttempts: 100);
        var arguments = new ChosenArguments(() => isChaos ? Ways[Roll() % Ways.Length] : SupervisorFixture.LifeCycle);
        // The program is there and cannot be started as long as somebody writes to it.
        var program = fixture.PathOf("agent");
        File.Copy("/bin/sh", program);
        FileStream? writing = null;
        using var stop = new CancellationTokenSource();
        var scheduler = fixture.Engine.Schedule([new AgentCandidate("agent", _ => true, new SpawnRequest { Binary = program, Runtime = "pi", Arguments = arguments })]);
        var running = Task.Run(() => scheduler.RunAsync(stop.Token));

        var begun = time.GetTimestamp();
        while (time.GetElapsedTime(begun) < 2 * Hour)
        {
            var wasWriting = writing is not null;
            writing?.Dispose();
            writing = !wasWriting && Roll() % 10 == 0 ? TryWrite(program) : null;
            if (Roll() % 25 == 0)
                time.SetClock(TimeSpan.FromMinutes((Roll() % 240) - 120));
            // A provider that has refused a key waits for another one: the operator sees to that, and also ends waits.
            if (Roll() % 4 == 0)
                await ResumeAsync(fixture);
            await PassAsync(fixture, scheduler, time, TimeSpan.FromMinutes(2));
        }
        writing?.Dispose();
        ShouldKeepTheBound(starts);
        starts.Count.ShouldBeGreaterThan(Tasks);

        isChaos = false;
        await ResumeAsync(fixture);
        for (var end = time.GetTimestamp(); time.GetElapsedTime(end) < 2 * Hour && fixture.Board.Counts.Queued > 0;)
            await PassAsync(fixture, scheduler, time, TimeSpan.FromMinutes(30));
        (fixture.Board.Counts.Queued, fixture.Board.Counts.Started, fixture.Board.Counts.Claimed).ShouldBe((0, 0, 0), "whatever could run has run");
        await stop.CancelAsync();
        await running.WaitAsync(Shell.Deadline, CancellationToken.None);

        int Roll()
        {
            lock (random)
                return random.Next(1 << 20);
        }
    }

    /// <summary>An operator who ends each wait of the provider at once leaves the rests of the tasks alone to bound their starts.</summary>
    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_provider_that_fails_and_is_resumed_at_every_wait_keeps_the_bound_and_costs_no_attempt(bool hasRoutes)
    {
        var time = new FakeTime();
        var starts = new ConcurrentQueue<(string Task, long At)>();
        await using var fixture = new SupervisorFixture(
            MaxAgents, time, configure: plain => hasRoutes ? plain with { Providers = [new ProviderRoute("a", null)], KeylessProviders = ["a"] } : plain);
        fixture.TaskChanged = task =>
        {
            if (task.Status == TaskState.Claimed)
                starts.Enqueue((task.Id, time.GetTimestamp()));
        };
        for (var i = 0; i < Tasks; i++)
            await fixture.Create($"{i}", maxAttempts: 1);
        using var stop = new CancellationTokenSource();
        var scheduler = fixture.Engine.Schedule(
            [new AgentCandidate("agent", _ => true, new SpawnRequest { Binary = "sh", Runtime = "pi", Arguments = ["-c", Refused("503: overloaded")] })]);
        var running = Task.Run(() => scheduler.RunAsync(stop.Token));

        for (var begun = time.GetTimestamp(); time.GetElapsedTime(begun) < Hour;)
        {
            await fixture.Engine.ResumeAsync(hasRoutes ? "a" : "sh", null);
            await PassAsync(fixture, scheduler, time, TimeSpan.FromMinutes(1));
        }

        ShouldKeepTheBound(starts);
        starts.Count.ShouldBeGreaterThan(5 * Tasks, "the holds alone would have let fewer start");
        foreach (var task in (await fixture.Board.ListAsync(null, 10, null)).Tasks)
            (task.Status, task.Verdict, task.Attempts).ShouldBe((TaskState.Queued, "provider", 0));
        await stop.CancelAsync();
        await running.WaitAsync(Shell.Deadline, CancellationToken.None);
    }

    /// <summary>To the next wait of the scheduler's, once every agent has ended and it has looked at what they left.</summary>
    private static async Task PassAsync(SupervisorFixture fixture, BoardScheduler scheduler, FakeTime time, TimeSpan atMost)
    {
        await scheduler.AnswerAsync().WaitAsync(Shell.Deadline);
        Shell.Until(() => fixture.Supervisor.Running == 0, "every agent has ended");
        await scheduler.AnswerAsync().WaitAsync(Shell.Deadline);
        if (fixture.Supervisor.Running > 0)
            return;
        Shell.Until(() => time.NextTimer is not null, "the scheduler waits");
        time.Advance(time.NextTimer is { } next && next < atMost ? next : atMost);
    }

    private static async Task ResumeAsync(SupervisorFixture fixture)
    {
        foreach (var provider in (string[])["a", "b", "agent"])
            await fixture.Engine.ResumeAsync(provider, null);
    }

    private static void ShouldKeepTheBound(IEnumerable<(string Task, long At)> starts)
    {
        foreach (var task in starts.GroupBy(start => start.Task))
        {
            var at = task.Select(start => start.At).ToList();
            for (var first = 0; first < at.Count; first++)
                at.Skip(first).Count(later => later - at[first] < Hour.Ticks).ShouldBeLessThanOrEqualTo(TaskBoard.MostStartsInAnHour, $"from start {first + 1} on");
        }
    }

    /// <summary>Null while an agent executes it: then it cannot be opened for writing.</summary>
    private static FileStream? TryWrite(string program)
    {
        try
        {
            return new FileStream(program, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string Refused(string words) => $$$"""
        echo '{"type":"agent_start"}'
        echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"{{{words}}}"}}'
        echo '{"type":"agent_end","messages":[],"willRetry":false}'
        """;

    private sealed class Flaky(Func<bool> fails) : IRunStep
    {
        public Task<TaskError?> RunAsync(Run run) => fails() ? throw new InvalidDataException("on purpose") : Task.FromResult<TaskError?>(null);
    }

    /// <summary>Another script at each reading.</summary>
    private sealed class ChosenArguments(Func<string> script) : IReadOnlyList<string>
    {
        public int Count => 2;

        public string this[int index] => index == 0 ? "-c" : script();

        public IEnumerator<string> GetEnumerator() => new List<string> { "-c", script() }.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
