namespace Colibri.EndToEndTests.Harness;

/// <summary>Where the things under test are: the repository's own files and the published executables.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Daemon => Binary("colibri-daemon");
    public static string Cli => Binary("colibri");
    public static string TestAgent => Binary("colibri-test-agent");

    public static string Recording(string name)
    {
        var path = Path.Combine(Root, "tests", "recordings", name + ".jsonl");
        return File.Exists(path) ? path : throw new InvalidOperationException($"no recording at {path}");
    }

    /// <summary>A missing executable fails the test: skipping would let a broken build pass.</summary>
    public static string Binary(string name)
    {
        var directory = Environment.GetEnvironmentVariable("COLIBRI_BIN_DIR") is { Length: > 0 } named ? named : Path.Combine(Root, "dist");
        var path = Path.GetFullPath(Path.Combine(directory, name));
        return File.Exists(path)
            ? path
            : throw new InvalidOperationException($"no {name} in {directory} (try: scripts/build.sh, or set COLIBRI_BIN_DIR)");
    }

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "colibri.slnx")))
                return directory.FullName;
        throw new InvalidOperationException($"no colibri.slnx above {AppContext.BaseDirectory}");
    }
}
