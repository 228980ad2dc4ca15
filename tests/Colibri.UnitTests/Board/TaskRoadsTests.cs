using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>Every road by which a task gets what a client says of it, and by which somebody sees it, against one task with every field set.</summary>
public sealed class TaskRoadsTests
{
    private static readonly NewTask Full = new()
    {
        Title = "mend the roof",
        Description = "with slates",
        Capabilities = ["code", "x"],
        Priority = 7,
        MaxAttempts = 2,
        Key = "roof",
        SessionId = "s-1",
        Hold = false,
        Agent = "claude",
        Model = "opus",
        Workspace = "site",
        Group = "night",
        Tags = ["urgent", "été"],
        Check = "npm test",
        RunTimeout = TimeSpan.FromMinutes(7),
        BudgetMicrocents = 123_456_789,
        Tenant = "acme",
    };

    public static List<string> Roads() => ["create", "intake", "edit", "retry", "restart", "claim", "list", "event", "key"];

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task A_task_is_whole_on_every_road(string road)
    {
        await using var fixture = new BoardFixture();
        await (await Registry.LoadAsync(fixture.Board)).RegisterTenantAsync("acme", "/jails/acme");
        var parent = await fixture.CreateIn(TaskState.Done);
        var given = Full with { After = [$"{parent.Number}"] };
        var task = road switch
        {
            "create" => await fixture.Board.CreateAsync(given),
            "intake" => await TakeIn(fixture, given),
            "edit" => (await fixture.Board.EditAsync((await fixture.Create("other")).Id, EditTo(given))).Task!,
            "retry" => await Retried(fixture, given),
            "restart" => await Restarted(fixture, given),
            "claim" => await Claimed(fixture, given),
            "list" => await Listed(fixture, given),
            "event" => await Announced(fixture, given),
            "key" => await Known(fixture, given),
            _ => throw new ArgumentOutOfRangeException(nameof(road), road, "no road"),
        };

        Given(task).ShouldBe(Given(Full, parent.Id));
        task.Number.ShouldBe(2);
        (await fixture.Board.GivenAsync("2"))!.ShouldSatisfyAllConditions(
            stored => stored.ShouldBe(Full with { After = stored.After, Capabilities = stored.Capabilities, Tags = stored.Tags }),
            stored => stored.After.ShouldBe([parent.Id]),
            stored => stored.Capabilities.ShouldBe(Full.Capabilities),
            stored => stored.Tags.ShouldBe(Full.Tags));
    }

    [Test]
    public async Task A_directory_and_a_time_take_the_same_roads()
    {
        await using var fixture = new BoardFixture();
        await (await Registry.LoadAsync(fixture.Board)).RegisterTenantAsync("acme", "/jails/acme");
        var at = fixture.Time.Now.AddHours(3);
        var given = new NewTask { Title = "there", Cwd = "/srv/a b", NotBefore = at, Hold = true };
        var created = await fixture.Board.CreateAsync(given);
        await fixture.Board.IntakeAsync(given);
        var drained = (await fixture.Board.DrainIntakeAsync(10)).ShouldHaveSingleItem();
        foreach (var task in new[] { created, drained, await fixture.Get(created), await fixture.Get(drained) })
            (task.Cwd, task.NotBefore, task.Held, task.Workspace).ShouldBe(("/srv/a b", at, true, null));
        await Should.ThrowAsync<ArgumentException>(() => fixture.Board.CreateAsync(given with { Workspace = "site" }));
    }

    [Test]
    public async Task An_edit_leaves_what_it_does_not_name_and_takes_away_what_it_empties()
    {
        await using var fixture = new BoardFixture();
        await (await Registry.LoadAsync(fixture.Board)).RegisterTenantAsync("acme", "/jails/acme");
        var task = await fixture.Board.CreateAsync(Full);

        var edited = (await fixture.Board.EditAsync("1", new TaskEdit { Priority = 1, Agent = "", Tags = [""], RunTimeout = TimeSpan.Zero, Cwd = "/srv/x" })).Task!;

        (edited.Priority, edited.Agent, edited.RunTimeoutMs, edited.Cwd, edited.Workspace).ShouldBe((1, null, null, "/srv/x", null));
        edited.Tags.ShouldBeEmpty();
        (edited.Model, edited.Group, edited.BudgetMicrocents, edited.Title).ShouldBe((task.Model, task.Group, task.BudgetMicrocents, task.Title));
        await Should.ThrowAsync<TaskRefusedException>(async () => await fixture.Board.EditAsync((await fixture.Create("second")).Id, new TaskEdit { Key = "roof" }));
    }

    [Test]
    [Arguments(TaskState.Claimed)]
    [Arguments(TaskState.Started)]
    [Arguments(TaskState.Done)]
    [Arguments(TaskState.Failed)]
    [Arguments(TaskState.Cancelled)]
    public async Task Only_a_queued_task_is_edited(TaskState state)
    {
        await using var fixture = new BoardFixture();
        await (await Registry.LoadAsync(fixture.Board)).RegisterTenantAsync("acme", "/jails/acme");
        var task = await fixture.CreateIn(state);
        (await fixture.Board.EditAsync(task.Id, new TaskEdit { Title = "x" })).Outcome.ShouldBe(EdgeOutcome.Conflict);
        (await fixture.Get(task)).ShouldBe(task with { Capabilities = (await fixture.Get(task)).Capabilities, After = (await fixture.Get(task)).After, Tags = (await fixture.Get(task)).Tags });
    }

    private static (object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?) Given(BoardTask task) => (
        task.Title, task.Description, string.Join(' ', task.Capabilities), task.Priority, task.MaxAttempts, task.SessionId, task.Agent, task.Model, task.Workspace,
        string.Join(' ', task.After), task.Group, string.Join(' ', task.Tags), task.Check?.Command, task.RunTimeoutMs, (task.BudgetMicrocents, task.Tenant));

    private static (object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?, object?) Given(NewTask task, string after) => (
        task.Title, task.Description, string.Join(' ', task.Capabilities), task.Priority, task.MaxAttempts, task.SessionId, task.Agent, task.Model, task.Workspace,
        after, task.Group, string.Join(' ', task.Tags), task.Check, (long?)task.RunTimeout!.Value.TotalMilliseconds, (task.BudgetMicrocents, task.Tenant));

    private static TaskEdit EditTo(NewTask task) => new()
    {
        Title = task.Title,
        Description = task.Description,
        Capabilities = task.Capabilities,
        Priority = task.Priority,
        MaxAttempts = task.MaxAttempts,
        Key = task.Key,
        SessionId = task.SessionId,
        Agent = task.Agent,
        Model = task.Model,
        Workspace = task.Workspace,
        After = task.After,
        Group = task.Group,
        Tags = task.Tags,
        Check = task.Check,
        RunTimeout = task.RunTimeout,
        BudgetMicrocents = task.BudgetMicrocents,
        Tenant = task.Tenant,
    };

    private static async Task<BoardTask> TakeIn(BoardFixture fixture, NewTask given)
    {
        (await fixture.Board.TakeInAsync(given)).Existing.ShouldBeNull();
        (await fixture.Board.TakeInAsync(given)).Existing.ShouldBe(true);
        return (await fixture.Board.DrainIntakeAsync(10)).ShouldHaveSingleItem();
    }

    private static async Task<BoardTask> Retried(BoardFixture fixture, NewTask given)
    {
        var task = await fixture.Board.CreateAsync(given);
        await fixture.Board.CancelAsync(task.Id);
        return (await fixture.Board.RetryAsync("2", "once more")).Task!;
    }

    private static async Task<BoardTask> Restarted(BoardFixture fixture, NewTask given)
    {
        var task = await fixture.Board.CreateAsync(given);
        return (await (await fixture.Reopen()).GetAsync(task.Id))!;
    }

    private static async Task<BoardTask> Claimed(BoardFixture fixture, NewTask given)
    {
        var task = await fixture.Board.CreateAsync(given);
        return (await fixture.Board.BeginRunAsync(BoardFixture.Record("agent") with { TaskId = task.Id })).Task!;
    }

    private static async Task<BoardTask> Listed(BoardFixture fixture, NewTask given)
    {
        await fixture.Board.CreateAsync(given);
        return (await fixture.Board.ListAsync(new TaskQuery { Limit = 9, Workspace = "site", Agent = "claude", Group = "night", Tag = "été", Status = TaskState.Queued })).Tasks.ShouldHaveSingleItem();
    }

    private static async Task<BoardTask> Announced(BoardFixture fixture, NewTask given)
    {
        await fixture.Board.CreateAsync(given);
        await fixture.Board.HoldAsync("2");
        await fixture.Board.ReleaseAsync("2");
        return fixture.Changes[^1];
    }

    private static async Task<BoardTask> Known(BoardFixture fixture, NewTask given)
    {
        (await fixture.Board.CreateAsync(given)).Existing.ShouldBeNull();
        var again = await fixture.Board.CreateAsync(new NewTask { Title = "else", Key = given.Key });
        again.Existing.ShouldBe(true);
        (await fixture.Get(again)).Existing.ShouldBeNull();
        return again;
    }
}
