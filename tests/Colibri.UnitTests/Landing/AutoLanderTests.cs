using Colibri.Core.Board;
using Colibri.Core.Landing;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Landing;

/// <summary>Changes that land by themselves.</summary>
[NotInParallel]
public sealed class AutoLanderTests : IAsyncDisposable
{
    private readonly LandingFixture _fixture = new();
    private readonly FakeTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    [Before(Test)]
    public async Task Init()
    {
        await _fixture.Git.Init();
        _fixture.Site = _fixture.Site with { Land = LandMode.Auto };
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    public async Task What_is_done_lands_in_order_and_what_failed_waits()
    {
        var (first, failed, second) = (await _fixture.Done("echo 1 >1.txt"), await _fixture.Done("echo f >f.txt", RunEnding.Failed), await _fixture.Done("echo 2 >2.txt"));

        Start();

        Shell.Until(() => StateOf(second) == ChangeState.Landed, "the second has landed");
        (StateOf(first), StateOf(failed)).ShouldBe((ChangeState.Landed, ChangeState.Open));
        (await _fixture.InRepo("git log --first-parent --format=%s main")).Split('\n').Length.ShouldBe(3);
        (await _fixture.InRepo("git log --diff-filter=A --format= --name-only -m --first-parent main -- 1.txt 2.txt | grep .")).ShouldBe("2.txt\n1.txt");
    }

    /// <summary>What a killed daemon left there is not in order before.</summary>
    [Test]
    public async Task Nothing_lands_in_a_workspace_that_was_not_looked_at()
    {
        var task = await _fixture.Done();
        var lander = Start(isLookedAt: false);
        Shell.Until(() => _time.NextTimer is not null || _looks > 0, "it has looked");
        StateOf(task).ShouldBe(ChangeState.Open);

        Look();
        lander.Wake();

        Shell.Until(() => StateOf(task) == ChangeState.Landed, "it has landed");
    }

    [Test]
    public async Task There_is_one_try_for_each_head()
    {
        var tries = Path.Combine(_fixture.Git.Path_, "tries");
        _fixture.Site = _fixture.Site with { Check = $"echo x >>'{tries}'; test -f b.txt" };
        var task = await _fixture.Done();
        var lander = Start();
        Shell.Until(() => _fixture.Logger.Of(483).Count == 1, "it was tried");
        _fixture.Logger.Of(483)[0].ShouldContain($"the change of task {task.Number} waits in the inbox: the check failed on the merged result");

        lander.Wake();
        var other = await _fixture.Done("touch b.txt");
        lander.Wake();

        Shell.Until(() => StateOf(other) == ChangeState.Landed, "another has landed");
        StateOf(task).ShouldBe(ChangeState.Open);
        (await File.ReadAllLinesAsync(tries)).Length.ShouldBe(2);
        await _fixture.Board.RetryAsync(task.Id, null);
        await _fixture.Again(task, "echo b >>a.txt");
        lander.Wake();
        Shell.Until(() => StateOf(task) == ChangeState.Landed, "its next head has landed");
    }

    /// <summary>The change is of a run that has failed; what the claimant did is elsewhere.</summary>
    [Test]
    public async Task What_an_outside_claimant_has_done_lands_nothing()
    {
        var task = await _fixture.Done(ending: RunEnding.Failed);
        await _fixture.Board.RetryAsync(task.Id, null);
        await _fixture.Board.ClaimAsync(task.Id, "outside");
        await _fixture.Board.TransitionAsync(task.Id, TaskState.Started, null);
        await _fixture.Board.TransitionAsync(task.Id, TaskState.Done, null);

        _fixture.Desk.LandsByItself(await _fixture.Get(task)).ShouldBeFalse();
        _fixture.Desk.LandsByItself(await _fixture.Done("echo b >b.txt")).ShouldBeTrue();
    }

    [Test]
    public async Task Changes_of_other_workspaces_hide_none()
    {
        var task = await _fixture.Done();
        var board = new BoardReview(_fixture.Board);

        (await board.ToLandAsync(["site"], 1)).ShouldHaveSingleItem().Number.ShouldBe(task.Number);
        (await board.ToLandAsync(["shop"], 1)).ShouldBeEmpty();
    }

    private int _looks;

    private AutoLander Start(bool isLookedAt = true)
    {
        var lander = new AutoLander(_fixture.Board, _fixture.Desk, _fixture.Health, () => { _looks++; return _fixture.Settings; }, _time, _fixture.Logger);
        _fixture.Health.Mended += lander.Wake;
        if (isLookedAt)
            Look();
        _running = Task.WhenAll(_running, lander.RunAsync(_stop.Token));
        return lander;
    }

    private void Look()
    {
        _running = Task.WhenAll(_running, _fixture.Health.RunAsync(_stop.Token));
        Shell.Until(() => _fixture.Health.Why("site") is null, "the workspace is usable");
    }

    private ChangeState StateOf(BoardTask task) => _fixture.Get(task).GetAwaiter().GetResult().Change!.State;
}
