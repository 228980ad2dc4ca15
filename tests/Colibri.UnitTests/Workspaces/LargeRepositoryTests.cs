using System.Diagnostics;
using System.Globalization;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

/// <summary>What 100,000 files take. Run by hand: it writes a gigabyte.</summary>
[NotInParallel]
public sealed class LargeRepositoryTests : IDisposable
{
    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    [Explicit]
    public async Task A_hundred_thousand_files_stay_within_the_time_of_a_call()
    {
        await _fixture.Sh("git init -q repo; cd repo; for d in $(seq 1000); do mkdir d$d; for f in 0 1 2 3 4 5 6 7 8 9; do for g in 0 1 2 3 4 5 6 7 8 9; do echo $d $f $g >d$d/f$f$g; done; done; done; git add .; git commit -q -m large");
        var watch = Stopwatch.StartNew();
        var repository = await _fixture.Repository();
        var request = await GitFixture.Request(repository);
        await repository.RequireUsableAsync(request.Base, new WorkspaceSettings { Name = "site", Path = _fixture.Repo }, GitFixture.Token);
        Tell("open", watch);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        Tell("tree", watch);
        await _fixture.Sh("for d in $(seq 500); do echo more >>d$d/f00; done", tree.Path);
        watch.Restart();
        var collected = await _fixture.Changes.CollectAsync(repository, tree, request, "Large", GitFixture.Token);
        Tell("collect", watch);
        collected.Size.Files.ShouldBe(500);
        (await _fixture.Merging.LandAsync(_fixture.Repo, new LandRequest(12, "Large", request.Branch, null, MergeMode.Merge), (_, _) => Task.FromResult(true), GitFixture.Token)).State.ShouldBe(LandState.Landed);
        Tell("land", watch);
        await _fixture.Trees.UnlockAsync(repository, tree, GitFixture.Token);
        await _fixture.Trees.RemoveAsync(await _fixture.Repository(), request, force: false, GitFixture.Token);
        Tell("remove", watch);
        watch.Elapsed.ShouldBeLessThan(GitRunner.TreeTimeout);
    }

    private static void Tell(string what, Stopwatch watch)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {watch.Elapsed.TotalSeconds:F1} s"));
        watch.Restart();
    }
}
