using System.Text;
using Colibri.Core.Settings;
using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>A workspace's repository as it is now: its places, which were checked, and the settings that keep its configuration from running anything.</summary>
/// <remarks>Opened anew for each sequence of calls, because an agent may change what it says. Calls in a tree look at the configuration again, each.</remarks>
internal sealed class Repository
{
    private const int MaxLinkFile = 16 * 1024;

    private readonly GitRunner _runner;

    private Repository(GitRunner runner, string path, string gitDirectory, string commonDirectory, string? checkout, GitConfig config) =>
        (_runner, Path, GitDirectory, CommonDirectory, Checkout, Config) = (runner, path, gitDirectory, commonDirectory, checkout, config);

    /// <summary>As the workspace names it.</summary>
    public string Path { get; }

    /// <summary>The directory of the checkout's HEAD and index; the repository itself where that is bare.</summary>
    public string GitDirectory { get; }

    /// <summary>Where branches and objects are.</summary>
    public string CommonDirectory { get; }

    /// <summary>Null for a bare repository.</summary>
    public string? Checkout { get; }

    public bool IsBare => Checkout is null;

    /// <summary>What every call gets; also whom commits are by.</summary>
    public GitConfig Config { get; }

    /// <exception cref="GitException">It is no repository, belongs to another user, is a directory within one, or has something planted in it.</exception>
    public static async Task<Repository> OpenAsync(GitRunner runner, string path, CancellationToken cancellation)
    {
        if (!FileLook.At(path).IsDirectory)
            throw new GitException(GitFailureKind.NotARepository, $"{path} is no directory: correct the workspace's path, or make it with git init {GitFailure.Quoted(path)}");
        PlantedLinks.RefusePipes(path);
        PlantedLinks.RefusePipes(System.IO.Path.Combine(path, ".git"));
        // The one call in which git looks for the repository itself, because only then it checks who owns it.
        var asked = new GitCall { Directory = path, Arguments = ["rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--absolute-git-dir"], IsRead = true, What = $"the look at {path}" };
        // The path is last, because it may have newlines in it.
        if ((await runner.RunAsync(asked, cancellation).ConfigureAwait(false)).Text.Split('\n', 3) is not [var isBare, var isInside, var gitDirectory])
            throw new GitException(GitFailureKind.Other, $"git does not say what {path} is: git -C {GitFailure.Quoted(path)} status");
        if ((isBare, isInside) is not ("false", "true"))
            return await CheckedAsync(runner, path, RequireRoot(path, gitDirectory), null, cancellation).ConfigureAwait(false);
        var top = (await runner.RunAsync(asked with { Arguments = ["rev-parse", "--show-toplevel"] }, cancellation).ConfigureAwait(false)).Text;
        if (FileIdentity.Of(top) != FileIdentity.Of(path))
            throw new GitException(GitFailureKind.Subdirectory, $"{path} lies within the repository {top}: name that as the workspace's path");
        return await CheckedAsync(runner, path, gitDirectory, path, cancellation).ConfigureAwait(false);
    }

    private static string RequireRoot(string path, string gitDirectory)
    {
        if (FileIdentity.Of(gitDirectory) == FileIdentity.Of(path))
            return path;
        throw new GitException(GitFailureKind.Subdirectory, $"{path} lies within the repository {gitDirectory} and is no checkout: name the repository or its checkout as the workspace's path");
    }

    private static async Task<Repository> CheckedAsync(GitRunner runner, string path, string gitDirectory, string? checkout, CancellationToken cancellation)
    {
        var common = checkout is null ? gitDirectory : CommonOf(checkout, gitDirectory);
        PlantedLinks.Refuse(common);
        var config = await ConfigAsync(runner, new GitCall { Directory = common, GitDirectory = common, CommonDirectory = common, Arguments = [] }, path, cancellation).ConfigureAwait(false);
        return new Repository(runner, path, gitDirectory, common, checkout, config);
    }

    /// <summary>
    /// What overrides the configuration that a call finds. It is listed from the very places of the call, because a worktree may have a
    /// configuration of its own, and <c>includeIf</c> looks at the places and at the branch.
    /// </summary>
    private static async Task<GitConfig> ConfigAsync(GitRunner runner, GitCall call, string path, CancellationToken cancellation)
    {
        var listing = call with
        {
            Arguments = ["config", "--list", "-z", "--includes"],
            Config = GitConfig.Fixed,
            IsRead = true,
            Input = null,
            Exits = [],
            MayBeCut = false,
            MaxOutput = GitRunner.UsualOutput,
            Timeout = GitRunner.UsualTimeout,
            What = $"the configuration of {path}",
        };
        return GitConfig.For((await runner.RunAsync(listing, cancellation).ConfigureAwait(false)).Bytes, Environment.MachineName);
    }

    // Calls in a tree alone run filters and drivers.
    private async Task<GitCall> ArmedAsync(GitCall call, CancellationToken cancellation) =>
        call.WorkTree is null ? call : call with { Config = await ConfigAsync(_runner, call, Path, cancellation).ConfigureAwait(false) };

    /// <summary>
    /// The repository of a checkout: its <c>.git</c>, or for a linked worktree the one that lists it. A <c>.git</c> file that names anything
    /// else would have us work in a repository that the checkout does not belong to.
    /// </summary>
    private static string CommonOf(string checkout, string gitDirectory)
    {
        var own = System.IO.Path.Combine(checkout, ".git");
        if (FileLook.AtName(own).IsDirectory)
            return own;
        if (ReadLinkFile(System.IO.Path.Combine(gitDirectory, "gitdir")) is { } back && FileIdentity.Of(back) is { } named && FileIdentity.Of(own) == named
            && System.IO.Path.GetDirectoryName(gitDirectory) is { } worktrees && System.IO.Path.GetFileName(worktrees) == "worktrees")
            return System.IO.Path.GetDirectoryName(worktrees)!;
        throw new GitException(GitFailureKind.Planted, $"{own} points to {gitDirectory}, which is not a repository of this checkout's own: look at it, and name a checkout with its own .git directory as the workspace's path");
    }

    /// <summary>The one line of a small file of git's, without its end; null where it is not there, a link, or too large.</summary>
    internal static string? ReadLinkFile(string path)
    {
        try
        {
            if (!FileLook.AtName(path).IsRegular || new FileInfo(path).Length > MaxLinkFile)
                return null;
            return File.ReadAllText(path).TrimEnd('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A call on branches and objects.</summary>
    public GitCall Call(params IReadOnlyList<string> arguments) => new()
    {
        Directory = CommonDirectory,
        GitDirectory = CommonDirectory,
        // Stated even where it is the same: a planted `commondir` file has no say then.
        CommonDirectory = CommonDirectory,
        Arguments = arguments,
        Config = Config,
        What = $"git {arguments[0]} in {Path}",
    };

    /// <summary>A call in the checkout.</summary>
    public GitCall CallInCheckout(params IReadOnlyList<string> arguments) => Call(arguments) with
    {
        Directory = Checkout!,
        GitDirectory = GitDirectory,
        WorkTree = Checkout,
        Timeout = GitRunner.TreeTimeout,
    };

    /// <summary>A call in a worktree, by its directory in the repository and never by its own <c>.git</c>.</summary>
    /// <exception cref="GitException">The tree is a symbolic link by now, and git would write where it points to.</exception>
    public GitCall CallIn(Worktree tree, params IReadOnlyList<string> arguments)
    {
        PlantedLinks.RefuseName(tree.Path);
        PlantedLinks.RefuseName(tree.GitDirectory);
        return Call(arguments) with
        {
            Directory = tree.Path,
            GitDirectory = tree.GitDirectory,
            WorkTree = tree.Path,
            Timeout = GitRunner.TreeTimeout,
            What = $"git {arguments[0]} in {tree.Path}",
        };
    }

    public async Task<GitOutput> RunAsync(GitCall call, CancellationToken cancellation) =>
        await _runner.RunAsync(await ArmedAsync(call, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    public async Task<GitOutput> TryAsync(GitCall call, CancellationToken cancellation) =>
        await _runner.TryAsync(await ArmedAsync(call, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    /// <summary>Output of a call on branches and objects.</summary>
    public async Task<string> TextAsync(CancellationToken cancellation, params IReadOnlyList<string> arguments) =>
        (await RunAsync(Call(arguments) with { IsRead = true }, cancellation).ConfigureAwait(false)).Text;

    /// <summary>The commit that a branch or an id names; null where it names none.</summary>
    public async Task<string?> CommitOfAsync(string name, CancellationToken cancellation)
    {
        var output = await RunAsync(Call("rev-parse", "--verify", "--quiet", $"{name}^{{commit}}") with { IsRead = true, Exits = [1] }, cancellation).ConfigureAwait(false);
        return output.Exit == 0 ? output.Text : null;
    }

    /// <summary>Whether one commit is another's ancestor, or the same.</summary>
    public async Task<bool> IsAncestorAsync(string ancestor, string commit, CancellationToken cancellation) =>
        (await RunAsync(Call("merge-base", "--is-ancestor", ancestor, commit) with { IsRead = true, Exits = [1] }, cancellation).ConfigureAwait(false)).Exit == 0;

    /// <summary>The base of a workspace: the branch that is named, else the one that is checked out.</summary>
    /// <exception cref="GitException">There is no such branch, or no commit on it.</exception>
    public async Task<BaseTip> BaseAsync(string? name, CancellationToken cancellation)
    {
        var head = Call("symbolic-ref", "--quiet", "HEAD") with { GitDirectory = GitDirectory, IsRead = true, Exits = [1] };
        const string Branches = "refs/heads/";
        if (name is null)
        {
            var reference = (await RunAsync(head, cancellation).ConfigureAwait(false)).Text;
            if (!reference.StartsWith(Branches, StringComparison.Ordinal))
                throw new GitException(GitFailureKind.BaseGone, $"{Path} has no branch checked out: set the workspace's base, or git -C {GitFailure.Quoted(Path)} switch BRANCH");
            name = reference[Branches.Length..];
        }
        if (BranchName.Problem(name) is { } problem)
            throw new GitException(GitFailureKind.BaseGone, $"the base '{BranchName.Shown(name)}' {problem}: set the workspace's base to a plain branch");
        if ((await TryAsync(Call("symbolic-ref", "--quiet", Branches + name) with { IsRead = true }, cancellation).ConfigureAwait(false)).Exit == 0)
            throw new GitException(GitFailureKind.BaseGone, $"{name} in {Path} is another name of a branch: set the workspace's base to the branch itself");
        if (await CommitOfAsync(Branches + name, cancellation).ConfigureAwait(false) is { } tip)
            return new BaseTip(name, tip);
        var any = await TextAsync(cancellation, "for-each-ref", "--count=1", "--format=%(objectname)", Branches).ConfigureAwait(false);
        throw any.Length == 0
            ? new GitException(GitFailureKind.NoCommits, $"{Path} has no commits, and work starts from one: git -C {GitFailure.Quoted(Path)} commit --allow-empty -m start")
            : new GitException(GitFailureKind.BaseGone, $"there is no branch {name} in {Path}: git -C {GitFailure.Quoted(Path)} branch {GitFailure.Quoted(name)}, or correct the workspace's base");
    }

    /// <summary>Whether worktrees of a base can be worked in.</summary>
    /// <exception cref="GitException">It has submodules and the workspace no setup that gets them, or it keeps files with LFS.</exception>
    public async Task RequireUsableAsync(BaseTip tip, WorkspaceSettings workspace, CancellationToken cancellation)
    {
        if (await UsesLfsAsync(tip.Commit, cancellation).ConfigureAwait(false))
            throw new GitException(GitFailureKind.Lfs, $"{tip.Name} in {Path} keeps files with git LFS, whose programs are not run here: use isolation = \"shared\" for workspace {workspace.Name}");
        if (workspace.Setup is null && await HasSubmodulesAsync(tip.Commit, cancellation).ConfigureAwait(false))
            throw new GitException(GitFailureKind.Submodules, $"{tip.Name} in {Path} has submodules: set setup = \"git submodule update --init --recursive\" for workspace {workspace.Name}");
    }

    public async Task<bool> HasSubmodulesAsync(string commit, CancellationToken cancellation) =>
        (await RunAsync(Call("rev-parse", "--verify", "--quiet", $"{commit}:.gitmodules") with { IsRead = true, Exits = [1] }, cancellation).ConfigureAwait(false)).Exit == 0;

    public async Task<bool> UsesLfsAsync(string commit, CancellationToken cancellation) =>
        (await RunAsync(
            Call("grep", "--quiet", "--no-textconv", "-I", "-e", "filter=lfs", commit, "--", ":(glob)**/.gitattributes") with { IsRead = true, Exits = [1] },
            cancellation).ConfigureAwait(false)).Exit == 0;

    /// <summary>Every reference below some prefixes with its commit; names are text, and those that are not UTF-8 are left out.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReferencesAsync(CancellationToken cancellation, params IReadOnlyList<string> prefixes)
    {
        var output = await RunAsync(Call(["for-each-ref", "--format=%(objectname) %(refname)%00", .. prefixes]) with { IsRead = true }, cancellation).ConfigureAwait(false);
        var references = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in output.Fields())
        {
            // A newline stands behind each NUL.
            var text = Encoding.UTF8.GetString(field.Span).TrimStart('\n');
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && !text.Contains('\uFFFD', StringComparison.Ordinal))
                references[text[(space + 1)..]] = text[..space];
        }
        return references;
    }

    /// <summary>
    /// Moves a reference from the commit that it was seen at; an old value of zeros says that there was none. False where it is at another by
    /// now. Never writes through a symbolic reference or a link.
    /// </summary>
    public async Task<bool> MoveAsync(string reference, string to, string? from, string reason, CancellationToken cancellation)
    {
        PlantedLinks.RefuseReference(CommonDirectory, reference);
        var output = await TryAsync(
            Call("update-ref", "--no-deref", "--create-reflog", "-m", reason, reference, to, from ?? new string('0', to.Length)), cancellation).ConfigureAwait(false);
        if (output.Exit == 0)
            return true;
        if (output.Error.Contains("exists; cannot create", StringComparison.Ordinal))
        {
            throw new GitException(GitFailureKind.Other,
                $"a branch in {Path} is in the way of {reference}: look at git -C {GitFailure.Quoted(Path)} branch --list, and rename that one with git branch -m, or correct the workspace's branch");
        }
        if (await CommitOfAsync(reference, cancellation).ConfigureAwait(false) != from)
            return false;
        throw GitFailure.Of(output, Call("update-ref"));
    }

    /// <summary>Makes a reference of its own of one that is another name of a branch, which stays.</summary>
    public async Task ReplaceAsync(string reference, string to, string reason, CancellationToken cancellation)
    {
        PlantedLinks.RefuseReference(CommonDirectory, reference);
        var output = await TryAsync(Call("update-ref", "--no-deref", "--create-reflog", "-m", reason, reference, to), cancellation).ConfigureAwait(false);
        if (output.Exit != 0)
            throw GitFailure.Of(output, Call("update-ref"));
    }

    /// <summary>Deletes a reference that is where it was seen. One that is another name of a branch goes itself, and the branch stays.</summary>
    public async Task<bool> DeleteAsync(string reference, string from, CancellationToken cancellation)
    {
        PlantedLinks.RefuseReference(CommonDirectory, reference);
        var output = await TryAsync(Call("update-ref", "--no-deref", "-d", reference, from), cancellation).ConfigureAwait(false);
        if (output.Exit == 0)
            return true;
        if (await CommitOfAsync(reference, cancellation).ConfigureAwait(false) != from)
            return false;
        throw GitFailure.Of(output, Call("update-ref"));
    }

    /// <summary>Whether a reference is another name of one.</summary>
    public async Task<bool> IsSymbolicAsync(string reference, CancellationToken cancellation) =>
        (await RunAsync(Call("symbolic-ref", "--quiet", reference) with { IsRead = true, Exits = [1] }, cancellation).ConfigureAwait(false)).Exit == 0;
}

/// <summary>A branch and the commit that it was at.</summary>
internal sealed record BaseTip(string Name, string Commit)
{
    public string Reference => $"refs/heads/{Name}";
}
