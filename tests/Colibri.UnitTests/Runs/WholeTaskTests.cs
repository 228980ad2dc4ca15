using System.Text.Json;
using Colibri.Core.Board;
using Colibri.Core.Scheduling;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Runs;

/// <summary>Whichever agent gets a task, and however: it is told the title and the description, and so is its session.</summary>
[NotInParallel]
public sealed class WholeTaskTests : IAsyncDisposable
{
    /// <summary>Writes down what it was told, each followed by a NUL: the prompt is its <c>$0</c>.</summary>
    private const string OneShot = """printf '%s\0' "$0" >> TOLD""" + "\n" + SupervisorFixture.LifeCycle;

    /// <summary>The same over standard input; it settles every prompt.</summary>
    private const string Server = """
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            case $line in *'"type":"prompt"'*) printf '%s\0' "$line" >> TOLD ;; esac
            echo '{"id":"'"$id"'","type":"response","command":"any","success":true}'
            case $line in *'"type":"prompt"'*) echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}'; echo '{"type":"agent_settled"}' ;; esac
        done
        """;

    private static readonly TimeSpan Backoff = TimeSpan.FromSeconds(10);

    private readonly FakeTime _time = new();
    private readonly SupervisorFixture _fixture;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    // One slot: the second task of a long-lived agent cannot go to another one.
    public WholeTaskTests() => _fixture = new SupervisorFixture(maxAgents: 1, _time);

    public enum Starter
    {
        /// <summary>The scheduler starts the agent for the task.</summary>
        Scheduler,

        /// <summary>A client does, naming the task.</summary>
        SpawnAgent,

        /// <summary>The agent is there before the tasks are, as that of <c>COLIBRI_AUTOSPAWN</c> is.</summary>
        Resident,
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    [Arguments(Starter.Scheduler, false, false, 2, false)]
    [Arguments(Starter.Scheduler, true, false, 2, false)]
    [Arguments(Starter.Scheduler, true, true, 3, false)]
    [Arguments(Starter.SpawnAgent, false, false, 1, false)]
    [Arguments(Starter.SpawnAgent, true, false, 1, false)]
    [Arguments(Starter.SpawnAgent, true, true, 3, false)]
    [Arguments(Starter.Resident, true, true, 3, false)]
    [Arguments(Starter.Scheduler, false, false, 2, true)]
    [Arguments(Starter.Scheduler, true, false, 2, true)]
    [Arguments(Starter.Scheduler, true, true, 3, true)]
    [Arguments(Starter.SpawnAgent, false, false, 1, true)]
    [Arguments(Starter.Resident, true, true, 3, true)]
    public async Task An_agent_is_told_title_and_description_of_every_task(Starter starter, bool isRpc, bool takesTasks, int count, bool isRetry)
    {
        var file = _fixture.PathOf("told");
        var script = (isRpc ? Server : OneShot).Replace("TOLD", $"'{file}'", StringComparison.Ordinal);
        var request = SupervisorFixture.Request(script) with { Rpc = isRpc, TakesTasks = takesTasks, IsKept = starter == Starter.Resident };
        var resident = starter == Starter.Resident ? await _fixture.Supervisor.SpawnAsync(request) : null;
        var tasks = new List<BoardTask>();
        for (var n = 1; n <= count; n++)
            tasks.Add(await CreateAsync(n, isRetry));

        if (starter == Starter.SpawnAgent)
            await _fixture.Supervisor.SpawnAsync(request with { TaskId = tasks[0].Id });
        Schedule(starter == Starter.Scheduler ? [new AgentCandidate("sh", _ => true, request)] : []);
        Shell.Until(() => _fixture.Board.Counts.Done == count, "every task is done");

        var whole = Enumerable.Range(1, count).Select(n => $"title {n}\n\nthe whole story of {n},\nin two lines");
        Told(await File.ReadAllTextAsync(file, TestContext.Current!.Execution.CancellationToken)).ShouldBe(whole);
        var runs = new List<RunRow>();
        foreach (var task in tasks)
            runs.Add((await _fixture.Board.RunsAsync(task.Id))[^1]);
        runs.Select(run => run.AgentId).Distinct().Count().ShouldBe(takesTasks ? 1 : count, "the road is the one that was meant");
        if (resident is not null)
            runs[0].AgentId.ShouldBe(resident.Id);
        runs.Select(run => run.SessionId).Distinct()
            .SelectMany(session => _fixture.Sessions.Read(session, all: true)!.Entries)
            .Where(entry => entry.Kind == SessionEntryKind.User).Select(entry => entry.Text).ShouldBe(whole);
    }

    /// <summary>A task with a description; of a retry, one whose first attempt has failed and whose back-off is over.</summary>
    private async Task<BoardTask> CreateAsync(int number, bool isRetry)
    {
        var task = await _fixture.Create($"title {number}", $"the whole story of {number},\nin two lines");
        if (!isRetry)
            return task;
        await _fixture.Board.BeginSpawnAsync(Board.BoardFixture.Record($"earlier-{number}"), task.Id);
        await _fixture.Board.EndSpawnAsync($"earlier-{number}", new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = _time.GetUtcNow() + Backoff });
        _time.Advance(Backoff);
        return await _fixture.Get(task);
    }

    private void Schedule(IReadOnlyList<AgentCandidate> candidates)
    {
        var scheduler = _fixture.Engine.Schedule(candidates);
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
