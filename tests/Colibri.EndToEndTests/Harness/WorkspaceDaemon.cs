using System.Text.Json;

namespace Colibri.EndToEndTests.Harness;

/// <summary>A daemon with one workspace, and agents that are a shell script before they are the test agent.</summary>
internal sealed class WorkspaceDaemon : IAsyncDisposable
{
    private readonly TempDirectory _root = new();

    private WorkspaceDaemon(GitRepository repository, ColibriDaemon daemon, TempDirectory root) => (Repository, Daemon, _root) = (repository, daemon, root);

    public GitRepository Repository { get; }

    public ColibriDaemon Daemon { get; }

    /// <summary>A folder beside the repository.</summary>
    public string Outside => _root.Path;

    /// <summary>Where a task's tree is.</summary>
    public IReadOnlyList<string> Trees => Directory.Exists(Path.Combine(Daemon.DirectoryPath, "trees", "site"))
        ? Directory.GetDirectories(Path.Combine(Daemon.DirectoryPath, "trees", "site")) : [];

    /// <param name="script">What the agent does; its prompt is <c>$prompt</c>. Then it says that it is done.</param>
    /// <param name="workspace">Further lines of the workspace.</param>
    /// <param name="more">Further sections of the file.</param>
    /// <param name="environment">Of the daemon.</param>
    public static Task<WorkspaceDaemon> StartAsync(string script, string workspace = "", string more = "", params (string Name, string? Value)[] environment) =>
        StartAsync(script, workspace, profile: "", more, environment);

    /// <param name="script">What the agent does; its prompt is <c>$prompt</c>. Then it says that it is done.</param>
    /// <param name="workspace">Further lines of the workspace.</param>
    /// <param name="profile">Further lines of the profile, pi.</param>
    /// <param name="more">Further sections of the file.</param>
    /// <param name="environment">Of the daemon.</param>
    public static async Task<WorkspaceDaemon> StartAsync(
        string script, string workspace, string profile, string more = "", IReadOnlyList<(string Name, string? Value)>? environment = null)
    {
        var root = new TempDirectory();
        try
        {
            var repository = await GitRepository.CreateAsync(root.File("site"));
            await File.WriteAllTextAsync(root.File("agent.sh"), $"""
                #!/bin/sh
                for prompt; do :; done
                {script}
                exec {Harness.Repository.TestAgent} --turns 1 "$@"
                """);
            File.SetUnixFileMode(root.File("agent.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
                [agents.pi]
                kind = "pi"
                binary = "{root.File("agent.sh")}"
                {profile}

                [workspaces.site]
                path = "{repository.Path}"
                base = "main"
                {workspace}

                {more.Replace("ROOT", root.Path, StringComparison.Ordinal)}
                """);
            return new WorkspaceDaemon(repository, await ColibriDaemon.StartAsync([("COLIBRI_CONFIG", root.File("colibri.toml")), .. environment ?? []]), root);
        }
        catch
        {
            root.Dispose();
            throw;
        }
    }

    /// <summary>Makes a task and waits until it is over.</summary>
    public async Task<JsonElement> RunAsync(object task, string status, TimeSpan? patience = null)
    {
        await using var client = await Daemon.ConnectAsync();
        return await client.TaskEndedAsync((await client.DataAsync(task)).Text("id"), status, patience);
    }

    public async ValueTask DisposeAsync()
    {
        await Daemon.DisposeAsync();
        _root.Dispose();
    }
}
