using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Landing;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Landing;

/// <summary>What waits for a person, each kind as its parts bring it about.</summary>
[NotInParallel]
public sealed class InboxTests : IAsyncDisposable
{
    private static readonly WorkChange Change = new()
    {
        Workspace = "site",
        Branch = "colibri/1-a",
        Base = "b",
        Head = "h",
        Commits = 1,
        Files = 2,
        Insertions = 10,
        Deletions = 3,
        State = ChangeState.Open,
    };

    private LandingFixture? _fixture;

    private LandingFixture Fixture => _fixture ??= new LandingFixture();

    private SupervisorFixture Supervisor => Fixture.Supervisor;

    public async ValueTask DisposeAsync()
    {
        if (_fixture is not null)
            await _fixture.DisposeAsync();
    }

    private async Task<InboxReport> Read()
    {
        var engine = Supervisor.Engine;
        return await new Inbox(new InboxParts
        {
            Board = engine.Board,
            Supervisor = engine.Supervisor,
            Queue = engine.Queue,
            Router = engine.Router,
            Holds = engine.Holds,
            Pauses = engine.Pauses,
            Budgets = engine.Budgets,
            Disk = engine.Disk,
            Health = Fixture.Health,
            Secrets = Core.Providers.Secrets.None,
            Settings = () => Fixture.Settings,
            Time = TimeProvider.System,
        }).ReadAsync();
    }

    private async Task<InboxItem> Only()
    {
        var report = await Read();
        report.More.ShouldBeNull();
        return report.Items.ShouldHaveSingleItem();
    }

    private static (InboxKind, string, string) Of(InboxItem item) => (item.Kind, item.Message, string.Join(' ', item.Actions));

    [Test]
    public async Task Nothing_waits_on_a_board_of_tasks_that_are_done_or_go_on()
    {
        Supervisor.Engine.Schedule([new AgentCandidate("sh", _ => true, SupervisorFixture.Request(SupervisorFixture.LifeCycle))]);
        await Ended(TaskState.Done);
        await Ended(TaskState.Done, Change with { State = ChangeState.Landed });
        await Ended(TaskState.Done, Change with { State = ChangeState.Empty });
        await Ended(TaskState.Failed, Change with { State = ChangeState.Discarded }, isDeleted: true);
        await Supervisor.Create();

        var report = await Read();

        report.Items.ShouldBeEmpty();
        report.More.ShouldBeNull();
    }

    [Test]
    [Arguments(null, "1 commit, 2 files, +10 -3; it has no check")]
    [Arguments(0, "1 commit, 2 files, +10 -3; its check passed")]
    [Arguments(7, "1 commit, 2 files, +10 -3; its check failed")]
    public async Task A_change_to_review(int? exit, string message)
    {
        var task = await Ended(TaskState.Done, Change, exit is { } code ? new TaskCheck("make", new ProcessExit(code), 5, "much output") : null);

        var item = await Only();

        Of(item).ShouldBe((InboxKind.Review, message, "get-change land-task discard-task"));
        (item.TaskId, item.Number, item.Title, item.Change, item.Since, item.Check?.OutputTail).ShouldBe((task.Id, task.Number, "mend the roof", Change, task.FinishedAt!.Value, null));
    }

    [Test]
    public async Task A_change_of_a_task_that_was_cancelled_is_not_offered_to_land()
    {
        await Ended(TaskState.Cancelled, Change);

        Of(await Only()).ShouldBe((InboxKind.Review, "1 commit, 2 files, +10 -3; its task was cancelled", "get-change retry-task discard-task"));
    }

    [Test]
    public async Task A_change_of_a_workspace_that_is_gone_can_be_given_up_alone()
    {
        await Ended(TaskState.Done, Change with { Workspace = "shop" });

        Of(await Only()).ShouldBe((InboxKind.Review, "its workspace, shop, is not configured any more; its branch is colibri/1-a", "discard-task"));
    }

    [Test]
    public async Task A_change_that_is_to_stay_on_its_branch_waits_for_nobody()
    {
        Fixture.Site = Fixture.Site with { Land = LandMode.Never };
        await Ended(TaskState.Done, Change);

        (await Read()).Items.ShouldBeEmpty();
    }

    [Test]
    public async Task A_conflict_names_some_files()
    {
        await Ended(TaskState.Done, Change with { State = ChangeState.Conflict, Conflicts = [.. Enumerable.Range(1, 9).Select(n => $"{n}.txt")] });

        var item = await Only();

        Of(item).ShouldBe((InboxKind.Conflict, "in conflict with its base: 1.txt, 2.txt, 3.txt, 4.txt, 5.txt", "retry-task discard-task"));
        item.Change!.Conflicts!.Count.ShouldBe(5);
    }

    [Test]
    public async Task A_failure_says_why_in_one_line_of_a_bounded_length()
    {
        await Ended(TaskState.Failed, error: new TaskError("agent-error", "it broke\nbadly" + new string('x', 5_000)));

        var item = await Only();

        (item.Kind, string.Join(' ', item.Actions), item.Message.Length).ShouldBe((InboxKind.Failed, "retry-task delete-task", Inbox.MostCharacters));
        item.Message.ShouldStartWith("agent-error: it broke badlyx");
        item.Message.ShouldEndWith("x…");
    }

    /// <summary>It could not be deleted before its change is settled.</summary>
    [Test]
    public async Task A_failure_with_a_change_is_one_item()
    {
        await Ended(TaskState.Failed, Change, error: new TaskError("check-failed", "the check failed: exit code 1"));

        Of(await Only()).ShouldBe((InboxKind.Failed, "check-failed: the check failed: exit code 1", "retry-task get-change discard-task"));
    }

    [Test]
    public async Task What_is_held_by_hand()
    {
        await Supervisor.Board.CreateAsync(new NewTask { Title = "a", Hold = true });

        Of(await Only()).ShouldBe((InboxKind.Held, "held by hand", "release-task cancel-task"));
    }

    [Test]
    public async Task A_task_that_no_agent_can_take()
    {
        Supervisor.Engine.Schedule([new AgentCandidate("sh", capability => capability == "code", SupervisorFixture.Request(SupervisorFixture.LifeCycle))]);
        await Supervisor.Create(capabilities: "piano");
        await Supervisor.Create(capabilities: "code");

        Of(await Only()).ShouldBe((InboxKind.NoAgent, "no configured agent offers any of piano", "edit-task cancel-task"));
    }

    /// <summary>Only a person writes another access.</summary>
    [Test]
    public async Task A_task_whose_profile_states_an_access_that_nothing_holds()
    {
        var request = SupervisorFixture.Request(SupervisorFixture.LifeCycle) with { Binary = "pi", Runtime = "pi", Arguments = [], Access = Access.Edit };
        Supervisor.Engine.Schedule([new AgentCandidate("p", _ => true, request)]);
        await Supervisor.Create();

        var item = await Only();

        (item.Kind, string.Join(' ', item.Actions)).ShouldBe((InboxKind.NoAgent, "edit-task cancel-task"));
        item.Message.ShouldStartWith("p: access = \"edit\" cannot be held: ");
    }

    [Test]
    [Arguments("program-missing", "the program of its agent, /nowhere/agent, is not there")]
    [Arguments("confinement", "p: ")]
    public async Task A_task_whose_profile_cannot_run(string code, string message)
    {
        var request = new SpawnRequest { Binary = "/nowhere/agent", Runtime = "pi", Jail = code == "confinement" ? new JailRequest { Path = "/nowhere" } : null };
        Supervisor.Engine.Schedule([new AgentCandidate("p", _ => true, request)]);
        var task = await Supervisor.Create();

        var item = await Only();

        (item.Kind, item.TaskId, string.Join(' ', item.Actions)).ShouldBe((InboxKind.NoAgent, task.Id, "edit-task cancel-task"));
        item.Message.ShouldStartWith(message);
        Supervisor.Engine.Queue.Show(await Supervisor.Get(task)).BlockedBy.ShouldNotBeNull().ShouldHaveSingleItem().Code.ShouldBe(code);
    }

    /// <summary>The scheduler counts a skill as a capability.</summary>
    [Test]
    public async Task A_task_that_asks_for_a_skill_of_an_agent_can_be_taken()
    {
        await Supervisor.Engine.Registry.RegisterSkillAsync(new Skill("piano", "plays", "music", default));
        Supervisor.Engine.Schedule([new AgentCandidate("sh", capability => capability == "code", SupervisorFixture.Request(SupervisorFixture.LifeCycle))]);
        await Supervisor.Create(capabilities: "piano");

        (await Read()).Items.ShouldBeEmpty();
    }

    [Test]
    public async Task A_question()
    {
        var agent = await Supervisor.Supervisor.SpawnAsync(new SpawnRequest
        {
            Binary = "sh",
            Runtime = "pi",
            Rpc = true,
            Arguments = ["-c", """echo '{"type":"agent_start"}'; printf '%s\n' '{"type":"extension_ui_request","id":"q1","method":"select","title":"Which\nside?","options":["north","south"]}'; exec sleep 300"""],
        });
        Shell.Until(() => agent.ToPane().Question is not null, "it asks");

        var item = await Only();

        Of(item).ShouldBe((InboxKind.Question, "Which side?", "answer stop-agent"));
        (item.AgentId, item.Label, item.Question!.Request).ShouldBe((agent.Id, agent.Label, "q1"));
    }

    [Test]
    public async Task A_workspace_out_of_order_and_none_that_is_being_looked_at()
    {
        (await Read()).Items.ShouldBeEmpty();

        Fixture.Health.Report(Fixture.Site, "no git\nhere");

        var item = await Only();
        (Of(item), item.Name).ShouldBe(((InboxKind.Workspace, "workspace site: no git here", "doctor"), "site"));
    }

    [Test]
    public async Task A_budget_that_is_used_up()
    {
        _fixture = new LandingFixture(new SupervisorFixture(configure: plain => plain with { DayBudgetMicrocents = 1 }));
        await Supervisor.RunToEnd(SupervisorFixture.LifeCycle, await Supervisor.Create());

        var item = await Only();

        (item.Kind, string.Join(' ', item.Actions)).ShouldBe((InboxKind.Budget, "budget"));
        item.Message.ShouldStartWith("the day's budget is used up; starts go on at 2");
    }

    [Test]
    public async Task A_disk_that_is_low()
    {
        _fixture = new LandingFixture(new SupervisorFixture(spaceOf: _ => new FileSystemSpace(1_000_000_000, 1)));
        Supervisor.Engine.Disk.Look();

        var item = await Only();

        (item.Kind, item.Message, string.Join(' ', item.Actions)).ShouldBe((InboxKind.Disk, Supervisor.Engine.Disk.WhyHeld, "prune"));
    }

    [Test]
    public async Task A_pause()
    {
        await Supervisor.Engine.PauseAsync(null, null, "for the night", "site");

        var item = await Only();

        (item.Kind, item.Name, string.Join(' ', item.Actions)).ShouldBe((InboxKind.Paused, "site", "resume-queue"));
        item.Message.ShouldContain("for the night");
    }

    [Test]
    public async Task Kinds_stand_in_their_order_and_the_latest_first_in_each()
    {
        var (first, second) = (await Ended(TaskState.Done, Change), await Ended(TaskState.Done, Change));
        await Ended(TaskState.Failed);
        await Supervisor.Board.CreateAsync(new NewTask { Title = "a", Hold = true });
        await Supervisor.Engine.PauseAsync(null, null, null);
        await Ended(TaskState.Done, Change with { State = ChangeState.Conflict });

        var items = (await Read()).Items;

        items.Select(item => item.Kind).ShouldBe([InboxKind.Review, InboxKind.Review, InboxKind.Conflict, InboxKind.Failed, InboxKind.Held, InboxKind.Paused]);
        items[0].Since.ShouldBeGreaterThanOrEqualTo(items[1].Since);
        items.Take(2).Select(item => item.Number!.Value).Order().ShouldBe([first.Number, second.Number]);
    }

    [Test]
    public async Task At_most_so_many_of_a_kind_are_told_and_the_rest_is_counted()
    {
        for (var i = 0; i < Inbox.MostOfAKind + 3; i++)
            await Ended(TaskState.Done, Change);
        for (var i = 0; i < Inbox.MostOfAKind + 2; i++)
            await Ended(TaskState.Failed);

        var report = await Read();

        report.Items.Count(item => item.Kind == InboxKind.Review).ShouldBe(Inbox.MostOfAKind);
        report.Items.Count(item => item.Kind == InboxKind.Failed).ShouldBe(Inbox.MostOfAKind);
        report.More.ShouldBe(5);
    }

    private async Task<BoardTask> Ended(TaskState state, WorkChange? change = null, TaskCheck? check = null, TaskError? error = null, bool isDeleted = false)
    {
        var task = await Supervisor.Create(maxAttempts: 1);
        var (agent, claim) = await Fixture.Claim(task);
        if (state == TaskState.Cancelled)
            await Supervisor.Board.CancelAsync(task.Id);
        await Supervisor.Board.EndRunAsync(new RunEnd
        {
            AgentId = agent,
            Claim = claim,
            AgentEnded = true,
            Ending = state == TaskState.Failed ? RunEnding.Failed : RunEnding.Done,
            Verdict = state == TaskState.Failed ? "agent-error" : "done",
            Error = state == TaskState.Failed ? error ?? new TaskError("agent-error", "it broke") : null,
            Change = change,
            Check = check,
        });
        if (isDeleted)
            await Supervisor.Board.DeleteAsync(task.Id);
        return (await Supervisor.Board.GetAsync(task.Id)) ?? task;
    }
}
