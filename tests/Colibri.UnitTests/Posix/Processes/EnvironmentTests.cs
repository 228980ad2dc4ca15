using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Processes;

[NotInParallel]
public sealed class EnvironmentTests
{
    [Test]
    public async Task An_entry_of_an_environment_is_found_whole_and_nowhere_else()
    {
        var options = Shell.Options("echo ready; exec sleep 300", "FIRST=1", "MARK=abc", "OTHER=MARK=xyz", "LAST=z");
        var (child, output) = Shell.Start(options);
        using (output)
        {
            (await output.ReadLine()).ShouldBe("ready");
            Shell.Until(() => Shell.IsSleep(child.Pid) && ProcessEnvironment.Has(child.Pid, "MARK=abc"u8), "it has executed");
            ProcessEnvironment.Has(child.Pid, "LAST=z"u8).ShouldBeTrue();
            ProcessEnvironment.Has(child.Pid, "MARK=ab"u8).ShouldBeFalse();
            ProcessEnvironment.Has(child.Pid, "MARK=xyz"u8).ShouldBeFalse();
            ProcessEnvironment.Has(child.Pid, "MARK="u8, prefix: true).ShouldBeTrue();
            ProcessEnvironment.Has(child.Pid, "ARK="u8, prefix: true).ShouldBeFalse();
            child.Signal(Signals.Kill);
            await Shell.Exit(child);
            ProcessEnvironment.Has(child.Pid, "MARK=abc"u8).ShouldBeFalse();
        }
    }

    [Test]
    [Arguments(16 * 1024)]
    [Arguments(40_000)]
    public async Task An_entry_across_two_chunks_of_a_long_environment_is_found(int around)
    {
        for (var padding = around - 12; padding < around + 12; padding += 3)
        {
            var options = new SpawnOptions
            {
                Path = "/bin/sleep",
                Arguments = ["300"],
                Environment = EnvironmentBlock.Of(new Dictionary<string, string> { ["PAD"] = new('x', padding), ["MARK"] = "abc", ["TAIL"] = new('y', 40_000) }),
            };
            var child = SharedChildren.Instance.Spawn(options);
            // A process has an environment only when its exec is all over, a moment after its start has succeeded.
            Shell.Until(() => ProcessEnvironment.Has(child.Pid, "MARK=abc"u8), $"found after {padding} bytes");
            ProcessEnvironment.Has(child.Pid, "MARK=abd"u8).ShouldBeFalse();
            child.Signal(Signals.Kill);
            await Shell.Exit(child);
        }
    }
}
