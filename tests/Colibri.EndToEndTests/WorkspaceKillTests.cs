using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A daemon that is killed over and over while tasks are placed, worked on, checked and landed.</summary>
[NotInParallel]
public sealed class WorkspaceKillTests
{
    private const int Kills = 200;
    private const int TasksAtOnce = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    // Longer than a whole task takes.
    private static readonly TimeSpan LongestLife = TimeSpan.FromMilliseconds(600);

    [Test]
    public async Task Two_hundred_kills_lose_no_work_and_leave_nothing_behind()
    {
        var seed = Environment.TickCount;
        TestContext.Current!.Output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var root = new TempDirectory();
        var repository = await GitRepository.CreateAsync(root.File("site"));
        await File.WriteAllTextAsync(root.File("agent.sh"), $"""
            #!/bin/sh
            echo "$COLIBRI_TASK_ID" > "work-$COLIBRI_TASK_ID.txt"
            exec {Repository.TestAgent} --turns 1 "$@"
            """);
        File.SetUnixFileMode(root.File("agent.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.pi]
            kind = "pi"
            binary = "{root.File("agent.sh")}"

            [workspaces.site]
            path = "{repository.Path}"
            base = "main"
            setup = "echo ready > .git-ready; rm .git-ready"
            check = "ls work-*.txt"
            land = "auto"
            """);
        await using var daemon = ColibriDaemon.Prepared(
            ("COLIBRI_CONFIG", root.File("colibri.toml")), ("COLIBRI_MAX_INTERRUPTIONS", "100"), ("COLIBRI_MAX_AGENTS", "3"), ("COLIBRI_LOG_LEVEL", "info"));
        await daemon.StartedAsync();
        var ids = new List<string>();
        for (var kill = 0; kill < Kills; kill++)
        {
            await using (var client = await daemon.ConnectAsync())
            {
                var open = (await client.DataAsync(new { cmd = "status" })).Member("tasks") is var tasks ? tasks.Number("queued") + tasks.Number("claimed") + tasks.Number("started") : 0;
                for (; open < TasksAtOnce; open++)
                    ids.Add((await client.DataAsync(new { cmd = "create-task", title = $"piece {ids.Count}", workspace = "site" })).Text("id"));
            }
            // The moment of the kill is what is tried here.
            await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * LongestLife.TotalMilliseconds));
            await daemon.KillAsync();
            await daemon.StartAgainAsync();
        }

        await Eventually.HoldsAsync(async () => (await ChangesAsync(daemon, ids)).All(state => state == "landed"), () => $"every change has landed; the log:\n{daemon.Log}", Patience);

        (await repository.FilesAsync("main")).ShouldBe(["README", .. ids.Select(id => $"work-{id}.txt").Order(StringComparer.Ordinal)]);
        foreach (var id in ids)
            (await File.ReadAllTextAsync(Path.Combine(repository.Path, $"work-{id}.txt"))).ShouldBe($"{id}\n");
        (await repository.GitAsync("status", "--porcelain", "--ignored")).ShouldBeEmpty();
        (await repository.GitAsync("fsck", "--strict", "--no-dangling")).ShouldBeEmpty();
        await Eventually.HoldsAsync(async () => (await repository.GitAsync("worktree", "list")).Split('\n').Length == 1, () => "no worktree is left");
        (await repository.GitAsync("for-each-ref", "--format=%(refname)", "refs/heads/")).ShouldBe("refs/heads/main");
        Directory.GetFiles(Path.Combine(repository.Path, ".git"), "*.lock", SearchOption.AllDirectories).ShouldBeEmpty();
        Directory.GetFileSystemEntries(Path.Combine(daemon.DirectoryPath, "trees", "site")).ShouldBeEmpty();
        daemon.Descendants().ShouldBeEmpty();
        TestContext.Current!.Output.WriteLine($"{Kills} kills, {ids.Count} tasks");
    }

    private static async Task<IReadOnlyList<string>> ChangesAsync(ColibriDaemon daemon, List<string> ids)
    {
        await using var client = await daemon.ConnectAsync();
        var states = new List<string>();
        foreach (var id in ids)
        {
            var task = await client.DataAsync(new { cmd = "get-task", task_id = id });
            states.Add(task.Has("change") ? task.Member("change").Text("state") : task.Text("status"));
        }
        return states;
    }
}
