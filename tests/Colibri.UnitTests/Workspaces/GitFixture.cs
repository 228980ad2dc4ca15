using Colibri.Core.Workspaces;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Workspaces;

/// <summary>A directory with a home of its own, repositories made by the real git, and the product's work on them.</summary>
internal sealed class GitFixture : IDisposable
{
    public const string Name = "Colibri Tester";

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-git-").FullName;

    public GitFixture()
    {
        Home = Path.Combine(_directory, "home");
        Directory.CreateDirectory(Home);
        File.WriteAllText(Path.Combine(Home, ".gitconfig"), $"[user]\n\tname = {Name}\n\temail = tester@example.org\n[init]\n\tdefaultBranch = main\n");
        Git = Open();
    }

    public string Home { get; }

    public string Path_ => _directory;

    public string State => Path.Combine(_directory, "state");

    /// <summary>The repository of most tests.</summary>
    public string Repo => Path.Combine(_directory, "repo");

    /// <summary>What a planted program would make.</summary>
    public string Canary => Path.Combine(_directory, "canary");

    public CollectingLogger Logger { get; } = new();

    public WorkspaceGit Git { get; private set; }

    public Worktrees Trees => new(Git);

    public Changes Changes => new(Git);

    public Merging Merging => new(Git);

    public static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    public GitRunner Runner(string? program = null, params string[] surroundings) =>
        new(SharedChildren.Instance, () => program ?? Find(), TimeProvider.System, Logger)
        {
            Surroundings = Shell.Environment([$"HOME={Home}", .. surroundings]),
        };

    /// <summary>Another daemon on the same directories.</summary>
    public WorkspaceGit Open(Action<string>? atStep = null) =>
        Git = new WorkspaceGit(Runner(), State, TimeProvider.System, Logger) { AtStep = atStep };

    public Task<Repository> Repository(string? path = null) => Git.OpenAsync(path ?? Repo, Token);

    /// <summary>Runs a script as a person would, and fails where it does.</summary>
    public async Task<string> Sh(string script, string? directory = null)
    {
        var (exit, output) = await Shell.Run(Shell.Options($"set -e\n{script}", $"HOME={Home}") with { WorkingDirectory = directory ?? _directory });
        exit.Code.ShouldBe(0, $"{script}: {output}");
        return output.TrimEnd('\n');
    }

    /// <summary>A repository with one commit on main, and its checkout.</summary>
    public async Task<Repository> Init()
    {
        await Sh($"git init -q '{Repo}'; cd '{Repo}'; printf 'one\\ntwo\\nthree\\n' >a.txt; git add .; git commit -q -m first");
        return await Repository();
    }

    public static async Task<TreeRequest> Request(Repository repository, long number = 12, string slug = "Fix the login", string workspace = "site") =>
        new(workspace, number, slug, BranchName.For("colibri/{number}-{slug}", number, BranchName.Slug(slug)), await repository.BaseAsync(null, Token));

    /// <summary>A tree in which a run worked, collected: a branch to land.</summary>
    public async Task<Collected> Work(string script, long number = 12)
    {
        var repository = await Repository();
        var request = await Request(repository, number);
        var tree = await Trees.OpenAsync(repository, request, Token);
        await Sh(script, tree.Path);
        repository = await Repository();
        var collected = await Changes.CollectAsync(repository, tree, request, "Fix the login", Token);
        await Trees.UnlockAsync(repository, tree, Token);
        return collected;
    }

    public void Dispose() => Shell.Run(Shell.Options($"chmod -R u+rwX '{_directory}'; rm -rf '{_directory}'")).GetAwaiter().GetResult();

    private static string? Find() =>
        new[] { "/usr/local/bin/git", "/usr/bin/git", "/bin/git" }.FirstOrDefault(File.Exists);
}
