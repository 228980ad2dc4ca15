using System.Text;
using Colibri.Core.Logging;
using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Moves a base from one commit to another, with the checkout that has it. First the branch moves, by compare-and-swap; then the files
/// follow. A journal is there while the two differ, by which the next start finishes what a kill cut short.
/// </summary>
internal sealed class BaseMover(WorkspaceGit git)
{
    private const string JournalSuffix = ".landing";

    private const string Back = "back";

    // gitrepository-layout(5) does not name them; git-rebase(1) and git-am(1) keep the branch there.
    private static readonly string[] Rebases = ["rebase-merge/head-name", "rebase-apply/head-name"];
    private static readonly (string File, string Command)[] UnderWay = [("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert")];

    private readonly Snapshots _snapshots = new(git);

    /// <summary>False where the base is at another commit by now.</summary>
    /// <exception cref="GitException">The checkout that has the base cannot follow; both are as they were.</exception>
    public async Task<bool> MoveAsync(Repository repository, BaseTip from, string to, long number, CancellationToken cancellation)
    {
        var checkout = await HolderOfAsync(repository, from, cancellation).ConfigureAwait(false);
        var reason = $"colibri: landed {number}";
        if (checkout is null)
        {
            git.Step("swap");
            return await repository.MoveAsync(from.Reference, to, from.Commit, reason, cancellation).ConfigureAwait(false);
        }
        if (await repository.CommitOfAsync(from.Reference, cancellation).ConfigureAwait(false) != from.Commit)
            return false;
        await RequireRoomAsync(repository, from, to, cancellation).ConfigureAwait(false);
        git.Step("journal");
        var journal = await WriteJournalAsync(repository, from, to, cancellation).ConfigureAwait(false);
        git.Step("swap");
        // From here on it is finished or taken back, and not left halfway.
        if (!await repository.MoveAsync(from.Reference, to, from.Commit, reason, CancellationToken.None).ConfigureAwait(false))
        {
            File.Delete(journal);
            return false;
        }
        git.Step("files");
        var follow = await repository.TryAsync(Follow(repository, from.Commit, to), CancellationToken.None).ConfigureAwait(false);
        git.Step("followed");
        if (follow.Exit != 0)
            await TakeBackAsync(repository, from, to, journal, follow).ConfigureAwait(false);
        File.Delete(journal);
        git.Step("landed");
        return true;
    }

    /// <summary>The checkout that has the base and can follow it; null where none has it.</summary>
    /// <exception cref="GitException">It is not clean, or is not the workspace's.</exception>
    public static async Task<string?> HolderOfAsync(Repository repository, BaseTip tip, CancellationToken cancellation)
    {
        foreach (var (gitDirectory, path) in Checkouts(repository))
        {
            // A rebase is detached, and moves its branch at its end.
            if (Rebases.Any(name => Repository.ReadLinkFile(Path.Combine(gitDirectory, name)) == tip.Reference))
                throw new GitException(GitFailureKind.CheckoutBusy, $"{tip.Name} is being rebased in {path}: git -C {GitFailure.Quoted(path)} rebase --continue, or --abort, then land again");
        }
        string? holder = null;
        foreach (var path in HoldersOf(repository, tip))
        {
            if (repository.Checkout is null || FileIdentity.Of(path) != FileIdentity.Of(repository.Checkout))
                throw new GitException(GitFailureKind.CheckoutBusy, $"{tip.Name} is checked out in {path}, which would not follow it: git -C {GitFailure.Quoted(path)} switch --detach, then land again");
            holder = path;
        }
        if (holder is null)
            return null;
        PlantedLinks.RefuseTree(repository.GitDirectory);
        if (Array.Find(UnderWay, name => !FileLook.AtName(Path.Combine(repository.GitDirectory, name.File)).IsMissing) is { File: not null } found)
        {
            throw new GitException(GitFailureKind.CheckoutBusy,
                $"{repository.Path} has {tip.Name} checked out in the middle of a {found.Command}: finish it, or git -C {GitFailure.Quoted(repository.Path)} {found.Command} --abort, then land again");
        }
        var status = await repository.RunAsync(
            repository.CallInCheckout("status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=all") with { IsRead = true, MayBeCut = true }, cancellation).ConfigureAwait(false);
        if (status.Fields().FirstOrDefault() is { Length: > 3 } first)
        {
            var name = BranchName.Shown(Encoding.UTF8.GetString(first.Span[3..]));
            throw new GitException(GitFailureKind.CheckoutBusy, $"{repository.Path} has {tip.Name} checked out with changes that are not committed ({name}): git -C {GitFailure.Quoted(repository.Path)} stash, or commit them, then land again");
        }
        return holder;
    }

    /// <summary>Finishes, or finds undone, what a killed daemon began. Only at the start, before any call.</summary>
    public async Task RecoverAsync(CancellationToken cancellation)
    {
        if (!Directory.Exists(git.Trees))
            return;
        foreach (var journal in Directory.EnumerateFiles(git.Trees, $".*{JournalSuffix}").Order(StringComparer.Ordinal))
        {
            try
            {
                await RecoverAsync(journal, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
            {
                git.Logger.LandingUnfinished(journal, e.Message);
            }
        }
    }

    private async Task RecoverAsync(string journal, CancellationToken cancellation)
    {
        if ((await File.ReadAllTextAsync(journal, cancellation).ConfigureAwait(false)).Split('\0') is not [var path, var name, var from, var to, var way, ""])
            throw new GitException(GitFailureKind.Other, $"it is damaged: rm {GitFailure.Quoted(journal)}");
        var repository = await git.OpenAsync(path, cancellation).ConfigureAwait(false);
        var tip = new BaseTip(name, from);
        var now = await repository.CommitOfAsync(tip.Reference, cancellation).ConfigureAwait(false);
        // Where the checkout has another branch by now, a person has put it in order.
        var isHeld = HoldersOf(repository, tip).Any(holder => repository.Checkout is not null && FileIdentity.Of(holder) == FileIdentity.Of(repository.Checkout));
        if (isHeld && now == to)
            await FinishAsync(repository, tip, to, cancellation).ConfigureAwait(false);
        else if (isHeld && now == from && way == Back)
            await RestoreAsync(repository, to, from, cancellation).ConfigureAwait(false);
        File.Delete(journal);
    }

    private async Task FinishAsync(Repository repository, BaseTip from, string to, CancellationToken cancellation)
    {
        PlantedLinks.RefuseTree(repository.GitDirectory);
        var index = await repository.RunAsync(
            repository.CallInCheckout("diff-index", "--cached", "--quiet", "--ignore-submodules=all", to) with { IsRead = true, Exits = [1] }, cancellation).ConfigureAwait(false);
        if (index.Exit == 0)
            return;
        git.Logger.LandingFinished(from.Name, repository.Path);
        await RefreshAsync(repository, cancellation).ConfigureAwait(false);
        var follow = await repository.TryAsync(Follow(repository, from.Commit, to), cancellation).ConfigureAwait(false);
        if (follow.Exit == 0)
            return;
        if (GitFailure.KindOf(follow.Error) != GitFailureKind.Other)
            throw GitFailure.Of(follow, Follow(repository, from.Commit, to));
        await RestoreAsync(repository, from.Commit, to, cancellation).ConfigureAwait(false);
    }

    /// <summary>Files were written halfway: all that is there is parked, then those that differ between the commits are written as one has them.</summary>
    private async Task RestoreAsync(Repository repository, string from, string to, CancellationToken cancellation)
    {
        PlantedLinks.RefuseTree(repository.GitDirectory);
        var checkout = new Worktree(repository.Checkout!, repository.GitDirectory, 0, from, null, IsNew: false);
        if (await _snapshots.TakeAsync(repository, checkout, from, Snapshots.Message("Files of a checkout before an interrupted landing was finished", 0), cancellation).ConfigureAwait(false) is { } commit)
            await _snapshots.ParkAsync(repository, 0, commit, cancellation).ConfigureAwait(false);
        var names = await repository.RunAsync(
            repository.Call("diff-tree", "-r", "--no-renames", "--name-only", "-z", from, to) with { IsRead = true, MaxOutput = Snapshots.MaxNames }, cancellation).ConfigureAwait(false);
        // Files that are to go are removed only where the index has them.
        var going = await repository.RunAsync(
            repository.Call("diff-tree", "-r", "--no-renames", "--diff-filter=D", "-z", from, to) with { IsRead = true, MaxOutput = Snapshots.MaxNames }, cancellation).ConfigureAwait(false);
        if (going.Bytes.Length > 0)
            await repository.RunAsync(repository.CallInCheckout("update-index", "-z", "--index-info") with { Input = Entries(going) }, cancellation).ConfigureAwait(false);
        await repository.RunAsync(
            repository.CallInCheckout("restore", $"--source={to}", "--staged", "--worktree", "--no-recurse-submodules", "--pathspec-from-file=-", "--pathspec-file-nul") with { Input = Literal(names) },
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Raw lines of a difference as what <c>update-index --index-info</c> takes: mode, id, a tab and the name.</summary>
    private static byte[] Entries(GitOutput raw)
    {
        using var entries = new MemoryStream();
        var isName = false;
        foreach (var field in raw.Fields())
        {
            // :100644 000000 OLD NEW D
            if (isName)
            {
                entries.Write(field.Span);
                entries.WriteByte(0);
            }
            else
            {
                var parts = Encoding.ASCII.GetString(field.Span).Split(' ');
                entries.Write(Encoding.ASCII.GetBytes($"{parts[0][1..]} {parts[2]}\t"));
            }
            isName = !isName;
        }
        return entries.ToArray();
    }

    /// <summary>Names as pathspecs that match nothing but themselves.</summary>
    private static byte[] Literal(GitOutput names)
    {
        using var specs = new MemoryStream();
        foreach (var field in names.Fields())
        {
            specs.Write(":(top,literal)"u8);
            specs.Write(field.Span);
            specs.WriteByte(0);
        }
        return specs.ToArray();
    }

    private static GitCall Follow(Repository repository, string from, string to) => repository.CallInCheckout("read-tree", "-m", "-u", from, to);

    /// <summary>A file that was touched and is as it was counts as changed until the index has looked at it again.</summary>
    private static async Task RefreshAsync(Repository repository, CancellationToken cancellation)
    {
        var call = repository.CallInCheckout("update-index", "-q", "--refresh") with { Exits = [1] };
        var output = await repository.TryAsync(call, cancellation).ConfigureAwait(false);
        // Quiet, it says nothing of a lock.
        var locked = Path.Combine(repository.GitDirectory, "index.lock");
        if (output.Exit is not 0 and not 1)
            throw GitFailure.Of(output.Error.Length == 0 && !FileLook.AtName(locked).IsMissing ? output with { Error = $"Unable to create '{locked}': File exists" } : output, call);
    }

    /// <summary>Tries the files without writing any: one that is not tracked and in the way is a refusal.</summary>
    private static async Task RequireRoomAsync(Repository repository, BaseTip from, string to, CancellationToken cancellation)
    {
        await RefreshAsync(repository, cancellation).ConfigureAwait(false);
        var call = repository.CallInCheckout("read-tree", "-m", "-u", "--dry-run", from.Commit, to);
        var trial = await repository.TryAsync(call, cancellation).ConfigureAwait(false);
        if (trial.Exit != 0)
            throw CannotFollow(repository, from, trial, call);
    }

    private async Task TakeBackAsync(Repository repository, BaseTip from, string to, string journal, GitOutput follow)
    {
        // Git writes nothing where files are in its way. Anything else may have left some of them written.
        var isHalf = follow.Exit is null || GitFailure.KindOf(follow.Error) is not (GitFailureKind.Other or GitFailureKind.Locked);
        if (follow.Exit is null)
            StaleLocks.Remove(repository.CommonDirectory, journal);
        await WriteAsync(journal, repository, from, to, Back, CancellationToken.None).ConfigureAwait(false);
        git.Step("taking back");
        // Where somebody has moved the base on, it stays; the files are theirs to bring along.
        var isBack = await repository.MoveAsync(from.Reference, from.Commit, to, "colibri: landing taken back", CancellationToken.None).ConfigureAwait(false);
        git.Step("taken back");
        if (isHalf && isBack)
            await RestoreAsync(repository, to, from.Commit, CancellationToken.None).ConfigureAwait(false);
        File.Delete(journal);
        throw CannotFollow(repository, from, follow, Follow(repository, from.Commit, to));
    }

    private static GitException CannotFollow(Repository repository, BaseTip from, GitOutput said, GitCall call)
    {
        if (said.Exit is null || GitFailure.KindOf(said.Error) != GitFailureKind.Other)
            return GitFailure.Of(said, call);
        var line = said.Error.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "no reason given";
        return new GitException(GitFailureKind.CheckoutBusy, $"{repository.Path} has {from.Name} checked out, and files there are in the way ({line}): move them away, then land again");
    }

    /// <summary>Every checkout whose HEAD is on the base.</summary>
    private static IEnumerable<string> HoldersOf(Repository repository, BaseTip tip)
    {
        foreach (var (gitDirectory, path) in Checkouts(repository))
        {
            // Git takes any space behind the colon.
            if (Repository.ReadLinkFile(Path.Combine(gitDirectory, "HEAD")) is { } head && head.StartsWith("ref:", StringComparison.Ordinal) && head[4..].Trim() == tip.Reference)
                yield return path;
        }
    }

    private static IEnumerable<(string GitDirectory, string Path)> Checkouts(Repository repository)
    {
        // A bare repository has a HEAD and no files. The main checkout is above a directory named .git.
        if (Path.GetFileName(repository.CommonDirectory) == ".git")
            yield return (repository.CommonDirectory, Path.GetDirectoryName(repository.CommonDirectory)!);
        foreach (var entry in Worktrees.Registered(repository))
        {
            if (FileLook.AtName(entry.Path).IsDirectory)
                yield return entry;
        }
    }

    private async Task<string> WriteJournalAsync(Repository repository, BaseTip from, string to, CancellationToken cancellation)
    {
        var journal = Path.Combine(git.Trees, $".{Guid.NewGuid():N}{JournalSuffix}");
        await WriteAsync(journal, repository, from, to, "", cancellation).ConfigureAwait(false);
        return journal;
    }

    private static async Task WriteAsync(string journal, Repository repository, BaseTip from, string to, string way, CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(journal + ".new", $"{repository.Path}\0{from.Name}\0{from.Commit}\0{to}\0{way}\0", cancellation).ConfigureAwait(false);
        File.Move(journal + ".new", journal, overwrite: true);
    }
}
