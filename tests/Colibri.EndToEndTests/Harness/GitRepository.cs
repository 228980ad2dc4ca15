namespace Colibri.EndToEndTests.Harness;

/// <summary>A git repository with one commit, and git as a person would type it, without the machine's own configuration.</summary>
internal sealed class GitRepository
{
    private GitRepository(string path) => Path = path;

    public string Path { get; }

    public static async Task<GitRepository> CreateAsync(string path)
    {
        var repository = new GitRepository(Directory.CreateDirectory(path).FullName);
        await repository.GitAsync("init", "--quiet", "--initial-branch=main");
        await repository.GitAsync("config", "user.name", "A Person");
        await repository.GitAsync("config", "user.email", "person@example.org");
        await repository.CommitAsync("README", "hello\n", "start");
        return repository;
    }

    public async Task CommitAsync(string file, string text, string message)
    {
        await File.WriteAllTextAsync(System.IO.Path.Combine(Path, file), text);
        await GitAsync("add", "--", file);
        await GitAsync("commit", "--quiet", "--message", message);
    }

    /// <summary>Its output without the last newline. A git that fails fails the test.</summary>
    public async Task<string> GitAsync(params string[] arguments)
    {
        var done = await TryGitAsync(arguments);
        return done.ExitCode == 0 ? done.Stdout.TrimEnd('\n') : throw new InvalidOperationException($"git {string.Join(' ', arguments)}: {done}");
    }

    public Task<Finished> TryGitAsync(params string[] arguments) => Launch.ToEndAsync(
        "/usr/bin/env", ["git", "-C", Path, .. arguments], new Dictionary<string, string?> { ["HOME"] = Path, ["GIT_CONFIG_GLOBAL"] = "/dev/null", ["GIT_CONFIG_SYSTEM"] = "/dev/null" });

    /// <summary>What a checkout is: its commit and all that differs from it.</summary>
    public async Task<string> StateAsync() => $"{await GitAsync("rev-parse", "HEAD")}\n{await GitAsync("status", "--porcelain", "--ignored")}";

    /// <summary>The files of a commit.</summary>
    public async Task<string[]> FilesAsync(string commit) => (await GitAsync("ls-tree", "-r", "--name-only", commit)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
