using System.Diagnostics;
using System.Globalization;
using System.Text;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Workspaces;

/// <summary>
/// Git is killed at random moments with the daemon that started it: after a random time, or at its first write to a file, or at the first that
/// makes a file longer than 512 bytes. Another daemon puts things in order and does the same operation again.
/// </summary>
[NotInParallel]
public sealed class KilledGitTests
{
    private const int Kills = 200;
    private const int Lanes = 4;
    private const int Seed = 20_261_127;

    [Test]
    public async Task Two_hundred_kills_lose_nothing()
    {
        Console.WriteLine($"seed {Seed}");
        var watch = Stopwatch.StartNew();
        var lanes = await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => RunAsync(Seed + lane)));
        var all = lanes.SelectMany(kills => kills).GroupBy(kill => kill.Key, kill => kill.Value).Select(kills => $"{kills.Key} {kills.Sum()}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{lanes.Sum(kills => kills.Values.Sum())} kills in {watch.Elapsed.TotalSeconds:F1} s: {string.Join(", ", all)}"));
    }

    private static async Task<IReadOnlyDictionary<string, int>> RunAsync(int seed)
    {
        using var lane = new KillingLane(seed);
        return await lane.RunAsync(Kills / Lanes);
    }
}

/// <summary>A repository of its own, in which one task after another is done and killed.</summary>
internal sealed class KillingLane(int seed) : IDisposable
{
    private static readonly string[] Operations = ["create", "collect", "land", "remove"];

    private readonly GitFixture _fixture = new();
    private readonly Random _random = new(seed);
    private readonly Dictionary<string, int> _calls = Operations.ToDictionary(name => name, _ => 12);
    private readonly Dictionary<string, int> _kills = Operations.ToDictionary(name => name, _ => 0);

    private string Plan => Path.Combine(_fixture.Path_, "plan");

    private string GitDirectory => Path.Combine(_fixture.Repo, ".git");

    public void Dispose() => _fixture.Dispose();

    /// <returns>How often each operation was killed.</returns>
    public async Task<IReadOnlyDictionary<string, int>> RunAsync(int kills)
    {
        await _fixture.Init();
        for (var number = 1; _kills.Values.Sum() < kills; number++)
            await Cycle(number);
        return _kills;
    }

    /// <summary>One task's way, with a kill in each operation.</summary>
    private async Task Cycle(int number)
    {
        var request = await GitFixture.Request(await _fixture.Repository(), number);
        Worktree? tree = null;
        await Killed("create", async git => tree = await new Worktrees(git).OpenAsync(await git.OpenAsync(_fixture.Repo, GitFixture.Token), request, GitFixture.Token));
        await _fixture.Sh($"echo {number} >f{number}; git add .; git commit -q -m own; echo {number} >g{number}; seq {number * 200} >seq", tree!.Path);

        Collected? collected = null;
        await Killed("collect", async git => collected = await new Changes(git).CollectAsync(await git.OpenAsync(_fixture.Repo, GitFixture.Token), tree, request, "Fix", GitFixture.Token));
        (await _fixture.Sh($"git cat-file -e {request.Branch}:f{number}; git cat-file -e {request.Branch}:g{number}; git rev-parse {request.Branch}", _fixture.Repo)).ShouldBe(collected!.After);

        var (old, mode) = (Main(), (MergeMode)_random.Next(3));
        Core.Workspaces.Landing? landing = null;
        await Killed(
            "land",
            async git => landing = await new Merging(git).LandAsync(_fixture.Repo, new LandRequest(number, "Fix", request.Branch, null, mode), (_, _) => Task.FromResult(true), GitFixture.Token),
            async () =>
            {
                (await _fixture.Sh("git status --porcelain", _fixture.Repo)).ShouldBe("");
                if (Main() != old)
                    await _fixture.Sh($"git diff --quiet main {request.Branch}", _fixture.Repo);
            });
        landing!.State.ShouldBe(Main() == landing.Commit && landing.Commit != old && landing.State == LandState.Landed ? LandState.Landed : LandState.Empty);
        (await _fixture.Sh($"git status --porcelain; git diff --stat main {request.Branch}; git merge-base --is-ancestor {old} main; cat f{number} g{number}", _fixture.Repo)).ShouldBe($"{number}\n{number}");

        var leftover = Path.Combine(tree.Path, "late");
        await File.WriteAllTextAsync(leftover, "late");
        await Killed("remove", async git => await new Worktrees(git).RemoveAsync(await git.OpenAsync(_fixture.Repo, GitFixture.Token), request, force: true, GitFixture.Token));
        Directory.Exists(tree.Path).ShouldBeFalse();
        var parked = Directory.EnumerateFiles(Path.Combine(GitDirectory, "refs", "colibri", "parked"), $"{number}-*").ToList();
        parked.ShouldNotBeEmpty();
        await _fixture.Sh(string.Join('\n', parked.Select(path => $"git cat-file -e $(cat '{path}'):late && found=1")) + "\n[ $found = 1 ]", _fixture.Repo);
        Directory.EnumerateFileSystemEntries(Path.Combine(GitDirectory, "worktrees")).ShouldBeEmpty();
    }

    /// <summary>Does an operation by a daemon that is killed with its git, and again by the next one.</summary>
    private async Task Killed(string name, Func<WorkspaceGit, Task> operation, Func<Task>? between = null)
    {
        var left = _random.Next(_calls[name]);
        var how = _random.Next(3) switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"time {_random.Next(5, 60) / 10_000.0:F4}"),
            1 => "size 0",
            _ => "size 1",
        };
        await File.WriteAllTextAsync(Plan, $"{left} {how}\n");
        var isKilled = false;
        WorkspaceGit? git = null;
        var runner = new GitRunner(SharedChildren.Instance, Wrapper, TimeProvider.System, _fixture.Logger)
        {
            Surroundings = Shell.Environment([$"HOME={_fixture.Home}"]),
            AtEnd = exit =>
            {
                if (exit.Signal is null)
                    return;
                isKilled = true;
                git!.Stop();
                throw new KilledException();
            },
        };
        git = new WorkspaceGit(runner, _fixture.State, TimeProvider.System, _fixture.Logger);
        string? failure = null;
        try
        {
            await operation(git);
        }
        catch (KilledException)
        {
        }
        catch (GitException e)
        {
            // A program that git had started was killed.
            (failure, isKilled) = (e.Message, true);
        }
        if (File.Exists(Plan))
        {
            // There were fewer calls than that.
            _calls[name] = Math.Max(1, left - int.Parse((await File.ReadAllTextAsync(Plan)).Split(' ')[0], CultureInfo.InvariantCulture));
            File.Delete(Plan);
        }
        _kills[name] += isKilled ? 1 : 0;
        var what = $"{name}, {how} at call {left}, {_kills.Values.Sum()} kills with seed {seed}{(failure is null ? "" : $": {failure}")}";
        try
        {
            _fixture.Open();
            await _fixture.Trees.SweepScratchAsync(GitFixture.Token);
            await new BaseMover(_fixture.Git).RecoverAsync(GitFixture.Token);
            foreach (var state in await _fixture.Trees.SweepAsync(await _fixture.Repository(), "site", _ => false, GitFixture.Token))
                state.ShouldSatisfyAllConditions(() => state.IsOnDisk.ShouldBeTrue(), () => state.GitDirectory.ShouldNotBeNull(), () => state.IsHalfMade.ShouldBeFalse());
            Locks().ShouldBeEmpty();
            if (between is not null)
                await between();
            await operation(_fixture.Git);
            Locks().ShouldBeEmpty();
            Leftovers().ShouldBeEmpty();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException($"{what}: {e.Message}", e);
        }
    }

    /// <summary>Lock files, but for the one that says that a tree is in use.</summary>
    private List<string> Locks() => [.. Directory.EnumerateFiles(GitDirectory, "*.lock", SearchOption.AllDirectories)];

    /// <summary>What is in the way of nothing, and should not be there all the same.</summary>
    private List<string> Leftovers() =>
    [
        .. Directory.EnumerateFileSystemEntries(_fixture.Git.Trees).Where(path => Path.GetFileName(path) is not "site" and not ".scratch"),
        .. Directory.Exists(_fixture.Git.Scratch) ? Directory.EnumerateFileSystemEntries(_fixture.Git.Scratch) : [],
        .. Directory.EnumerateDirectories(Path.Combine(GitDirectory, "worktrees")).Where(path => !File.Exists(Path.Combine(path, "gitdir"))),
    ];

    private string Main() => File.ReadAllText(Path.Combine(GitDirectory, "refs", "heads", "main")).Trim();

    /// <summary>Git behind a script that counts calls, and has one of them killed as the plan says.</summary>
    private string Wrapper()
    {
        var path = Path.Combine(_fixture.Path_, "killing-git");
        if (File.Exists(path))
            return path;
        File.WriteAllText(path, $$"""
            #!/bin/sh
            if [ "$1" != version ] && read n how much <'{{Plan}}' 2>/dev/null; then
                if [ "$n" -gt 0 ]; then
                    echo "$((n - 1)) $how $much" >'{{Plan}}'
                    exec git "$@"
                fi
                rm '{{Plan}}'
                if [ "$how" = time ]; then exec timeout -s KILL "$much" git "$@"; fi
                ulimit -c 0
                ulimit -f "$much"
            fi
            exec git "$@"

            """, new UTF8Encoding(false));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    private sealed class KilledException : Exception;
}
