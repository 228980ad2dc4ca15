using System.Security.Cryptography;
using System.Text;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

/// <summary>
/// Each thing that an agent may plant, and each operation on what it left. Every planted program would write a canary. No canary may be there, what lies
/// outside is as it was and not in any commit, and the agent's work is on a branch, parked, or still in its tree.
/// </summary>
[NotInParallel]
public sealed class HostilePlantsTests : IDisposable
{
    private const string Branch = "colibri/12-fix-the-login";
    private const string Work = "the work of the agent";
    private const string Secret = "a secret that lies outside";
    private const int LongestMessage = 1_200;

    // Less than the 60 s after which a call of git that waits is ended: no operation may come to that.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(50);

    private readonly GitFixture _fixture = new();
    private readonly List<string> _refusals = [];

    private string Evil => Path.Combine(_fixture.Path_, "evil");

    private string Outside => Path.Combine(_fixture.Path_, "outside");

    private string Trap => Path.Combine(_fixture.Path_, "trap");

    public void Dispose() => _fixture.Dispose();

    public static IEnumerable<string> Plants() => InRepository.Keys.Concat(InRun.Keys);

    /// <summary>By a hand that was there before the daemon. Scripts run in the repository's checkout.</summary>
    private static readonly Dictionary<string, string> InRepository = new()
    {
        ["hooks"] = "hooks .git/hooks",
        ["a configuration that names programs"] = "programs .git/config; printf '* filter=evil diff=evil merge=evil\\n*.txt filter=e=v\\n' >.git/info/attributes",
        ["attributes of the base"] = "printf '* filter=evil diff=evil merge=evil\\n' >.gitattributes; git add .; git commit -q -m attributes; programs .git/config",
        ["an included configuration"] = "programs \"$OUT/../included\"; git config include.path ../../included; printf '* filter=evil diff=evil merge=evil\\n' >.git/info/attributes",
        ["a branch in the way"] = "git branch colibri",
        ["a bare configuration"] = "git config core.bare true",
        ["another work tree"] = "git config core.worktree \"$OUT\"",
        ["alternates"] = "echo \"$TRAP/.git/objects\" >.git/objects/info/alternates; echo /no/such >>.git/objects/info/alternates",
    };

    /// <summary>By the agent. Scripts run in its tree; <c>$G</c> is the tree's directory in the repository.</summary>
    private static readonly Dictionary<string, string> InRun = new()
    {
        ["hooks during the run"] = "hooks \"$R/.git/hooks\"",
        ["programs during the run"] = "programs \"$R/.git/config\"; printf '* filter=evil diff=evil merge=evil\\n' >.gitattributes; cp .gitattributes \"$R/.git/info/attributes\"",
        ["aliases"] = "for a in add merge rebase worktree reset read-tree update-index ls-files diff-tree status clean; do git config alias.$a \"!$EVIL\"; done",
        ["a worktree's configuration"] = "git config extensions.worktreeConfig true; programs \"$G/config.worktree\"; programs \"$R/.git/config.worktree\"; printf '* filter=evil diff=evil merge=evil\\n' >.gitattributes",
        ["a configuration for worktrees alone"] = "programs \"$OUT/../included\"; git config 'includeIf.gitdir:**/worktrees/**.path' ../../included; printf '* filter=evil diff=evil merge=evil\\n' >\"$R/.git/info/attributes\"",
        ["a configuration for one branch"] = "programs \"$OUT/../included\"; git config 'includeIf.onbranch:**.path' ../../included; git switch -q -c own; printf '* filter=evil diff=evil merge=evil\\n' >\"$R/.git/info/attributes\"",
        ["a list of a rebase with a command"] = "git config rebase.instructionFormat \"%s$(printf '\\nexec %s' \"$EVIL\")\"; echo x >c.txt; git add c.txt; git commit -q -m own; echo y >>c.txt; git -C \"$R\" commit -q --allow-empty -m moved",
        ["a strategy of merges"] = "git config branch.HEAD.mergeOptions '-s ours'; git config pull.twohead ours",
        ["headers in an encoding"] = "git config i18n.commitEncoding \"$(printf 'x\\nevil yes')\"",
        ["transports"] = "git config url.\"ext::$EVIL \".insteadOf https://; git config protocol.ext.allow always; git config remote.o.url \"ext::$EVIL %S\"; git config remote.o.promisor true; git config core.repositoryformatversion 1; git config extensions.partialClone o",
        ["a .git that points elsewhere"] = "echo \"gitdir: $TRAP/.git\" >.git",
        ["a .git that is a link"] = "rm .git; ln -s \"$TRAP/.git\" .git",
        ["a repository in place of .git"] = "rm .git; git init -q .; programs .git/config; hooks .git/hooks",
        ["another common directory"] = "echo \"$TRAP/.git\" >\"$G/commondir\"",
        ["a common directory of the repository"] = "echo \"$TRAP/.git\" >\"$R/.git/commondir\"",
        ["another place of the tree"] = "echo \"$OUT/.git\" >\"$G/gitdir\"",
        ["a tree's directory that is a link"] = "mv \"$G\" \"$OUT/../moved\"; ln -s \"$OUT/../moved\" \"$G\"",
        ["links in a tree's directory"] = "for f in index logs/HEAD ORIG_HEAD; do rm -f \"$G/$f\"; ln -s \"$OUT/f\" \"$G/$f\"; done",
        ["a HEAD that is a link"] = "rm \"$G/HEAD\"; ln -s \"$OUT/f\" \"$G/HEAD\"",
        ["a log of references that is a link"] = "mkdir -p \"$R/.git/logs/refs/heads\"; ln -s \"$OUT\" \"$R/.git/logs/refs/heads/colibri\"",
        ["objects behind a link"] = "rm -rf \"$R/.git/objects/aa\"; ln -s \"$OUT\" \"$R/.git/objects/aa\"",
        ["branches behind a link"] = "ln -s \"$OUT\" \"$R/.git/refs/heads/colibri\"",
        ["another name of the base"] = $"git symbolic-ref refs/heads/{Branch} refs/heads/main",
        ["a branch in the way during the run"] = "git update-ref refs/heads/colibri HEAD",
        ["replaced objects and grafts"] = "git replace main \"$(git commit-tree -m other 'HEAD^{tree}')\"; git rev-parse HEAD >\"$R/.git/info/grafts\"",
        ["indexes of history"] = "mkdir -p \"$R/.git/objects/info\"; echo garbage >\"$R/.git/objects/info/commit-graph\"",
        ["links out of the tree"] = "ln -s \"$OUT/f\" file; ln -s \"$OUT\" directory; rm a.txt; ln -s \"$OUT/f\" a.txt",
        ["a directory that became a link"] = "rm -r d; ln -s \"$OUT\" d",
        ["a file that became a pipe"] = "rm a.txt; mkfifo a.txt; rm d/f; mkfifo d/f",
        ["pipes that git would open"] = "rm -f .gitignore; mkfifo .gitignore p; mkdir sub nested; mkfifo sub/.gitattributes; git init -q nested; rm nested/.git/HEAD; mkfifo nested/.git/HEAD",
        ["a pipe in place of .git"] = "rm .git; mkfifo .git",
        ["a pipe in place of the repository's HEAD"] = "mv \"$R/.git/HEAD\" \"$R/.git/HEAD.was\"; mkfifo \"$R/.git/HEAD\"",
        ["a pipe in place of packed references"] = "rm -f \"$R/.git/packed-refs\"; mkfifo \"$R/.git/packed-refs\"",
        ["repositories within the tree"] = "git init -q in; programs in/.git/config; hooks in/.git/hooks; echo x >in/x; git -C \"$TRAP\" rev-parse HEAD >/dev/null; git init -q out; rm -rf out/.git; echo \"gitdir: $TRAP/.git\" >out/.git; echo y >out/y",
        ["a submodule"] = "git -c protocol.file.allow=always -c core.hooksPath=/dev/null -c core.fsmonitor=false submodule --quiet add \"$TRAP\" sm; git config -f .gitmodules submodule.sm.update \"!$EVIL\"; git config submodule.sm.update \"!$EVIL\"; M=$(git -C sm rev-parse --absolute-git-dir); programs \"$M/config\"; hooks \"$M/hooks\"; echo z >sm/z",
        ["names of files"] = "touch -- \"$(printf 'new\\nline')\" \"$(printf 'b\\377')\" -rf '--upload-pack=x' ':(top)x' '\"q'; mkdir -- \"$(printf 'd\\377')\"; touch -- \"$(printf 'd\\377/x')\"",
        ["names of branches"] = "H=$(git rev-parse HEAD); cd \"$R/.git/refs/heads\"; echo $H >\"$(printf 'x\\ny')\"; echo $H >-x; echo $H >\"$(printf 'b\\377')\"; echo $H >--all",
        ["locks"] = "touch \"$G/index.lock\" \"$G/HEAD.lock\"",
        ["a lock that cannot be removed"] = "mkdir -p \"$G/HEAD.lock/x\" \"$G/index.lock/x\" \"$G/index.colibri/x\"",
        ["a lock of the branch"] = "mkdir -p \"$R/.git/refs/heads/colibri\"; touch \"$R/.git/refs/heads/" + Branch + ".lock\"",
        ["a lock of the checkout"] = "touch \"$R/.git/index.lock\"",
        ["a checkout that points elsewhere"] = "mv \"$R/.git\" \"$R/.git.was\"; ln -s \"$TRAP/.git\" \"$R/.git\"",
        ["directories without rights"] = "mkdir -p closed/in; echo x >closed/in/x; chmod 000 closed/in closed d",
        ["a large file"] = "head -c 100000000 /dev/zero >large",
        ["settings by which files are overlooked"] = "git config core.trustctime false; git config core.checkStat minimal; git config core.ignoreStat true; git config checkout.workers 5000",
        ["a damaged configuration"] = "echo '[broken' >>\"$R/.git/config\"",
        ["a format of tomorrow"] = "git config core.repositoryformatversion 99",
        ["a tree that is a link"] = "cd ..; mv 12-fix-the-login \"$OUT/../tree\"; ln -s \"$OUT/../tree\" 12-fix-the-login",
    };

    [Test]
    [MethodDataSource(nameof(Plants))]
    public async Task Nothing_of_it_runs_nothing_outside_changes_and_no_work_is_lost(string plant)
    {
        await _fixture.Init();
        await _fixture.Sh("mkdir d; echo inside >d/f; git add .; git commit -q -m directory", _fixture.Repo);
        await File.WriteAllTextAsync(Evil, $"#!/bin/sh\necho \"$0 $*\" >>'{_fixture.Canary}'\ncat 2>/dev/null\nexit 0\n", new UTF8Encoding(false));
        File.SetUnixFileMode(Evil, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherExecute | UnixFileMode.OtherRead);
        await Script($"mkdir outside; echo '{Secret}' >outside/f; git init -q trap; cd trap; echo x >x; git add .; git commit -q -m trap; programs .git/config; hooks .git/hooks; printf '* filter=evil\\n' >.git/info/attributes", _fixture.Path_);
        if (InRepository.TryGetValue(plant, out var script))
            await Script(script, _fixture.Repo);
        File.Delete(_fixture.Canary);
        var before = Contents();

        var (tree, collected) = await Way(plant);

        File.Exists(_fixture.Canary).ShouldBeFalse(File.Exists(_fixture.Canary) ? await File.ReadAllTextAsync(_fixture.Canary) : "");
        Contents().ShouldBe(before);
        foreach (var refusal in _refusals)
        {
            refusal.ShouldNotContain('\n');
            refusal.Length.ShouldBeLessThan(LongestMessage);
        }
        Console.WriteLine($"{plant}: {(_refusals.Count == 0 ? "no refusal" : string.Join(" | ", _refusals.Distinct()))}");
        await Undo();
        await NoSecretIsIn();
        if (tree is not null)
            (await IsKept(tree)).ShouldBeTrue($"the work is kept ({collected?.After})");
    }

    /// <summary>All of a task's way, each operation whatever came of the one before. The repository is opened before the run, as runs do.</summary>
    private async Task<(Worktree? Tree, Collected? Collected)> Way(string plant)
    {
        Repository? repository = null;
        TreeRequest? request = null;
        Worktree? tree = null;
        Collected? collected = null;
        await Try("open", async () => repository = await _fixture.Repository());
        if (repository is null)
            return (null, null);
        await Try("base", async () =>
        {
            request = await GitFixture.Request(repository);
            await repository.RequireUsableAsync(request.Base, new WorkspaceSettings { Name = "site", Path = _fixture.Repo }, GitFixture.Token);
        });
        if (request is null)
            return (null, null);
        await Try("create", async () => tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token));
        if (tree is null)
            return (null, null);
        await Script($"echo '{Work}' >b.txt; {InRun.GetValueOrDefault(plant, "true")}", tree.Path, tree.GitDirectory);
        File.Delete(_fixture.Canary);
        await Try("collect", async () => collected = await _fixture.Changes.CollectAsync(repository, tree, request, "Fix", GitFixture.Token));
        if (collected is not null)
        {
            await Try("patch", async () => (await Changes.PatchAsync(repository, request.Base.Commit, collected.After, Changes.MaxPatch, GitFixture.Token)).ShouldNotContain(Secret));
            await Try("take back", () => _fixture.Changes.TakeBackAsync(repository, tree, collected.After, GitFixture.Token));
        }
        await Try("unlock", () => _fixture.Trees.UnlockAsync(repository, tree, GitFixture.Token));
        await Try("reopen", async () => await _fixture.Trees.UnlockAsync(repository, await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token), GitFixture.Token));
        foreach (var (mode, passes) in new[] { (MergeMode.Rebase, false), (MergeMode.Squash, false), (MergeMode.Merge, true) })
            await Try($"land {mode}", () => _fixture.Merging.LandAsync(_fixture.Repo, new LandRequest(12, "Fix", Branch, null, mode), (_, _) => Task.FromResult(passes), GitFixture.Token));
        await Try("remove", () => _fixture.Trees.RemoveAsync(repository, request, force: true, GitFixture.Token));
        await Try("sweep scratch", () => _fixture.Trees.SweepScratchAsync(GitFixture.Token));
        await Try("recover", () => new BaseMover(_fixture.Git).RecoverAsync(GitFixture.Token));
        await Try("sweep", () => _fixture.Trees.SweepAsync(repository, "site", _ => false, GitFixture.Token));
        return (tree, collected);
    }

    private async Task Try(string what, Func<Task> operation)
    {
        try
        {
            await operation().WaitAsync(Bound, GitFixture.Token);
        }
        catch (GitException e)
        {
            _refusals.Add($"{what}: {e.Message}");
        }
    }

    private Task<string> Script(string script, string directory, string gitDirectory = "") => _fixture.Sh($$"""
        R='{{_fixture.Repo}}'; OUT='{{Outside}}'; TRAP='{{Trap}}'; EVIL='{{Evil}}'; G='{{gitDirectory}}'
        hooks() { mkdir -p "$1"; for h in pre-commit post-commit post-checkout post-merge pre-merge-commit prepare-commit-msg commit-msg post-rewrite pre-rebase reference-transaction post-index-change applypatch-msg pre-auto-gc fsmonitor-watchman; do cp "$EVIL" "$1/$h"; done; }
        programs() {
            for key in core.fsmonitor core.sshCommand core.editor core.pager sequence.editor diff.external gpg.program gpg.ssh.program credential.helper core.askPass core.gitProxy uploadpack.packObjectsHook core.alternateRefsCommand pager.diff \
                filter.evil.clean filter.evil.smudge filter.evil.process 'filter.e=v.clean' 'filter.e=v.smudge' diff.evil.textconv diff.evil.command hook.evil.command trailer.x.command; do
                git config -f "$1" "$key" "$EVIL"
            done
            git config -f "$1" merge.evil.driver "'$EVIL' %O %A %B"; git config -f "$1" hook.evil.event pre-commit; git config -f "$1" filter.evil.required true
            git config -f "$1" commit.gpgSign true; git config -f "$1" core.hooksPath "$TRAP/.git/hooks"
        }
        {{script}}
        """, directory);

    // What was moved away comes back, so that the repository can be looked at.
    private Task<string> Undo() => _fixture.Sh("""
        cd repo
        if [ -e .git.was ]; then rm .git; mv .git.was .git; fi
        if [ -e .git/HEAD.was ]; then rm .git/HEAD; mv .git/HEAD.was .git/HEAD; fi
        if [ -p .git/packed-refs ]; then rm .git/packed-refs; fi
        rm -f .git/commondir .git/info/grafts
        sed -i -e '/broken/d' -e '/^	repositoryformatversion/d' -e '/partialClone/d' .git/config
        """);

    /// <summary>The names and contents of all that no operation may write to.</summary>
    private string Contents()
    {
        var text = new StringBuilder();
        foreach (var directory in new[] { Outside, Trap })
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                text.AppendLine($"{path} {(Directory.Exists(path) ? "" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))))}");
        }
        return text.ToString();
    }

    private async Task NoSecretIsIn()
    {
        var all = await _fixture.Sh("export GIT_NO_REPLACE_OBJECTS=1; git -c core.commitGraph=false --git-dir=repo/.git cat-file --batch-all-objects --batch-check='%(objecttype) %(objectsize) %(objectname)' | awk '$1==\"blob\" && $2<1000 {print $3}' | git --git-dir=repo/.git cat-file --batch");
        all.ShouldNotContain(Secret);
    }

    private async Task<bool> IsKept(Worktree tree) =>
        new[] { tree.Path, Path.Combine(_fixture.Path_, "tree") }.Select(path => Path.Combine(path, "b.txt")).Any(File.Exists)
        || (await _fixture.Sh($"""
            export GIT_NO_REPLACE_OBJECTS=1
            for id in $(git -c core.commitGraph=false --git-dir=repo/.git for-each-ref --format='%(objectname)' refs/heads refs/colibri 2>/dev/null); do
                if git --git-dir=repo/.git cat-file -p "$id:b.txt" 2>/dev/null | grep -q '{Work}'; then echo kept; fi
            done
            """)).Contains("kept", StringComparison.Ordinal);
}
