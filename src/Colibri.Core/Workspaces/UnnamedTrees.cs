using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Directories in a repository that git had begun for a worktree when it was killed, before it wrote which tree they are of. Git's own
/// <c>worktree prune</c> leaves them, because it writes their lock first.
/// </summary>
internal static class UnnamedTrees
{
    // A Guid without dashes.
    private const int GuidLength = 32;

    /// <summary>Removes those that were begun for a tree.</summary>
    public static Task RemoveAsync(GitRunner runner, Repository repository, string path, CancellationToken cancellation)
    {
        // Git names the directory like the tree, with a number behind it where that is taken.
        var begun = Path.GetFileName(path);
        return RemoveAsync(runner, repository, name => name.StartsWith(begun, StringComparison.Ordinal) && name.Skip(begun.Length).All(char.IsAsciiDigit), cancellation);
    }

    /// <summary>Removes those that were begun for landings. Only where none is under way.</summary>
    public static Task RemoveLandingsAsync(GitRunner runner, Repository repository, CancellationToken cancellation)
    {
        const string Begin = $"{Merging.Scratch}-";
        return RemoveAsync(
            runner, repository, name => name.StartsWith(Begin, StringComparison.Ordinal) && name.Length >= Begin.Length + GuidLength && name.Skip(Begin.Length).All(char.IsAsciiHexDigitLower), cancellation);
    }

    private static async Task RemoveAsync(GitRunner runner, Repository repository, Predicate<string> isOurs, CancellationToken cancellation)
    {
        var worktrees = Path.Combine(repository.CommonDirectory, "worktrees");
        if (!FileLook.AtName(worktrees).IsDirectory)
            return;
        foreach (var path in Directory.EnumerateDirectories(worktrees).Where(path => isOurs(Path.GetFileName(path)) && IsUnnamed(path)).ToList())
            await runner.RemoveDirectoryAsync(path, cancellation).ConfigureAwait(false);
    }

    // Git writes HEAD after the tree's name.
    private static bool IsUnnamed(string gitDirectory) =>
        FileLook.AtName(gitDirectory).IsDirectory && FileLook.AtName(Path.Combine(gitDirectory, "HEAD")).IsMissing && Repository.ReadLinkFile(Path.Combine(gitDirectory, "gitdir")) is null or "";
}
