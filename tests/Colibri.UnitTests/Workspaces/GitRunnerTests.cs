using System.Text;
using Colibri.Core.Workspaces;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Workspaces;

[NotInParallel]
public sealed class GitRunnerTests : IDisposable
{
    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    public async Task It_gives_input_and_returns_output_and_the_exit_code()
    {
        var call = Call("hash-object", "--stdin") with { Input = "hello\n"u8.ToArray() };
        (await _fixture.Runner().RunAsync(call, GitFixture.Token)).Text.ShouldBe("ce013625030ba8dba906f756967f9e9ca394464a");
        (await _fixture.Runner().TryAsync(Call("rev-parse", "--verify", "--quiet", "HEAD"), GitFixture.Token)).Exit.ShouldNotBe(0);
    }

    [Test]
    public async Task A_program_that_takes_too_long_is_ended_with_all_that_it_started()
    {
        var program = Program("sleep 300 & setsid sleep 300 & echo begun; wait");
        var failure = await Should.ThrowAsync<GitException>(_fixture.Runner(program).RunAsync(Call("status") with { Timeout = TimeSpan.FromMilliseconds(300) }, GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.TimedOut);
        failure.Message.ShouldContain("took longer than 0.3 s");
        SharedChildren.Instance.Reap();
        ChildList.AreAllKnown(SharedChildren.Instance).ShouldBeTrue();
    }

    [Test]
    public async Task A_program_is_ended_when_its_caller_gives_up()
    {
        var started = Path.Combine(_fixture.Path_, "started");
        var program = Program($"touch '{started}'; sleep 300");
        using var cancelled = new CancellationTokenSource();
        var running = _fixture.Runner(program).RunAsync(Call("status"), cancelled.Token);
        Shell.Until(() => File.Exists(started), "it runs");
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    [Test]
    public async Task Output_beyond_its_limit_is_a_failure_or_is_cut_where_that_is_asked_for()
    {
        var program = Program("while :; do echo 0123456789; done");
        var call = Call("log") with { MaxOutput = 100_000 };
        (await Should.ThrowAsync<GitException>(_fixture.Runner(program).RunAsync(call, GitFixture.Token))).Kind.ShouldBe(GitFailureKind.TooLarge);
        var cut = await _fixture.Runner(program).RunAsync(call with { MayBeCut = true }, GitFixture.Token);
        cut.IsCut.ShouldBeTrue();
        cut.Bytes.Length.ShouldBe(100_000);
    }

    [Test]
    public async Task It_gets_none_of_the_variables_that_would_lead_git_elsewhere()
    {
        var program = Program("env -0 | tr '\\0' '\\n'");
        var runner = _fixture.Runner(program, "GIT_DIR=/elsewhere", "GIT_TRACE=/tmp/x", "GIT_SSH=/tmp/x", "GIT_EXTERNAL_DIFF=/tmp/x", "PROVIDER_API_KEY=secret", "EMAIL=me@example.org");
        var names = (await runner.RunAsync(Call("status"), GitFixture.Token)).Text.Split('\n').Select(line => line.Split('=')[0]).ToList();
        names.ShouldContain("HOME");
        names.ShouldContain("EMAIL");
        names.ShouldContain("GIT_CONFIG_COUNT");
        foreach (var name in new[] { "GIT_DIR", "GIT_TRACE", "GIT_SSH", "GIT_EXTERNAL_DIFF", "PROVIDER_API_KEY" })
            names.ShouldNotContain(name);
    }

    [Test]
    public async Task A_missing_and_an_old_git_are_told_with_what_to_do()
    {
        var missing = new GitRunner(SharedChildren.Instance, () => null, TimeProvider.System, _fixture.Logger);
        (await Should.ThrowAsync<GitException>(missing.RunAsync(Call("status"), GitFixture.Token))).Message.ShouldBe(
            "there is no git on the daemon's search path: install git, or add its directory to the daemon's PATH");
        var old = Program("true", version: "2.30.2");
        var failure = await Should.ThrowAsync<GitException>(_fixture.Runner(old).RunAsync(Call("status"), GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.TooOld);
        failure.Message.ShouldEndWith("workspaces need git 2.33 or later: install a newer git");
    }

    [Test]
    [Arguments("git version 2.39.5", 2, 39)]
    [Arguments("git version 2.50.1 (Apple Git-155)", 2, 50)]
    [Arguments("git version 3.0.rc1", 3, 0)]
    public void The_version_is_read(string said, int major, int minor) => GitRunner.VersionOf(said).ShouldBe(new Version(major, minor));

    [Test]
    public async Task A_directory_goes_with_names_of_any_bytes_and_parts_that_may_not_be_written_and_no_link_is_followed()
    {
        await _fixture.Sh("""
            mkdir -p gone/locked kept; touch kept/file gone/locked/file
            ln -s ../kept gone/link; ln -s ../../kept gone/locked/link
            touch "gone/$(printf 'a\377b')"; chmod 500 gone/locked
            """);
        await _fixture.Runner().RemoveDirectoryAsync(Path.Combine(_fixture.Path_, "gone"), GitFixture.Token);
        Directory.Exists(Path.Combine(_fixture.Path_, "gone")).ShouldBeFalse();
        File.Exists(Path.Combine(_fixture.Path_, "kept", "file")).ShouldBeTrue();
    }

    private string Program(string script, string version = "2.39.5")
    {
        var path = Path.Combine(_fixture.Path_, $"git-{Guid.NewGuid():N}");
        File.WriteAllText(path, $"#!/bin/sh\nif [ \"$1\" = version ]; then echo git version {version}; exit; fi\n{script}\n", new UTF8Encoding(false));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    private GitCall Call(params string[] arguments) => new() { Directory = _fixture.Path_, Arguments = arguments };
}
