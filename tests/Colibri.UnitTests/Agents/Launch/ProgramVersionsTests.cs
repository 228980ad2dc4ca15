using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Agents.Launch;

/// <summary>Programs that answer for their version as real ones do, and as stubs and other products of the same name do.</summary>
[NotInParallel]
public sealed class ProgramVersionsTests : IDisposable
{
    private static readonly AgentProfile Pi = AgentProfiles.Find("pi")!;

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-versions-").FullName;
    private readonly CollectingLogger _log = new();
    private readonly ProgramVersions _versions;

    public ProgramVersionsTests() => _versions = new ProgramVersions(
        SharedChildren.Instance, (_, _) => EnvironmentBlock.Of([new("PATH", "/usr/bin:/bin")]), Secrets.None, TimeProvider.System, _log, CancellationToken.None);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task The_first_sight_of_a_program_asks_it_and_waits_for_nothing()
    {
        var program = Program("echo 1.6.0", waits: true);
        _versions.See(program, Pi).ShouldBeNull();

        var asked = _versions.AskAsync(program, Pi, CancellationToken.None);
        asked.IsCompleted.ShouldBeFalse();
        _versions.See(program, Pi).ShouldBeNull();
        await File.WriteAllTextAsync(InFolder("go"), "go\n");

        _versions.Judge(Pi, await asked.WaitAsync(Shell.Deadline)).ShouldBe(new ProgramVersion("1.6.0", null));
        _versions.See(program, Pi).ShouldBe(new ProgramVersion("1.6.0", null));
    }

    [Test]
    public async Task A_program_is_asked_once_until_its_file_changes()
    {
        var program = Program($"echo asked >>{InFolder("times")}; echo 1.6.0");
        for (var i = 0; i < 3; i++)
            await _versions.AskAsync(program, Pi, CancellationToken.None).WaitAsync(Shell.Deadline);
        File.ReadAllLines(InFolder("times")).Length.ShouldBe(1);

        Program($"echo asked >>{InFolder("times")}; echo 1.7.0-beta.2");
        _versions.Judge(Pi, await _versions.AskAsync(program, Pi, CancellationToken.None).WaitAsync(Shell.Deadline)).Version.ShouldBe("1.7.0-beta.2");
        File.ReadAllLines(InFolder("times")).Length.ShouldBe(2);
    }

    [Test]
    [Arguments("echo 'goose version: v3.24.1'", "it answers --version with 'goose version: v3.24.1'")]
    [Arguments("echo 'Downloading pi 1.6.0...'", "it answers --version with 'Downloading pi 1.6.0...'")]
    [Arguments("echo 'run: npm rebuild (postinstall did not run)' >&2; exit 1", "it answers --version with exit code 1: run: npm rebuild (postinstall did not run)")]
    [Arguments("exit 2", "it answers --version with exit code 2")]
    [Arguments("exec yes", "it answers --version with more than 4096 bytes")]
    [Arguments("kill -9 $$", null)]
    public async Task Another_product_of_the_name_is_told_apart_and_a_death_by_a_signal_is_not(string script, string? why)
    {
        var program = Program(script);
        var changes = 0;
        _versions.Changed += () => Interlocked.Increment(ref changes);

        var told = _versions.Judge(Pi, await _versions.AskAsync(program, Pi, CancellationToken.None).WaitAsync(Shell.Deadline));

        told.ShouldBe(new ProgramVersion(null, why));
        Shell.Until(() => Volatile.Read(ref changes) == (why is null ? 0 : 1), "the change is told");
    }

    [Test]
    public async Task A_program_that_was_another_is_asked_again_and_is_right_then()
    {
        var program = Program($"cat {InFolder("answer")}");
        File.WriteAllText(InFolder("answer"), "Downloading...\n");
        (await _versions.AskAsync(program, Pi, CancellationToken.None).WaitAsync(Shell.Deadline)).Output.ShouldBe("Downloading...\n");
        _versions.See(program, Pi)!.WhyNot.ShouldNotBeNull();

        // The file of the program is the same.
        File.WriteAllText(InFolder("answer"), "1.6.0\n");
        await _versions.AskAsync(program, Pi, CancellationToken.None).WaitAsync(Shell.Deadline);

        _versions.See(program, Pi).ShouldBe(new ProgramVersion("1.6.0", null));
    }

    [Test]
    public async Task A_kind_that_nobody_has_seen_answer_is_never_told_apart()
    {
        var zot = AgentProfiles.Find("zot")!;
        var program = Program("echo what; exit 1");
        _versions.Judge(zot, await _versions.AskAsync(program, zot, CancellationToken.None).WaitAsync(Shell.Deadline)).ShouldBe(new ProgramVersion(null, null));
    }

    [Test]
    public async Task What_is_not_there_has_no_version()
    {
        _versions.See(InFolder("none"), Pi).ShouldBeNull();
        (await _versions.AskAsync(InFolder("none"), Pi, CancellationToken.None)).Problem.ShouldNotBeNull();
    }

    private string InFolder(string name) => Path.Combine(_directory, name);

    private string Program(string script, bool waits = false)
    {
        var path = InFolder("pi");
        File.Delete(path);
        File.WriteAllText(path, waits ? $"#!/bin/sh\nwhile [ ! -s {InFolder("go")} ]; do sleep 0.01; done\n{script}\n" : $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        return path;
    }
}
