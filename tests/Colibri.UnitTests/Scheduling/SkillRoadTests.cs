using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

/// <summary>Skills count as capabilities, and the run that asks for one is told of it.</summary>
[NotInParallel]
public sealed class SkillRoadTests : IAsyncDisposable
{
    private const string Told = "[skills]\nThis task asks for the skills below. Read what a path names before you begin.\n- review: Reads a diff (path: /skills/review.md)\n\n[task]\nmend the roof";

    private readonly SupervisorFixture _fixture = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private string Prompt => _fixture.PathOf("prompt");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    [Arguments("scheduler")]
    [Arguments("profile")]
    [Arguments("spawn-agent")]
    public async Task A_run_that_asks_for_a_skill_is_told_of_it_before_its_task(string road)
    {
        await RegisterAsync("review", "Reads a diff", "/skills/review.md");
        await RegisterAsync("deploy", "Not asked for");
        var task = await _fixture.Create(capabilities: ["Review"]);
        var script = $"printf '%s' \"$0\" >'{Prompt}'; {SupervisorFixture.LifeCycle}";
        if (road == "spawn-agent")
            await SupervisorFixture.End(await _fixture.Spawn(script, task));
        else
            Schedule(Candidate("sh", script, road == "profile" ? new ProfileSettings { Name = "sh", Kind = "pi" } : null));

        Shell.Until(() => _fixture.Board.Counts is { Done: 1 } or { Failed: 1 }, "it is over");
        File.ReadAllText(Prompt).ShouldBe(Told);
        // What the board and the session keep is the task's own.
        (await _fixture.OnlyRun(task)).Arguments[^1].ShouldBe("mend the roof");
        _fixture.Sessions.Read((await _fixture.Get(task)).SessionId!, all: true)!.Entries[0].Text.ShouldBe("mend the roof");
    }

    [Test]
    public async Task A_living_agent_is_told_the_same()
    {
        await RegisterAsync("review", "Reads a diff", "/skills/review.md");
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request($$$"""
            while read -r line; do
                id=${line#*\"id\":\"}; id=${id%%\"*}
                echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
                case $line in *'"type":"prompt"'*)
                    printf '%s' "$line" >'{{{Prompt}}}'
                    echo '{"type":"agent_start"}'
                    echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"ok"}],"stopReason":"stop"}}'
                    echo '{"type":"agent_settled"}' ;;
                esac
            done
            """) with { Rpc = true, TakesTasks = true, IsKept = true, Offers = _ => false });
        Shell.Until(() => agent.IsAtRest, "it is at rest");
        await _fixture.Create(capabilities: ["review"]);
        Schedule();

        Shell.Until(() => _fixture.Board.Counts is { Done: 1 } or { Failed: 1 }, "it is over");
        File.ReadAllText(Prompt).ShouldContain(System.Text.Json.JsonEncodedText.Encode(Told, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value);
    }

    [Test]
    public async Task A_skill_of_one_profile_brings_its_tasks_to_that_profile_alone()
    {
        await RegisterAsync("review", "Reads a diff", agents: ["zeta"]);
        var task = await _fixture.Create(capabilities: ["review"]);
        Schedule(Candidate("alpha", "exit 3", new ProfileSettings { Name = "alpha", Kind = "pi" }), Candidate("zeta", SupervisorFixture.LifeCycle, new ProfileSettings { Name = "zeta", Kind = "pi" }));

        Shell.Until(() => _fixture.Board.Counts is { Done: 1 } or { Failed: 1 }, "it is over");
        (await _fixture.OnlyRun(task)).Profile.ShouldBe("zeta");
    }

    [Test]
    public async Task A_task_that_waits_for_a_skill_starts_when_it_is_registered()
    {
        var task = await _fixture.Create(capabilities: ["review"]);
        Schedule(Candidate("sh", SupervisorFixture.LifeCycle));
        Shell.Until(() => _fixture.Engine.Scheduler.UnmatchedTasks.Contains(task.Id), "no agent suits it");

        await RegisterAsync("review", "");

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "it is done, with no tick between");
    }

    private async Task RegisterAsync(string name, string description, string? path = null, string[]? agents = null) =>
        (await _fixture.Engine.Registry.RegisterSkillAsync(new Skill(name, description, "", default) { Path = path, Agents = agents })).ShouldNotBeNull();

    private void Schedule(params AgentCandidate[] candidates)
    {
        var scheduler = _fixture.Engine.Schedule(candidates);
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
    }

    private static AgentCandidate Candidate(string name, string script, ProfileSettings? profile = null) =>
        new(name, _ => false, SupervisorFixture.Request(script) with { Profile = profile });
}
