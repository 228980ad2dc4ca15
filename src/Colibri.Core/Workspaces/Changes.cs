using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>What a run left in its tree: its commits and its files become the task's branch. What cannot be on the branch is parked.</summary>
internal sealed class Changes(WorkspaceGit git)
{
    /// <summary>In bytes.</summary>
    public const int MaxPatch = 1024 * 1024;

    private const int MaxMoves = 3;

    private static readonly string[] Unfinished = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"];
    private static readonly string[] UnfinishedCommits = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge/orig-head", "rebase-apply/orig-head"];

    private readonly Snapshots _snapshots = new(git);

    /// <summary>
    /// Takes what the run left, after its processes have ended. Files that are not committed become a commit on top of HEAD, whatever branch
    /// that is on, and the task's branch moves there.
    /// </summary>
    /// <param name="repository">The workspace's, opened after the run.</param>
    /// <param name="tree">As it was opened for the run.</param>
    /// <param name="request">The same as for its opening.</param>
    /// <param name="title">The task's, for the commit's message.</param>
    /// <param name="cancellation">Stops between the steps; what is done is done again by the next call.</param>
    public Task<Collected> CollectAsync(Repository repository, Worktree tree, TreeRequest request, string title, CancellationToken cancellation) =>
        git.InTurnAsync(repository, () => CollectNowAsync(repository, tree, request, title, cancellation), cancellation);

    /// <summary>Takes back what came into a tree after its change was collected, as by a check. What is ignored stays.</summary>
    public Task TakeBackAsync(Repository repository, Worktree tree, string head, CancellationToken cancellation) => git.InTurnAsync(
        repository,
        async () =>
        {
            PlantedLinks.RefuseTree(tree.GitDirectory);
            await repository.RunAsync(repository.CallIn(tree, "reset", "--hard", "--quiet", head), cancellation).ConfigureAwait(false);
            return await repository.RunAsync(repository.CallIn(tree, "clean", "--force", "-d", "--quiet"), cancellation).ConfigureAwait(false);
        },
        cancellation);

    /// <summary>The size of a change against where it left its base.</summary>
    public static async Task<ChangeSize> MeasureAsync(Repository repository, string baseCommit, string head, CancellationToken cancellation)
    {
        var from = await ForkOfAsync(repository, baseCommit, head, cancellation).ConfigureAwait(false);
        var commits = await repository.TextAsync(cancellation, "rev-list", "--count", head, "--not", baseCommit).ConfigureAwait(false);
        var numbers = await repository.RunAsync(
            repository.Call("diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--numstat", "-z", from, head) with
            {
                IsRead = true,
                Timeout = GitRunner.TreeTimeout,
                MaxOutput = Snapshots.MaxNames,
                MayBeCut = true,
            },
            cancellation).ConfigureAwait(false);
        return Count(numbers) with { From = from, Commits = int.Parse(commits, CultureInfo.InvariantCulture) };
    }

    /// <summary>The patch of a change, as text; cut at a file's border, with a line that says so.</summary>
    public static async Task<string> PatchAsync(Repository repository, string baseCommit, string head, int maxBytes, CancellationToken cancellation)
    {
        var from = await ForkOfAsync(repository, baseCommit, head, cancellation).ConfigureAwait(false);
        var patch = await repository.RunAsync(
            repository.Call("diff-tree", "-r", "-M", "-p", "--no-ext-diff", "--no-textconv", "--no-color", from, head) with
            {
                IsRead = true,
                Timeout = GitRunner.TreeTimeout,
                MaxOutput = maxBytes,
                MayBeCut = true,
            },
            cancellation).ConfigureAwait(false);
        if (!patch.IsCut)
            return Encoding.UTF8.GetString(patch.Bytes);
        var whole = patch.Bytes.AsSpan().LastIndexOf("\ndiff --git "u8) + 1;
        return string.Create(CultureInfo.InvariantCulture,
            $"{Encoding.UTF8.GetString(patch.Bytes, 0, whole)}# cut after {whole} bytes; the whole patch: git -C {GitFailure.Quoted(repository.Path)} diff {from} {head}\n");
    }

    private async Task<Collected> CollectNowAsync(Repository repository, Worktree tree, TreeRequest request, string title, CancellationToken cancellation)
    {
        var notes = new List<LeftState>();
        var parked = new List<string>();
        var hasDirectory = FileLook.AtName(tree.GitDirectory).IsDirectory;
        if (!FileLook.AtName(tree.Path).IsDirectory)
            notes.Add(LeftState.TreeGone);
        if (Repository.ReadLinkFile(Path.Combine(tree.Path, ".git")) != $"gitdir: {tree.GitDirectory}" || !hasDirectory)
            notes.Add(LeftState.GitGone);
        if (hasDirectory)
            PlantedLinks.RefuseTree(tree.GitDirectory);
        if (hasDirectory && Directory.EnumerateFiles(tree.GitDirectory, "*.lock").Any())
            notes.Add(LeftState.LockLeft);
        var isUnfinished = hasDirectory && Array.Exists(Unfinished, name => !FileLook.AtName(Path.Combine(tree.GitDirectory, name)).IsMissing);
        if (isUnfinished)
            notes.Add(LeftState.Unfinished);

        var own = hasDirectory ? await Worktrees.HeadOfAsync(repository, tree, cancellation).ConfigureAwait(false) : null;
        if (own is null)
            notes.Add(LeftState.HeadGone);
        var head = own ?? tree.Start;
        git.Step("snapshot");
        var commit = notes.Contains(LeftState.TreeGone) ? null : await _snapshots.TakeAsync(repository, tree, head, Snapshots.Message(title, tree.Number), cancellation).ConfigureAwait(false);
        git.Step("taken");
        if (isUnfinished)
        {
            // Files with the marks of a conflict are no change to land.
            foreach (var left in await LeftCommitsAsync(repository, tree, commit, cancellation).ConfigureAwait(false))
                parked.Add(await _snapshots.ParkAsync(repository, tree.Number, left, cancellation).ConfigureAwait(false));
        }
        var after = isUnfinished ? head : commit ?? head;
        if (!await repository.IsAncestorAsync(tree.Start, after, cancellation).ConfigureAwait(false))
        {
            notes.Add(LeftState.Rewound);
            parked.Add(await _snapshots.ParkAsync(repository, tree.Number, tree.Start, cancellation).ConfigureAwait(false));
        }
        git.Step("branch");
        var size = await MeasureAsync(repository, request.Base.Commit, after, cancellation).ConfigureAwait(false);
        try
        {
            await MoveBranchAsync(repository, tree, request, after, size, parked, cancellation).ConfigureAwait(false);
        }
        catch (GitException e) when (!git.IsStopped && size.Commits > 0)
        {
            var held = await _snapshots.ParkAsync(repository, tree.Number, after, CancellationToken.None).ConfigureAwait(false);
            throw new GitException(e.Kind, $"{e.Message} (its work is held under {held})") { IsCutShort = e.IsCutShort };
        }
        git.Step("head");
        // The work is held by now; a tree that does not follow keeps its own HEAD.
        if (hasDirectory && !isUnfinished && !notes.Contains(LeftState.TreeGone))
            await git.ClearUpAsync(tree.Path, () => AlignAsync(repository, tree, after, cancellation)).ConfigureAwait(false);
        git.Step("collected");
        return new Collected(tree.Start, after, after != own, size, notes, parked);
    }

    private async Task MoveBranchAsync(Repository repository, Worktree tree, TreeRequest request, string after, ChangeSize size, List<string> parked, CancellationToken cancellation)
    {
        var reference = $"refs/heads/{request.Branch}";
        for (var i = 0; i < MaxMoves; i++)
        {
            // Where it is another name of a branch, that branch stays, and the name becomes the task's own.
            var isOther = await repository.IsSymbolicAsync(reference, cancellation).ConfigureAwait(false);
            var now = await repository.CommitOfAsync(reference, cancellation).ConfigureAwait(false);
            if (isOther)
            {
                git.Step("move");
                await repository.ReplaceAsync(reference, after, "colibri: collected", cancellation).ConfigureAwait(false);
                return;
            }
            if (now == after || (now is null && size.Commits == 0))
                return;
            if (now is not null && !await repository.IsAncestorAsync(now, after, cancellation).ConfigureAwait(false))
                parked.Add(await _snapshots.ParkAsync(repository, tree.Number, now, cancellation).ConfigureAwait(false));
            git.Step("move");
            if (await repository.MoveAsync(reference, after, now, "colibri: collected", cancellation).ConfigureAwait(false))
                return;
        }
        // It moves under our hands; the work is held all the same.
        parked.Add(await _snapshots.ParkAsync(repository, tree.Number, after, cancellation).ConfigureAwait(false));
    }

    /// <summary>The tree's own HEAD and index say what was collected, so that an agent which goes on there finds a clean tree.</summary>
    private static async Task AlignAsync(Repository repository, Worktree tree, string after, CancellationToken cancellation)
    {
        var call = repository.Call("update-ref", "--no-deref", "-m", "colibri: collected", "HEAD", after) with { GitDirectory = tree.GitDirectory };
        File.Delete(Path.Combine(tree.GitDirectory, "HEAD.lock"));
        await repository.RunAsync(call, cancellation).ConfigureAwait(false);
        Snapshots.GiveBack(tree);
        Worktrees.RepairLink(tree);
    }

    private static async Task<IReadOnlyList<string>> LeftCommitsAsync(Repository repository, Worktree tree, string? snapshot, CancellationToken cancellation)
    {
        var commits = new List<string>();
        if (snapshot is not null)
            commits.Add(snapshot);
        foreach (var name in UnfinishedCommits)
        {
            if (Repository.ReadLinkFile(Path.Combine(tree.GitDirectory, name)) is { Length: 40 or 64 } id && id.All(char.IsAsciiHexDigitLower)
                && await repository.CommitOfAsync(id, cancellation).ConfigureAwait(false) is { } commit && !commits.Contains(commit))
                commits.Add(commit);
        }
        return commits;
    }

    private static async Task<string> ForkOfAsync(Repository repository, string baseCommit, string head, CancellationToken cancellation)
    {
        var output = await repository.RunAsync(repository.Call("merge-base", baseCommit, head) with { IsRead = true, Exits = [1] }, cancellation).ConfigureAwait(false);
        // Without a commit in common, all of it is the change.
        return output.Exit == 0 ? output.Text : baseCommit;
    }

    /// <summary>Adds up <c>--numstat -z</c>: added, deleted and name; the names of a rename are two further fields.</summary>
    internal static ChangeSize Count(GitOutput numbers)
    {
        var (files, insertions, deletions) = (0, 0L, 0L);
        var names = 0;
        foreach (var field in numbers.Fields())
        {
            if (names > 0)
            {
                names--;
                continue;
            }
            var line = field.Span;
            var (first, second) = (line.IndexOf((byte)'\t'), 0);
            if (first < 0 || (second = line[(first + 1)..].IndexOf((byte)'\t')) < 0)
                continue;
            files++;
            // A binary file has a dash.
            insertions += Utf8Parser.TryParse(line[..first], out long added, out _) ? added : 0;
            deletions += Utf8Parser.TryParse(line.Slice(first + 1, second), out long deleted, out _) ? deleted : 0;
            if (line.Length == first + second + 2)
                names = 2;
        }
        return new ChangeSize("", 0, files, insertions, deletions);
    }
}

/// <summary>How large a change is.</summary>
/// <param name="From">The commit where it left its base.</param>
/// <param name="Commits">Those that the base has not.</param>
/// <param name="Files">Those that differ.</param>
/// <param name="Insertions">Lines; binary files have none.</param>
/// <param name="Deletions">Lines; binary files have none.</param>
internal sealed record ChangeSize(string From, int Commits, int Files, long Insertions, long Deletions)
{
    /// <summary>Nothing differs: the change's state is <c>empty</c>.</summary>
    public bool IsEmpty => Files == 0;
}

/// <summary>What was not as a run should leave it.</summary>
internal enum LeftState
{
    /// <summary>The commit that it started from is not below its HEAD; that is parked.</summary>
    Rewound,

    /// <summary>Its <c>.git</c> was removed or points elsewhere, or the repository has forgotten the tree.</summary>
    GitGone,

    /// <summary>Its HEAD names no commit; its files were committed on top of where it started.</summary>
    HeadGone,

    /// <summary>The whole tree was removed.</summary>
    TreeGone,

    /// <summary>A merge, a rebase, a cherry-pick or a revert is under way; the files are parked, and the branch has HEAD's commits.</summary>
    Unfinished,

    /// <summary>A lock file was left.</summary>
    LockLeft,
}

/// <summary>What a run left.</summary>
/// <param name="Before">The commit that it started from.</param>
/// <param name="After">The tip of its change.</param>
/// <param name="IsCommitted">Files that it had not committed were committed for it, or its HEAD was set.</param>
/// <param name="Size">Against the base.</param>
/// <param name="Left">What was not as it should be.</param>
/// <param name="Parked">References under which work is that is not on the branch.</param>
internal sealed record Collected(string Before, string After, bool IsCommitted, ChangeSize Size, IReadOnlyList<LeftState> Left, IReadOnlyList<string> Parked);
