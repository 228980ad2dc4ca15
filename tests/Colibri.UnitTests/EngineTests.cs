using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests;

[NotInParallel]
public sealed class EngineTests
{
    /// <summary>What a kill cuts short from then on is no sign that a task kills the daemon.</summary>
    [Test]
    public async Task An_orderly_stop_is_on_record_before_the_agents_have_ended()
    {
        await using var fixture = new SupervisorFixture();
        var task = await fixture.Create();
        var agent = await fixture.Spawn("""trap '' TERM; echo '{"type":"agent_start"}'; while :; do sleep 1; done""", task);
        Shell.Until(() => agent.ToPane().Activity == Colibri.Protocol.Wire.Activity.Working, "the agent works");

        var stopping = fixture.Engine.StopAsync(TimeSpan.FromMinutes(5));

        Shell.Until(() => fixture.Board.GetSettingAsync("host-stopping").GetAwaiter().GetResult() is not null, "the stop is on record");
        stopping.IsCompleted.ShouldBeFalse();
        await fixture.Supervisor.StopAllAsync(TimeSpan.Zero).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        await stopping.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
    }
}
