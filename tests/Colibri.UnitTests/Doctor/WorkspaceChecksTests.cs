using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Doctor;

/// <summary>Repositories that are broken in one way each, and the line that says so. Git is the real one.</summary>
[NotInParallel]
public sealed class WorkspaceChecksTests : IDisposable
{
    private readonly Installation _here = new();

    public void Dispose() => _here.Dispose();

    [Test]
    public async Task A_repository_that_can_be_worked_in_is_told_with_its_base_and_rules()
    {
        var path = _here.Repository();
        var checks = await With(new WorkspaceSettings { Name = "site", Path = path, Check = "npm test", Agents = ["claude"] });
        var check = checks.ShouldHaveSingleItem();
        check.State.ShouldBe(DoctorState.Ok);
        check.Message.ShouldMatch($"^{path}, base main at [0-9a-f]{{10}}; claude, has a check$");
    }

    [Test]
    public async Task A_workspace_without_a_check_is_noted()
    {
        var checks = await With(new WorkspaceSettings { Name = "site", Path = _here.Repository() });
        checks.Select(check => (check.Name, check.State)).ShouldBe([("site", DoctorState.Ok), ("site check", DoctorState.Note)]);
    }

    [Test]
    public async Task A_bare_repository_and_a_path_with_a_blank_and_a_quote_are_no_trouble()
    {
        var path = _here.Repository("it's a site");
        _here.Git(_here.InFolder("."), "clone -q --bare \"it's a site\" bare.git");
        (await With(new WorkspaceSettings { Name = "odd", Path = path, Check = "true" })).ShouldHaveSingleItem().State.ShouldBe(DoctorState.Ok);
        (await With(new WorkspaceSettings { Name = "bare", Path = _here.InFolder("bare.git"), Check = "true" }))[^1].State.ShouldBe(DoctorState.Ok);
    }

    public static List<(string, string, string?, string, string)> Broken =>
    [
        // What is made, the path, the base, words of the message, words of the fix.
        ("true", "gone", null, "is not there", "correct path under [workspaces.site]"),
        ("echo >site", "site", null, "is a file", "correct path"),
        ("mkdir site", "site", null, "is no git repository", " init, or correct path"),
        ("git init -q site", "site", null, "has no commits", "commit --allow-empty -m start"),
        ("START", "site", "release", "there is no branch release in ", "base = \"main\" under [workspaces.site]"),
        ("START && git -C site checkout -q --detach", "site", null, "has no branch checked out", "base = \"BRANCH\""),
        ("START && mkdir site/part", "site/part", null, "lies within the repository ", "path = \""),
        ("START && chmod -R a-w site/.git", "site", null, "may not write into ", "ReadWritePaths="),
        ("START && echo '[broken' >site/.git/config", "site", null, "bad config", ""),
    ];

    [Test]
    [MethodDataSource(nameof(Broken))]
    public async Task A_repository_that_cannot_be_worked_in_is_told_with_what_to_type(string made, string path, string? @base, string message, string fix)
    {
        Skip.When(made.Contains("a-w", StringComparison.Ordinal) && ProcessUser.EffectiveUid == 0, "root may write everywhere");
        await ShellAsync(made);

        var checks = await With(new WorkspaceSettings { Name = "site", Path = _here.InFolder(path), Base = @base, Check = "true" });

        var error = checks.Where(check => check.State == DoctorState.Error).ShouldHaveSingleItem(string.Join('\n', checks));
        error.Message.ShouldContain(message);
        (error.Fix ?? "").ShouldContain(fix);
    }

    [Test]
    public async Task Submodules_without_a_setup_and_lfs_are_refused_in_a_worktree_and_not_in_the_checkout()
    {
        var path = _here.Repository("site", (".gitmodules", "[submodule \"a\"]\n\tpath = a\n\turl = ../a\n"), (".gitattributes", "*.bin filter=lfs diff=lfs -text\n"));
        var checks = await With(new WorkspaceSettings { Name = "site", Path = path, Check = "true" });
        checks.Where(check => check.State == DoctorState.Error).Select(check => check.Name).ShouldBe(["site submodules", "site LFS"]);

        (await With(new WorkspaceSettings { Name = "shared", Path = path, Check = "true", Isolation = Isolation.Shared }))[^1].State.ShouldBe(DoctorState.Ok);
    }

    [Test]
    public async Task A_repository_of_another_user_is_told_with_the_line_that_lets_git_in()
    {
        Skip.Unless(ProcessUser.EffectiveUid == 0, "only root can give a directory to another user");
        var path = _here.Repository();
        await ShellAsync("chown -R 4202 site");
        _here.Host = _here.Host with { ServiceSockets = [_here.InFolder("d.sock")] };

        var check = (await With(new WorkspaceSettings { Name = "site", Path = path, Check = "true" })).ShouldHaveSingleItem();

        check.State.ShouldBe(DoctorState.Error);
        check.Message.ShouldBe($"{path} belongs to user 4202, and git of colibri refuses it (dubious ownership)");
        check.Fix.ShouldBe($"sudo -u colibri env HOME={_here.InFolder("home")} git config --global --add safe.directory {path}");
        // What is to be typed is enough.
        _here.Git(_here.InFolder("."), $"config --global --add safe.directory '{path}'");
        (await With(new WorkspaceSettings { Name = "again", Path = path, Check = "true" }))[^1].State.ShouldBe(DoctorState.Ok);
    }

    [Test]
    public async Task A_workspace_whose_agents_are_not_configured_is_an_error()
    {
        var checks = await With(new WorkspaceSettings { Name = "site", Path = _here.Repository(), Check = "true", Agents = ["codex"] });
        var error = checks.Single(check => check.State == DoctorState.Error);
        (error.Name, error.Message, error.Fix).ShouldBe(("site agents", "none of its agents is configured: codex", "agents = [\"claude\"] under [workspaces.site]"));
    }

    [Test]
    public async Task Nothing_of_a_hostile_repository_is_run()
    {
        var path = _here.Repository();
        var trap = _here.InFolder("sprung");
        await ShellAsync($"printf '#!/bin/sh\\ntouch {trap}\\n' >trap && chmod +x trap && git -C site config core.fsmonitor \"$PWD/trap\" && git -C site config core.pager \"$PWD/trap\""
            + " && git -C site config core.sshCommand \"$PWD/trap\" && for hook in post-checkout reference-transaction post-index-change; do cp trap site/.git/hooks/$hook; done"
            + " && git -C site config diff.x.textconv \"$PWD/trap\" && git -C site config filter.x.smudge \"$PWD/trap\"");

        (await With(new WorkspaceSettings { Name = "site", Path = path, Check = "true" })).ShouldHaveSingleItem().State.ShouldBe(DoctorState.Ok);

        File.Exists(trap).ShouldBeFalse();
    }

    [Test]
    public async Task Git_without_an_identity_is_told_with_both_lines()
    {
        File.Delete(_here.InFolder("home/.gitconfig"));
        var check = await _here.WithClaude().CheckAsync("git", "identity");
        check.State.ShouldBe(DoctorState.Warning);
        check.Fix.ShouldBe("git config --global user.name NAME && git config --global user.email ADDRESS");
    }

    [Test]
    public async Task A_git_that_is_too_old_or_hangs_is_told()
    {
        File.Delete(_here.InFolder("bin/git"));
        _here.WithProgram("git", "echo 'git version 2.20.1'").WithWorkspace(new WorkspaceSettings { Name = "site", Path = _here.InFolder("state") });
        (await _here.CheckAsync("git", "program")).Message.ShouldStartWith("2.20.1 at ");
        (await _here.CheckAsync("git", "program")).State.ShouldBe(DoctorState.Error);

        File.Delete(_here.InFolder("bin/git"));
        _here.WithProgram("git", "exec sleep 300");
        (await _here.CheckAsync("git", "program")).Message.ShouldContain("took longer than 5 s");
    }

    private async Task<IReadOnlyList<DoctorCheck>> With(WorkspaceSettings workspace)
    {
        if (workspace.Name is "site" or "odd")
            _here.WithClaude();
        var checks = await _here.WithWorkspace(workspace).ExamineAsync();
        return [.. checks.Where(check => check.Group == "workspaces" && check.Name.Split(' ')[0] == workspace.Name)];
    }

    private async Task ShellAsync(string script)
    {
        const string Start = "git init -q -b main site && git -C site commit -q --allow-empty -m start";
        var options = Shell.Options($"cd '{_here.InFolder(".")}' && {script.Replace("START", Start, StringComparison.Ordinal)}", $"HOME={_here.InFolder("home")}");
        var (exit, output) = await Shell.Run(options);
        exit.Code.ShouldBe(0, output);
    }
}
