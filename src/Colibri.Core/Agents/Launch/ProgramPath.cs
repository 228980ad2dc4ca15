using Colibri.Posix.Host;

namespace Colibri.Core.Agents.Launch;

/// <summary>Finds the program of a bare name: in PATH, and then in well-known places, because a service's PATH is short.</summary>
public sealed class ProgramPath
{
    private static readonly string[] WellKnown =
        ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

    private readonly string[] _directories;

    /// <param name="path">The daemon's own PATH, searched first.</param>
    /// <param name="home">The daemon's user's home, for <c>~/.local/bin</c> and <c>~/bin</c>; null where it has none.</param>
    /// <param name="programDirectory">Where the daemon itself lies, searched last.</param>
    public ProgramPath(string? path, string? home, string programDirectory)
    {
        var own = (path ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(p => p.StartsWith('/'));
        IEnumerable<string> homes = home is { Length: > 0 } ? [Path.Combine(home, ".local/bin"), Path.Combine(home, "bin")] : [];
        _directories = [.. own.Concat(WellKnown).Concat(homes).Append(programDirectory.TrimEnd('/')).Distinct(StringComparer.Ordinal)];
    }

    public IReadOnlyList<string> Directories => _directories;

    /// <summary>
    /// The absolute path to start, or null if there is no such executable file. An entry that cannot be examined (a dangling link, say) is
    /// skipped, and the search goes on in the next directory.
    /// </summary>
    public string? Find(string program)
    {
        if (program.Contains('/'))
            return program.StartsWith('/') && ProgramFile.IsExecutable(program) ? program : null;
        foreach (var directory in _directories)
        {
            var candidate = Path.Combine(directory, program);
            if (ProgramFile.IsExecutable(candidate))
                return candidate;
        }
        return null;
    }

    /// <summary>
    /// What is there of that name or path and cannot be executed, where <see cref="Find"/> finds nothing: a file without its x bit, on a mount
    /// that forbids it, or behind a directory that may not be entered. A start of it fails and says why. Null where nothing is there.
    /// </summary>
    public string? FindUnusable(string program)
    {
        if (program.Contains('\0') || program.Length == 0 || Find(program) is not null)
            return null;
        return program.Contains('/')
            ? program.StartsWith('/') && IsUnusable(program) ? program : null
            : _directories.Select(directory => Path.Combine(directory, program)).FirstOrDefault(IsUnusable);
    }

    /// <summary>Why <see cref="Find"/> finds nothing, as the end of a sentence; null where nothing of that name or path is there.</summary>
    public string? WhyNot(string program) => FindUnusable(program) is { } path ? $"{path}: {ProgramFile.WhyNot(path)}" : null;

    private static bool IsUnusable(string path) => ProgramFile.MayBeProgram(path) && ProgramFile.WhyNot(path) is not null;
}
