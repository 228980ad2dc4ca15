using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Refuses symbolic links where git would write through them to what lies outside of the repository. Git itself follows them within its own
/// directory, where agents may write.
/// </summary>
internal static class PlantedLinks
{
    // gitrepository-layout(5)
    private const string CommonDirectory = "commondir";
    private const string AboveWorktrees = "../..";

    private static readonly string[] Parts = ["HEAD", "config", "refs", "refs/heads", "refs/colibri", "refs/colibri/parked", "logs", "logs/HEAD", "logs/refs", "logs/refs/heads", "worktrees", "index", "info", "packed-refs", "ORIG_HEAD", "config.worktree", "shallow"];

    /// <summary>Looks at the fixed parts of a repository and at the directories of its objects.</summary>
    /// <exception cref="GitException">One is a link.</exception>
    public static void Refuse(string common)
    {
        // A bare repository may be named by a link of its owner's.
        if (Path.GetFileName(common) == ".git")
            Refuse(common, "");
        foreach (var part in Parts)
            Refuse(common, part);
        // Git's references follow this file whatever the environment says.
        if (!FileLook.AtName(Path.Combine(common, CommonDirectory)).IsMissing)
            throw new GitException(GitFailureKind.Planted, $"{common} has a file `{CommonDirectory}`, which sends git to another repository: look at it, and remove it");
        Refuse(common, "objects");
        try
        {
            foreach (var entry in new DirectoryInfo(Path.Combine(common, "objects")).EnumerateFileSystemInfos())
            {
                if (entry.LinkTarget is not null)
                    throw Planted(entry.FullName);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitException(e is UnauthorizedAccessException ? GitFailureKind.PermissionDenied : GitFailureKind.Corrupt, $"{common} cannot be read: {e.Message}");
        }
    }

    /// <summary>Looks for pipes in the place of fixed parts, before git opens any of them.</summary>
    /// <exception cref="GitException">One is there.</exception>
    public static void RefusePipes(string directory)
    {
        foreach (var part in Parts)
            RefusePipe(Path.Combine(directory, part));
    }

    /// <summary>Looks at every step to a reference and to its log.</summary>
    /// <exception cref="GitException">One is a link.</exception>
    public static void RefuseReference(string common, string reference)
    {
        foreach (var top in (ReadOnlySpan<string>)["", "logs/"])
        {
            for (var end = reference.IndexOf('/', StringComparison.Ordinal); end >= 0; end = reference.IndexOf('/', end + 1))
                Refuse(common, top + reference[..end]);
            Refuse(common, top + reference);
        }
    }

    /// <summary>Looks at the files of a worktree's directory that git writes, and puts right the one that says which repository it belongs to.</summary>
    /// <exception cref="GitException">One is a link.</exception>
    public static void RefuseTree(string gitDirectory)
    {
        foreach (var part in (ReadOnlySpan<string>)["", "HEAD", "index", "logs", "logs/HEAD", "gitdir", "commondir", "locked", "ORIG_HEAD", "refs", "config.worktree"])
            Refuse(gitDirectory, part);
        if (Path.GetFileName(Path.GetDirectoryName(gitDirectory)) != "worktrees" || Repository.ReadLinkFile(Path.Combine(gitDirectory, CommonDirectory)) is AboveWorktrees)
            return;
        File.Delete(Path.Combine(gitDirectory, CommonDirectory));
        using var file = new StreamWriter(new FileStream(Path.Combine(gitDirectory, CommonDirectory), FileMode.CreateNew, FileAccess.Write));
        file.Write(AboveWorktrees + '\n');
    }

    /// <summary>Looks at a name itself.</summary>
    /// <exception cref="GitException">It is a link.</exception>
    public static void RefuseName(string path) => Refuse(path, "");

    private static void Refuse(string directory, string part)
    {
        var path = part.Length == 0 ? directory : Path.Combine(directory, part);
        if (FileLook.AtName(path).IsLink)
            throw Planted(path);
        RefusePipe(path);
    }

    private static void RefusePipe(string path)
    {
        if (FileLook.At(path) is { Identity: not null, IsRegular: false, IsDirectory: false } look)
            throw new GitException(GitFailureKind.Planted, $"{path} is {look.Kind}, and git would wait for it: rm {GitFailure.Quoted(path)}, and put the file itself there");
    }

    private static GitException Planted(string path) =>
        new(GitFailureKind.Planted, $"{path} is a symbolic link, and git would write where it points to: look at it, and put the file itself there");
}
