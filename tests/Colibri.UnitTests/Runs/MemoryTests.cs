using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Processes;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Runs;

/// <summary>Agents whose profile limits their memory, where a look each second finds it.</summary>
[NotInParallel]
public sealed class MemoryTests : IAsyncDisposable
{
    // tail(1) keeps what it may have to print until the end of its input, which does not come.
    private const string Holds300 = "(head -c 300000000 /dev/zero; sleep 300) | tail -c 300000000 >/dev/null";

    private static readonly ProfileSettings Hungry = new() { Name = "hungry", Kind = "pi", MemoryBytes = 100 << 20 };

    private readonly SupervisorFixture _fixture = new();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public void A_run_has_the_limit_of_its_profile()
    {
        RunRules.MemoryOf(Hungry).ShouldBe(new MemoryLimit(100 << 20, "memory of the profile hungry"));
        RunRules.MemoryOf(Hungry with { MemoryBytes = null }).ShouldBeNull();
        RunRules.MemoryOf(null).ShouldBeNull();
    }

    [Test]
    public async Task An_agent_over_its_memory_is_ended_with_its_tree_and_its_task_is_tried_again()
    {
        var task = await _fixture.Create();
        var agent = await SpawnAsync($$"""echo '{"type":"agent_start"}'; {{Holds300}}""", task);
        await SupervisorFixture.End(agent);

        var ended = await _fixture.Get(task);
        (ended.Status, ended.Verdict, ended.Error?.Code, ended.Attempts).ShouldBe((TaskState.Queued, "memory", "memory", 1));
        ended.Error!.Message.ShouldStartWith("went over the limit of 100 MiB of memory (memory of the profile hungry, looked at each second) and was ended; at most 2");
        ended.NotBefore.ShouldNotBeNull();
        _fixture.Logger.Of(413).ShouldHaveSingleItem().ShouldContain("went over the limit of 100 MiB");
    }

    [Test]
    public async Task An_agent_below_its_memory_is_done()
    {
        var task = await _fixture.Create();
        var agent = await SpawnAsync($$"""(head -c 30000000 /dev/zero; sleep 2.5) | tail -c 30000000 >/dev/null; {{SupervisorFixture.LifeCycle}}""", task);
        await SupervisorFixture.End(agent);
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Done);
    }

    [Test]
    public async Task An_agent_that_is_done_stays_done_whatever_it_holds_then()
    {
        var task = await _fixture.Create();
        var agent = await SpawnAsync($"{SupervisorFixture.LifeCycle}\n{Holds300}", task);
        await SupervisorFixture.End(agent);
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Done);
        agent.Cause.ShouldBe(StopCause.Memory);
    }

    [Test]
    public async Task An_agent_without_a_limit_is_not_looked_at()
    {
        var task = await _fixture.Create();
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request($$"""{{Holds300.Replace("sleep 300", "sleep 2", StringComparison.Ordinal)}}; {{SupervisorFixture.LifeCycle}}""", task) with { Profile = Hungry with { MemoryBytes = null } });
        await SupervisorFixture.End(agent);
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Done);
    }

    [Test]
    public async Task An_agent_at_rest_is_ended_too()
    {
        var agent = await _fixture.Supervisor.SpawnAsync(new SpawnRequest
        {
            Binary = "sh",
            Runtime = "pi",
            Arguments = ["-c", Holds300],
            Rpc = true,
            Profile = Hungry,
        });
        Shell.Until(() => agent.IsWithoutRun, "it is at rest");
        await SupervisorFixture.End(agent);
        agent.Cause.ShouldBe(StopCause.Memory);
        _fixture.Logger.Of(413).ShouldHaveSingleItem().ShouldContain("went over the limit of 100 MiB");
    }

    private Task<SupervisedAgent> SpawnAsync(string script, BoardTask task) =>
        _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script, task) with { Profile = Hungry });
}
