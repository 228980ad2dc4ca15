using Colibri.Core.Agents.Launch;
using Colibri.Daemon.Hosting;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Daemon.Hosting;

/// <summary>What is asked of the host's own probe, and what of its answer is believed.</summary>
[NotInParallel]
public sealed class CapabilityProbeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-probe-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    [Arguments("""["os","gpu"]""", "os gpu")]
    [Arguments("os gpu\nzfs,os", "os gpu zfs")]
    [Arguments("""["os",7,{"a":1},"gpu"]""", "os gpu")]
    [Arguments("""["os",""", "")]
    [Arguments("", "")]
    public void Its_answer_is_an_array_or_words(string answer, string capabilities) =>
        CapabilityProbe.Parse(answer).ShouldBe(capabilities.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Test]
    public void What_it_says_is_bounded()
    {
        CapabilityProbe.Parse($"short {new string('x', 65)}").ShouldBe(["short"]);
        CapabilityProbe.Parse(string.Join(' ', Enumerable.Range(0, 1000))).Count.ShouldBe(256);
    }

    [Test]
    public async Task Without_a_probe_nothing_is_said() => (await Ask()).ShouldBeEmpty();

    [Test]
    public async Task It_is_asked_for_capabilities() => (await Ask("""echo "asked $*" """)).ShouldBe(["asked", "--capabilities"]);

    [Test]
    public async Task One_that_never_ends_is_ended_and_not_believed()
    {
        var pid = Path.Combine(_directory, "pid");
        (await Ask($"echo $$ >{pid}; echo os; exec sleep 300", TimeSpan.FromMilliseconds(500))).ShouldBeEmpty();
        Shell.Until(() => !File.Exists(pid) || !Directory.Exists($"/proc/{File.ReadAllText(pid).Trim()}"), "it is gone");
    }

    private Task<IReadOnlyList<string>> Ask(string? script = null, TimeSpan? deadline = null)
    {
        if (script is not null)
        {
            var probe = Path.Combine(_directory, "clawdie-system-probe");
            File.WriteAllText(probe, $"#!/bin/sh\n{script}\n");
            File.SetUnixFileMode(probe, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        return CapabilityProbe.AskAsync(SharedChildren.Instance, new ProgramPath(_directory, null, _directory), deadline ?? Shell.Deadline);
    }
}
