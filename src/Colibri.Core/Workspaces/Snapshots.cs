using System.Globalization;
using System.Text;
using Colibri.Core.Logging;
using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Commits what lies in a working tree, with an index of our own. The tree's own index is the agent's: it may be locked, damaged, half merged
/// or told to overlook files.
/// </summary>
internal sealed class Snapshots(WorkspaceGit git)
{
    public const string ParkedPrefix = "refs/colibri/parked/";

    /// <summary>The most files that are taken out of repositories which an agent made within its tree.</summary>
    public const int MaxNestedFiles = 10_000;

    /// <summary>The most bytes of the names of files that differ.</summary>
    public const int MaxNames = 32 * 1024 * 1024;

    private const int MaxParkTries = 100;

    /// <summary>The commit of all that is in the tree and not ignored; null where that is just what its parent holds. No reference holds it yet.</summary>
    public async Task<string?> TakeAsync(Repository repository, Worktree tree, string parent, string message, CancellationToken cancellation)
    {
        if (await git.Runner.RemovePipesAsync(tree.Path, cancellation).ConfigureAwait(false) is { Count: > 0 } pipes)
            git.Logger.WorktreeSwept(tree.Path, $"git would wait for pipes in it ({string.Join(", ", pipes.Take(5))})");
        var index = git.NewScratch("index");
        try
        {
            // By the repository's own directory, so that nothing which the agent wrote into the worktree's has a say.
            GitCall Call(params IReadOnlyList<string> arguments) => repository.Call(arguments) with
            {
                Directory = tree.Path,
                WorkTree = tree.Path,
                IndexFile = index,
                Timeout = GitRunner.TreeTimeout,
                MaxOutput = MaxNames,
                What = $"git {arguments[0]} in {tree.Path}",
            };
            await ReadAsync(repository, Call, tree, index, parent, cancellation).ConfigureAwait(false);
            // Not by `git add`: that asks the git of each submodule, with a configuration of the submodule's own.
            var listed = await repository.RunAsync(Call("ls-files", "--modified", "--deleted", "--others", "--exclude-standard", "-z"), cancellation).ConfigureAwait(false);
            // Files that git cannot see would go with the tree.
            if (listed.Error.Contains("could not open directory", StringComparison.Ordinal))
            {
                throw new GitException(GitFailureKind.PermissionDenied,
                    $"{tree.Path} has a directory that {Environment.UserName} may not read, so its work cannot be taken: chmod -R u+rwX {GitFailure.Quoted(tree.Path)}");
            }
            var same = await UnchangedAsync(repository, Call, tree.Path, cancellation).ConfigureAwait(false);
            var (names, replaced) = NamesOf(listed, tree.Path, same);
            if (replaced.Length > 0)
                await repository.RunAsync(Call("update-index", "--force-remove", "-z", "--stdin") with { Input = replaced }, cancellation).ConfigureAwait(false);
            if (names.Length > 0)
                await repository.RunAsync(Call("update-index", "--add", "--remove", "--replace", "-z", "--stdin") with { Input = names }, cancellation).ConfigureAwait(false);
            var written = (await repository.RunAsync(Call("write-tree"), cancellation).ConfigureAwait(false)).Text;
            Keep(index, tree);
            if (written == await repository.TextAsync(cancellation, "rev-parse", $"{parent}^{{tree}}").ConfigureAwait(false))
                return null;
            return await CommitAsync(repository, written, [parent], message, cancellation).ConfigureAwait(false);
        }
        finally
        {
            if (!git.IsStopped)
            {
                File.Delete(index);
                File.Delete(index + ".lock");
            }
        }
    }

    /// <summary>
    /// Keeps the index of a tree that was made just now. It says of each file when it was last known to be as committed; without it every
    /// file would be read again, and a file whose line ends are not as its attributes want them would count as changed.
    /// </summary>
    public static void KeepFirst(Worktree tree) => Copy(Path.Combine(tree.GitDirectory, "index"), IndexOf(tree.Path));

    /// <summary>Where the index of a tree is kept.</summary>
    public static string IndexOf(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.index");

    /// <summary>Gives the tree the index that was kept of it, so that an agent which goes on there finds nothing changed.</summary>
    public static void GiveBack(Worktree tree)
    {
        var own = Path.Combine(tree.GitDirectory, "index");
        if (!File.Exists(IndexOf(tree.Path)))
            return;
        Copy(IndexOf(tree.Path), own + ".colibri");
        File.Move(own + ".colibri", own, overwrite: true);
        File.Delete(own + ".lock");
    }

    private void Keep(string index, Worktree tree)
    {
        if (Path.GetDirectoryName(Path.GetDirectoryName(tree.Path)) == git.Trees)
            File.Move(index, IndexOf(tree.Path), overwrite: true);
    }

    private static async Task ReadAsync(Repository repository, Func<string[], GitCall> call, Worktree tree, string index, string parent, CancellationToken cancellation)
    {
        if (FileLook.AtName(IndexOf(tree.Path)).IsRegular)
        {
            Copy(IndexOf(tree.Path), index);
            if ((await repository.TryAsync(call(["read-tree", "-m", parent]), cancellation).ConfigureAwait(false)).Exit == 0)
                return;
            File.Delete(index);
        }
        await repository.RunAsync(call(["read-tree", parent]), cancellation).ConfigureAwait(false);
    }

    // Keeps the time: git compares it with those of the files.
    private static void Copy(string from, string to)
    {
        File.Delete(to);
        File.Copy(from, to);
    }

    /// <summary>Makes a commit of a tree that is in the repository.</summary>
    public static async Task<string> CommitAsync(Repository repository, string tree, IReadOnlyList<string> parents, string message, CancellationToken cancellation) =>
        (await repository.RunAsync(
            repository.Call(["commit-tree", .. parents.SelectMany(parent => new[] { "-p", parent }), "-F", "-", tree]) with { Input = Encoding.UTF8.GetBytes(message) },
            cancellation).ConfigureAwait(false)).Text;

    /// <summary>Holds a commit under a name that nothing else has.</summary>
    /// <returns>The reference.</returns>
    public async Task<string> ParkAsync(Repository repository, long number, string commit, CancellationToken cancellation)
    {
        var held = await repository.ReferencesAsync(cancellation, ParkedPrefix).ConfigureAwait(false);
        var own = string.Create(CultureInfo.InvariantCulture, $"{ParkedPrefix}{number}-");
        if (held.FirstOrDefault(reference => reference.Value == commit && reference.Key.StartsWith(own, StringComparison.Ordinal)).Key is { } there)
            return there;
        var name = own + git.Time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        for (var i = 0; i < MaxParkTries; i++)
        {
            var reference = i == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
            if (await repository.MoveAsync(reference, commit, null, "colibri: parked", cancellation).ConfigureAwait(false))
            {
                git.Logger.WorkParked(number, reference, repository.Path);
                return reference;
            }
        }
        throw new GitException(GitFailureKind.Other, $"{name} and a hundred names behind it are taken in {repository.Path}");
    }

    /// <summary>What a commit of ours says: a title, the task's number, and the trailer by which it is found.</summary>
    public static string Message(string title, long number)
    {
        var line = string.Concat(title.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return string.Create(CultureInfo.InvariantCulture, $"{(line.Length == 0 ? "Work" : line)} (#{number})\n\nColibri-Task: {number}\n");
    }

    /// <summary>
    /// Files that git takes for changed although each holds just the bytes that are committed: their attributes want other line ends than they
    /// were committed with, and git would commit the difference at its next look.
    /// </summary>
    private static async Task<HashSet<string>> UnchangedAsync(Repository repository, Func<string[], GitCall> call, string path, CancellationToken cancellation)
    {
        var differing = await repository.RunAsync(call(["diff-files", "--ignore-submodules=all", "--diff-filter=M", "-z"]) with { IsRead = true }, cancellation).ConfigureAwait(false);
        var (names, ids, links) = (new List<string>(), new List<string>(), new LinkedDirectories(path));
        string? id = null;
        foreach (var field in differing.Fields())
        {
            var text = Encoding.UTF8.GetString(field.Span);
            if (id is null)
            {
                // :100644 100644 OLD NEW M
                id = text.Split(' ') is [_, _, var old, ..] ? old : "";
                continue;
            }
            // One name a line, and a quoted one where it begins with a quote.
            if (!text.Contains('\n', StringComparison.Ordinal) && text[0] != '"' && FileLook.AtName(Path.Combine(path, text)).IsRegular && !links.IsBelow(text))
            {
                names.Add(text);
                ids.Add(id);
            }
            id = null;
        }
        if (names.Count == 0)
            return [];
        var input = Encoding.UTF8.GetBytes(string.Join('\n', names) + '\n');
        var hashes = (await repository.RunAsync(call(["hash-object", "--no-filters", "--stdin-paths"]) with { Input = input }, cancellation).ConfigureAwait(false)).Text.Split('\n');
        return [.. names.Where((_, i) => i < hashes.Length && hashes[i] == ids[i])];
    }

    /// <summary>The names of what differs, and those of files in whose place there is a directory now. A directory that is a repository of its own is taken file by file.</summary>
    private static (byte[] Names, byte[] Replaced) NamesOf(GitOutput listed, string path, HashSet<string> same)
    {
        using var names = new MemoryStream();
        using var replaced = new MemoryStream();
        var nested = new List<string>();
        var links = new LinkedDirectories(path);
        foreach (var field in listed.Fields())
        {
            var text = Encoding.UTF8.GetString(field.Span);
            if (text.EndsWith('/'))
            {
                nested.Add(text[..^1]);
                continue;
            }
            if (same.Contains(text))
                continue;
            var into = IsGone(path, text, links) ? replaced : names;
            into.Write(field.Span);
            into.WriteByte(0);
        }
        AddFiles(names, path, nested);
        return (names.ToArray(), replaced.ToArray());
    }

    /// <summary>Something that git cannot commit is in its place: a directory that is no submodule, what lies behind a link, a pipe, a socket.</summary>
    private static bool IsGone(string top, string name, LinkedDirectories links)
    {
        var full = Path.Combine(top, name);
        var look = FileLook.AtName(full);
        if (links.IsBelow(name))
            return true;
        // A submodule is a directory with a .git.
        return look.IsDirectory ? FileLook.AtName(Path.Combine(full, ".git")).IsMissing : look is { Identity: not null, IsRegular: false, IsLink: false };
    }

    private static void AddFiles(MemoryStream names, string top, IReadOnlyList<string> directories)
    {
        var count = 0;
        var left = new Stack<string>(directories.Select(name => Path.Combine(top, name)));
        while (left.TryPop(out var directory))
        {
            if (!FileLook.AtName(directory).IsDirectory)
                throw new GitException(GitFailureKind.Other, $"{directory} cannot be looked into (is its name UTF-8?): look at it, and move it away");
            foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos())
            {
                if (string.Equals(entry.Name, ".git", StringComparison.OrdinalIgnoreCase))
                    continue;
                if (entry is DirectoryInfo && entry.LinkTarget is null)
                {
                    left.Push(entry.FullName);
                    continue;
                }
                var look = FileLook.AtName(entry.FullName);
                if (look.IsMissing)
                    throw new GitException(GitFailureKind.Other, $"{BranchName.Shown(entry.FullName)} in a repository that an agent made cannot be read (is its name UTF-8?): look at it, and move it away");
                if (!look.IsLink && !look.IsRegular)
                    continue;
                if (++count > MaxNestedFiles)
                    throw new GitException(GitFailureKind.TooLarge, $"repositories that an agent made in {top} have more than {MaxNestedFiles} files: look at {GitFailure.Quoted(directory)}, and move it away");
                names.Write(Encoding.UTF8.GetBytes(Path.GetRelativePath(top, entry.FullName)));
                names.WriteByte(0);
            }
        }
    }
}

/// <summary>Which names of a tree lie behind a directory that is a symbolic link by now. Git refuses to look there, and nothing outside is to be read.</summary>
internal sealed class LinkedDirectories(string top)
{
    private readonly Dictionary<string, bool> _known = new(StringComparer.Ordinal);

    public bool IsBelow(string name)
    {
        var end = name.LastIndexOf('/');
        if (end < 0)
            return false;
        var directory = name[..end];
        if (!_known.TryGetValue(directory, out var isBelow))
            _known[directory] = isBelow = IsBelow(directory) || FileLook.AtName(Path.Combine(top, directory)).IsLink;
        return isBelow;
    }
}
