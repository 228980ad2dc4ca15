using Colibri.Core.Board;
using Colibri.Core.Landing;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Landing;

/// <summary>What becomes of changes, with the real git.</summary>
[NotInParallel]
public sealed class LandingDeskTests : IAsyncDisposable
{
    private readonly LandingFixture _fixture = new();

    [Before(Test)]
    public Task Init() => _fixture.Git.Init();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task A_change_lands_with_its_checkout_and_leaves_neither_branch_nor_tree()
    {
        var task = await _fixture.Done();
        var tree = await _fixture.TreeOf(task);
        Directory.Exists(tree).ShouldBeTrue();

        var (change, check) = await _fixture.Desk.LandAsync(task, isForced: false);

        (change.State, check).ShouldBe((ChangeState.Landed, null));
        (await _fixture.Get(task)).Change.ShouldBe(change);
        (await _fixture.InRepo("cat a.txt")).ShouldEndWith("four");
        (await _fixture.InRepo("git log -1 --format=%B")).ShouldContain($"Fix the login (#{task.Number})");
        (await _fixture.References()).ShouldBe(["refs/heads/main"]);
        Directory.Exists(tree).ShouldBeFalse();
    }

    [Test]
    public async Task A_landed_change_lands_once_whoever_asks_at_the_same_time()
    {
        var task = await _fixture.Done();

        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Outcome(() => _fixture.Desk.LandAsync(task, isForced: false))));

        both.Count(outcome => outcome is null).ShouldBe(1);
        both.ShouldContain($"the change of task {task.Number} is landed: there is nothing to land");
        (await _fixture.InRepo("git rev-list --count --first-parent main")).ShouldBe("2");
    }

    [Test]
    public async Task A_change_that_does_not_merge_is_in_conflict_and_its_base_is_as_it_was()
    {
        var task = await _fixture.Done("sed -i s/two/zwei/ a.txt");
        await _fixture.InRepo("sed -i s/two/deux/ a.txt; git commit -qam french");
        var before = await _fixture.InRepo("git rev-parse main");

        var (change, _) = await _fixture.Desk.LandAsync(task, isForced: false);

        (change.State, change.Conflicts!.ShouldHaveSingleItem()).ShouldBe((ChangeState.Conflict, "a.txt"));
        (await _fixture.InRepo("git rev-parse main; git status --porcelain")).ShouldBe(before);
        // A person solves it on the branch.
        await _fixture.InRepo($"git worktree add -q ../solve {change.Branch}; cd ../solve; git merge -q -X ours main; git worktree remove --force ../solve");
        (await _fixture.Desk.LandAsync(task, isForced: false)).Change.ShouldBe(change with { State = ChangeState.Landed, Conflicts = null });
    }

    [Test]
    public async Task A_check_that_fails_on_what_was_merged_leaves_the_base_as_it_was()
    {
        _fixture.Site = _fixture.Site with { Check = "echo seen; test ! -f b.txt || grep -q four a.txt && ! test -f b.txt" };
        var task = await _fixture.Done();
        await _fixture.InRepo("touch b.txt; git add .; git commit -qm b");
        var before = await _fixture.InRepo("git rev-parse main");

        var refused = await Should.ThrowAsync<LandingRefusedException>(() => _fixture.Desk.LandAsync(task, isForced: false));

        refused.Message.ShouldBe("the check failed on the merged result (exit code 1); main is as it was");
        refused.Check!.OutputTail.ShouldBe("seen\n");
        (await _fixture.InRepo("git rev-parse main")).ShouldBe(before);
        (await _fixture.Get(task)).Change!.State.ShouldBe(ChangeState.Open);
    }

    /// <summary>The check that the run met may be the mistake.</summary>
    [Test]
    public async Task The_workspaces_check_is_the_one_of_now_and_the_tasks_own_comes_first()
    {
        _fixture.Site = _fixture.Site with { Check = "tru" };
        var (claimed, own) = (await _fixture.Board.CreateAsync(new NewTask { Title = "a", Workspace = "site" }), await _fixture.Done("echo own >b.txt", check: "test -f b.txt"));
        var (agent, claim) = await _fixture.Claim(claimed);
        await _fixture.Board.EndRunAsync(new RunEnd
        {
            AgentId = agent,
            Claim = claim,
            AgentEnded = true,
            Ending = RunEnding.Done,
            Verdict = "done",
            Change = await _fixture.Work(claimed, "echo four >>a.txt"),
            Check = new TaskCheck("tru", new ProcessExit(Code: 127)),
        });
        _fixture.Site = _fixture.Site with { Check = "true" };

        (await _fixture.Desk.LandAsync(await _fixture.Get(claimed), isForced: false)).Check!.Command.ShouldBe("true");
        (await _fixture.Desk.LandAsync(own, isForced: false)).Check!.Command.ShouldBe("test -f b.txt");
    }

    [Test]
    public async Task Only_a_task_that_is_done_lands_without_force()
    {
        var task = await _fixture.Done(ending: RunEnding.Failed);

        (await Outcome(() => _fixture.Desk.LandAsync(task, isForced: false))).ShouldBe(
            $"task {task.Number} is failed (agent-error); land its change all the same with: colibri land {task.Number} --force");
        (await _fixture.Desk.LandAsync(task, isForced: true)).Change.State.ShouldBe(ChangeState.Landed);
    }

    [Test]
    public async Task A_workspace_whose_changes_stay_on_their_branches_lands_by_force_alone()
    {
        _fixture.Site = _fixture.Site with { Land = LandMode.Never };
        var task = await _fixture.Done();

        (await Outcome(() => _fixture.Desk.LandAsync(task, isForced: false))).ShouldBe(
            $"changes of workspace site stay on their branches (land = \"never\"); land this one all the same with: colibri land {task.Number} --force");
        (await _fixture.Desk.LandAsync(task, isForced: true)).Change.State.ShouldBe(ChangeState.Landed);
    }

    [Test]
    public async Task Nothing_is_done_while_a_run_is_at_work()
    {
        var task = await _fixture.Done();
        await _fixture.Board.RetryAsync(task.Id, null);
        await _fixture.Claim(task);
        var expected = $"a run is at work on task {task.Number}; wait for it, or: colibri cancel-task {task.Number}";

        (await Outcome(() => _fixture.Desk.LandAsync(task, isForced: true))).ShouldBe(expected);
        (await Outcome(async () => await _fixture.Desk.DiscardAsync(task, isForced: true))).ShouldBe(expected);
    }

    [Test]
    public async Task A_task_without_a_change_says_so()
    {
        var task = await _fixture.Board.CreateAsync(new NewTask { Title = "a" });

        var refused = await Should.ThrowAsync<LandingRefusedException>(() => _fixture.Desk.ShowAsync(task, 0));

        (refused.Message, refused.IsMissing).ShouldBe(($"task {task.Number} has no change: it works in no workspace", true));
    }

    /// <summary>A run that begins and ends during the landing's check leaves work that has not landed.</summary>
    [Test]
    public async Task What_a_run_adds_while_its_change_lands_stays_open()
    {
        var started = _fixture.Git.Path_ + "/started";
        _fixture.Site = _fixture.Site with { Check = $"touch '{started}'; while ! test -e '{started}.go'; do sleep 0.01; done" };
        var task = await _fixture.Done();
        var landing = Outcome(() => _fixture.Desk.LandAsync(task, isForced: false));
        Shell.Until(() => File.Exists(started), "the check runs");
        await _fixture.Board.RetryAsync(task.Id, null);

        var again = await _fixture.Again(task, "echo five >>a.txt");
        await File.WriteAllTextAsync(started + ".go", "");

        (await landing).ShouldBe($"task {task.Number} has changed meanwhile; look at it again");
        (await _fixture.InRepo("tail -n 1 a.txt")).ShouldBe("four");
        (await _fixture.Get(task)).Change.ShouldBe(again.Change);
        (await _fixture.References()).ShouldBe([$"refs/heads/{again.Change!.Branch}", "refs/heads/main"]);
        (await _fixture.Desk.LandAsync(task, isForced: false)).Change.State.ShouldBe(ChangeState.Landed);
        (await _fixture.InRepo("tail -n 1 a.txt")).ShouldBe("five");
    }

    [Test]
    public async Task A_stop_of_the_daemon_is_not_taken_for_a_failed_check()
    {
        var started = _fixture.Git.Path_ + "/started";
        _fixture.Site = _fixture.Site with { Check = $"touch '{started}'; exec sleep 300" };
        var task = await _fixture.Done();
        var before = await _fixture.InRepo("git rev-parse main");
        var landing = Outcome(() => _fixture.Desk.LandAsync(task, isForced: false));
        Shell.Until(() => File.Exists(started), "the check runs");

        await _fixture.Supervisor.Supervisor.StopAllAsync(TimeSpan.Zero);

        (await landing).ShouldBe("the daemon stopped while the merged result was checked; the base is as it was");
        (await _fixture.InRepo("git rev-parse main")).ShouldBe(before);
        (await _fixture.Get(task)).Change!.State.ShouldBe(ChangeState.Open);
    }

    /// <summary>The task may name no profile: what counts is who wrote what is checked.</summary>
    [Test]
    public async Task What_a_confined_agent_wrote_is_checked_in_its_confinement()
    {
        _fixture.Settings = _fixture.Settings with { Agents = [new ProfileSettings { Name = "jailed", Kind = "pi", Confine = new ConfineSettings { Path = "/nowhere/at/all" } }] };
        var canary = _fixture.Git.Canary;
        var task = await _fixture.Done(check: $"touch '{canary}'", profile: "jailed");

        (await Outcome(() => _fixture.Desk.LandAsync(task, isForced: false)))!.ShouldStartWith("the check could not be run: ");

        File.Exists(canary).ShouldBeFalse();
    }

    [Test]
    public async Task A_change_that_is_given_up_is_parked()
    {
        var task = await _fixture.Done();
        var tree = await _fixture.TreeOf(task);

        (await _fixture.Desk.DiscardAsync(task, isForced: false)).State.ShouldBe(ChangeState.Discarded);

        var references = await _fixture.References();
        references[0].ShouldStartWith($"refs/colibri/parked/{task.Number}-");
        references.Skip(1).ShouldBe(["refs/heads/main"]);
        (await _fixture.InRepo($"git rev-parse {references[0]}")).ShouldBe(task.Change!.Head);
        Directory.Exists(tree).ShouldBeFalse();
        (await Outcome(async () => await _fixture.Desk.DiscardAsync(task, isForced: false))).ShouldBe($"the change of task {task.Number} is discarded already");
    }

    [Test]
    public async Task Other_work_in_the_tree_is_in_the_way_and_is_parked_by_force()
    {
        var task = await _fixture.Done();
        var tree = await _fixture.TreeOf(task);
        await File.WriteAllTextAsync(Path.Combine(tree, "mine.txt"), "a person's\n");

        (await Outcome(async () => await _fixture.Desk.DiscardAsync(task, isForced: false)))!.ShouldEndWith($"; give it up all the same, parked, with: colibri discard {task.Number} --force");
        (File.Exists(Path.Combine(tree, "mine.txt")), (await _fixture.Get(task)).Change!.State).ShouldBe((true, ChangeState.Open));
        await _fixture.Desk.DiscardAsync(task, isForced: true);

        Directory.Exists(tree).ShouldBeFalse();
        (await _fixture.InRepo("for r in $(git for-each-ref --format='%(refname)' refs/colibri); do git show $r:mine.txt 2>/dev/null || :; done")).ShouldBe("a person's");
    }

    /// <summary>Else the task could neither be settled nor deleted.</summary>
    [Test]
    public async Task A_change_of_a_workspace_that_is_gone_can_be_given_up_and_keeps_its_branch()
    {
        var task = await _fixture.Done();
        _fixture.Settings = _fixture.Settings with { Workspaces = [] };

        (await Outcome(() => _fixture.Desk.LandAsync(task, isForced: false)))!.ShouldStartWith("there is no workspace site in the configuration any more");
        (await _fixture.Desk.DiscardAsync(task, isForced: false)).State.ShouldBe(ChangeState.Discarded);

        (await _fixture.References()).ShouldBe([$"refs/heads/{task.Change!.Branch}", "refs/heads/main"]);
        (await _fixture.Board.DeleteAsync(task.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
    }

    [Test]
    public async Task A_task_with_a_change_that_has_not_landed_does_not_move_to_another_workspace()
    {
        var task = await _fixture.Done();
        await _fixture.Board.RetryAsync(task.Id, null);

        var edited = await _fixture.Board.EditAsync(task.Id, new TaskEdit { Workspace = "shop" });

        (edited.Outcome, edited.Reason).ShouldBe(
            (EdgeOutcome.Conflict, $"task {task.Number} has a change in workspace site that has not landed; give it up before: colibri discard {task.Number}"));
        await _fixture.Desk.DiscardAsync(task, isForced: false);
        (await _fixture.Board.EditAsync(task.Id, new TaskEdit { Workspace = "shop" })).Outcome.ShouldBe(EdgeOutcome.Applied);
    }

    private static async Task<string?> Outcome(Func<Task> work)
    {
        try
        {
            await work();
            return null;
        }
        catch (LandingRefusedException e)
        {
            return e.Message;
        }
    }
}
