using Colibri.Posix.Host;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Host;

[NotInParallel]
public sealed class OomScoreTests
{
    [Test]
    public async Task A_childs_value_becomes_the_usual_one()
    {
        Skip.Unless(OperatingSystem.IsLinux(), "other systems have no oom_score_adj");
        var (child, output) = Shell.Start(Shell.Options("echo 500 >/proc/self/oom_score_adj && echo ready && exec sleep 300"));
        using (output)
        {
            (await output.ReadLine()).ShouldBe("ready");
            OomScore.Of($"{child.Pid}").ShouldBe(500);

            OomScore.Expose($"/proc/{child.Pid}/oom_score_adj").ShouldBe(0);

            OomScore.Of($"{child.Pid}").ShouldBe(0);
            child.SignalGroup(Colibri.Posix.Signalling.Signals.Kill);
            await Shell.Exit(child);
        }
        OomScore.Expose($"/proc/{child.Pid}/oom_score_adj").ShouldNotBe(0, "it has ended, and that is no failure");
    }
}
