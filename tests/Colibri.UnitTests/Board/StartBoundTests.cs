using Colibri.Core.Board;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>
/// A model of an engine whose runs end in any way at random, with policies that ask for the next start at once: the board alone bounds how often
/// a task is started, and whatever can run does in the end.
/// </summary>
public sealed class StartBoundTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static IEnumerable<(int Seed, bool AreResident)> Seeds() =>
        ((int[])[1, 2, Random.Shared.Next()]).SelectMany(seed => new[] { (seed, false), (seed, true) });

    [Test]
    [MethodDataSource(nameof(Seeds))]
    public async Task No_mix_of_ends_starts_a_task_more_often_than_the_bound_and_none_starves((int Seed, bool AreResident) way)
    {
        TestContext.Current!.Output.WriteLine($"seed {way.Seed}, {(way.AreResident ? "resident agents" : "one-shot agents")}");
        var random = new Random(way.Seed);
        await using var fixture = new BoardFixture { Random = new Random(way.Seed) };
        var model = new Model(fixture, random, way.AreResident);

        await model.RunAsync(TimeSpan.FromHours(5));

        foreach (var (task, starts) in model.Starts)
        {
            for (var first = 0; first < starts.Count; first++)
            {
                var within = starts.Skip(first).TakeWhile(at => at - starts[first] < Hour).Count();
                within.ShouldBeLessThanOrEqualTo(TaskBoard.MostStartsInAnHour, $"task {task}, from start {first + 1} on");
            }
        }
        model.Starts.Values.Max(starts => starts.Count).ShouldBeGreaterThan(TaskBoard.MostStartsInAnHour, "the model tries hard enough");

        // The longest runs take 90 minutes.
        await model.RunToTheEndAsync(TimeSpan.FromHours(4));
        foreach (var task in (await fixture.Board.ListAsync(null, 100, null)).Tasks)
            (task.Held || task.Status is TaskState.Done or TaskState.Failed or TaskState.Cancelled).ShouldBeTrue($"task {task.Id} is {task.Status}, not before {task.NotBefore}, at {fixture.Time.Now}");
    }

    /// <summary>The bound is what the code's rests add up to: a schedule that starts as early as it may reaches it.</summary>
    [Test]
    public void The_bound_is_the_sum_of_the_shortest_rests()
    {
        var (starts, at) = (0, TimeSpan.Zero);
        while (at < Hour)
            at += RetryBackoff.Ceiling(++starts) / 2;
        starts.ShouldBe(TaskBoard.MostStartsInAnHour);
    }

    private sealed class Model(BoardFixture fixture, Random random, bool areResident)
    {
        private const int Slots = 3;
        private const int Tasks = 5;

        private readonly List<(string Agent, BoardTask Task, RunClaim Claim, TimeSpan EndsAt)> _running = [];
        private readonly List<string> _resting = [];
        // Of each task, how its runs end; null for another way each time.
        private readonly Dictionary<string, string?> _habits = [];
        private TimeSpan _now;
        private int _agents;
        private int _made;

        public Dictionary<string, List<TimeSpan>> Starts { get; } = [];

        public async Task RunAsync(TimeSpan length)
        {
            while (_now < length)
            {
                var living = (await fixture.Board.ListAsync(null, 1_000, null)).Tasks.Count(task => task.Status is TaskState.Queued or TaskState.Claimed or TaskState.Started);
                while (living++ < Tasks)
                    await CreateAsync();
                await EndDueAsync();
                await DisturbAsync();
                await StartAsync();
                await PassAsync();
            }
        }

        /// <summary>From now on every run is done, and nothing else happens.</summary>
        public async Task RunToTheEndAsync(TimeSpan length)
        {
            var until = _now + length;
            foreach (var task in _habits.Keys.ToList())
                _habits[task] = "done";
            while (_now < until)
            {
                await EndDueAsync();
                await StartAsync();
                await PassAsync();
            }
        }

        private async Task CreateAsync()
        {
            string?[] habits = [null, null, "given back", "failed", "unstarted", "stopped", "killed", "outside"];
            var task = await fixture.Create($"{_made}", random.Next(-1, 2), maxAttempts: random.Next(3) == 0 ? 3 : 100);
            _habits[task.Id] = habits[_made++ % habits.Length];
            Starts[task.Id] = [];
        }

        private async Task StartAsync()
        {
            // As the scheduler: of the ready, the first in order.
            foreach (var ready in await fixture.Board.ReadyAsync(100, fixture.Time.Now))
            {
                if (_running.Count == Slots || (ready.RunsApart && await fixture.Board.IsOneApartAsync()))
                    continue;
                var agent = _resting.Count > 0 ? _resting[0] : $"a{_agents++}";
                var isNew = _resting.Count == 0;
                var start = isNew ? BoardFixture.Record(agent) : new RunStart { AgentId = agent, SessionId = "s" };
                var begun = await fixture.Board.BeginRunAsync(start with { RunId = Guid.NewGuid().ToString(), TaskId = ready.Id });
                begun.Outcome.ShouldBe(EdgeOutcome.Applied);
                _resting.Remove(agent);
                Starts[ready.Id].Add(_now);
                // Most runs end at once: that is where starts add up.
                var length = random.Next(20) == 0 ? TimeSpan.FromMinutes(random.Next(1, 90)) : random.Next(3) == 0 ? TimeSpan.FromSeconds(random.Next(1, 200)) : TimeSpan.Zero;
                _running.Add((agent, begun.Task!, begun.Claim!, _now + length));
            }
        }

        private async Task EndDueAsync()
        {
            foreach (var run in _running.Where(run => run.EndsAt <= _now).ToList())
            {
                var way = _habits[run.Task.Id] ?? ((string[])["done", "failed", "failed", "given back", "unstarted", "stopped", "killed", "outside"])[random.Next(8)];
                if (way == "killed")
                {
                    await KillAsync();
                    return;
                }
                if (way == "stopped")
                {
                    await StopAsync();
                    return;
                }
                _running.Remove(run);
                var ending = way == "done" ? RunEnding.Done : way == "failed" ? RunEnding.Failed : RunEnding.Interrupted;
                await EndAsync(run, ending);
                if (way == "outside" && (await fixture.Board.ClaimAsync(run.Task.Id, "somebody")).Outcome == EdgeOutcome.Applied)
                    await fixture.Board.TransitionAsync(run.Task.Id, TaskState.Queued, null);
            }
        }

        private async Task EndAsync((string Agent, BoardTask Task, RunClaim Claim, TimeSpan EndsAt) run, RunEnding ending)
        {
            var livesOn = areResident && ending is RunEnding.Done or RunEnding.Failed && random.Next(4) != 0;
            await fixture.Board.EndRunAsync(new RunEnd
            {
                AgentId = run.Agent,
                Claim = run.Claim,
                AgentEnded = !livesOn,
                Ending = ending,
                Verdict = "x",
                RetryAt = ending == RunEnding.Failed ? fixture.Time.Now : null,
            });
            if (livesOn)
                _resting.Add(run.Agent);
        }

        /// <summary>kill -9 of the daemon, and its restart at once.</summary>
        private async Task KillAsync()
        {
            await fixture.Reopen();
            foreach (var left in await fixture.Board.LiveSpawnsAsync())
                await fixture.Board.EndRunAsync(new RunEnd { AgentId = left.AgentId, Claim = left.Claim, AgentEnded = true, Ending = RunEnding.Killed, Verdict = "interrupted" });
            await fixture.Board.BoundBackoffsAsync();
            _running.Clear();
            _resting.Clear();
        }

        /// <summary>SIGTERM, and a supervisor that starts the daemon at once.</summary>
        private async Task StopAsync()
        {
            await fixture.Board.MarkStoppingAsync();
            foreach (var run in _running)
                await EndAsync(run, RunEnding.Interrupted);
            _running.Clear();
            await KillAsync();
        }

        private async Task DisturbAsync()
        {
            var chance = random.Next(400);
            if (chance == 0)
                await KillAsync();
            if (chance == 1)
                await StopAsync();
            if (chance is 2 or 3)
            {
                // The scheduler notices at its next look.
                var by = TimeSpan.FromMinutes(random.Next(-180, 181));
                var before = fixture.Time.Now;
                fixture.Time.SetClock(by);
                await fixture.Board.ShiftBackoffsAsync(by, before);
            }
            if (chance == 4)
            {
                // Back while no daemon runs.
                fixture.Time.SetClock(-TimeSpan.FromMinutes(random.Next(180)));
                await KillAsync();
            }
            if (chance < 40)
            {
                foreach (var held in (await fixture.Board.ListAsync(TaskState.Queued, 100, null)).Tasks.Where(task => task.Held))
                    await fixture.Board.ReleaseAsync(held.Id);
            }
        }

        private async Task PassAsync()
        {
            var next = await fixture.Board.NextReadyAtAsync(fixture.Time.Now) - fixture.Time.Now ?? TimeSpan.FromMinutes(1);
            var end = _running.Count == 0 ? TimeSpan.MaxValue : _running.Min(run => run.EndsAt) - _now;
            var step = next < end ? next : end;
            step = step < TimeSpan.FromMinutes(1) ? step : TimeSpan.FromMinutes(1);
            step = step > TimeSpan.Zero ? step : TimeSpan.FromMilliseconds(1);
            _now += step;
            fixture.Time.Now += step;
        }
    }
}
