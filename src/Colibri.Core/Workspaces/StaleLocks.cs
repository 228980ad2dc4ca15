using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Lock files of git that nobody will remove, because the git that made them was killed. A sequence of calls has a journal in the trees'
/// directory, and a lock that is no older than the journal of a killed sequence is taken for one of that sequence. Both times are the file system's.
/// </summary>
internal static class StaleLocks
{
    private const string Suffix = ".sequence";
    private const string LockSuffix = ".lock";

    private static readonly string[] OfRepository = ["HEAD.lock", "index.lock", "packed-refs.lock", "ORIG_HEAD.lock"];

    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    /// <summary>Writes down that a sequence of calls begins.</summary>
    /// <returns>Its journal, which goes at its end.</returns>
    public static string Begin(string trees, string common)
    {
        var journal = Path.Combine(trees, $".{Guid.NewGuid():N}{Suffix}");
        File.WriteAllText(journal, common);
        return journal;
    }

    /// <summary>Removes the locks of sequences that a killed daemon left. Only at the start, before any call.</summary>
    public static void Sweep(string trees)
    {
        foreach (var journal in Directory.EnumerateFiles(trees, $".*{Suffix}"))
        {
            if (Repository.ReadLinkFile(journal) is { } common && Path.IsPathRooted(common))
                Remove(common, journal);
            File.Delete(journal);
        }
    }

    /// <summary>Removes the locks in a repository that are no older than a journal.</summary>
    public static void Remove(string common, string journal)
    {
        var since = File.GetLastWriteTimeUtc(journal);
        foreach (var path in In(common).Where(path => FileLook.AtName(path).IsRegular && File.GetLastWriteTimeUtc(path) >= since).ToList())
            File.Delete(path);
    }

    private static IEnumerable<string> In(string common)
    {
        foreach (var name in OfRepository)
            yield return Path.Combine(common, name);
        var references = Path.Combine(common, "refs");
        if (FileLook.AtName(references).IsDirectory)
        {
            foreach (var path in Directory.EnumerateFiles(references, $"*{LockSuffix}", Below))
                yield return path;
        }
        var worktrees = Path.Combine(common, "worktrees");
        if (!FileLook.AtName(worktrees).IsDirectory)
            yield break;
        foreach (var gitDirectory in Directory.EnumerateDirectories(worktrees).Where(path => FileLook.AtName(path).IsDirectory))
        {
            foreach (var name in OfRepository)
                yield return Path.Combine(gitDirectory, name);
        }
    }
}
