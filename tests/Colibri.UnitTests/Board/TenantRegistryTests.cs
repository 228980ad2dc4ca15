using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>Tenants and skills on the board, and the memory of them.</summary>
public sealed class TenantRegistryTests
{
    [Test]
    public async Task Tenants_and_skills_are_upserted_and_survive()
    {
        await using var fixture = new BoardFixture();
        var registry = await Registry.LoadAsync(fixture.Board);
        var registered = fixture.Time.Now;
        await registry.RegisterSkillAsync(Of("review", "reads", "code"));
        await registry.RegisterSkillAsync(Of("build", "makes", "code"));
        await registry.RegisterTenantAsync("t1", "/jails/t1");
        await registry.RegisterTenantAsync("t2", "/jails/t2");
        fixture.Time.Now += TimeSpan.FromMinutes(1);
        (await registry.RegisterSkillAsync(Of("review", "reads well", "care") with { Path = "/skills/review" })).ShouldBe(new Skill("review", "reads well", "care", registered) { Path = "/skills/review" });
        (await registry.RegisterTenantAsync("t1", "/elsewhere")).ShouldBe(new Tenant("t1", "/elsewhere", registered));
        (await registry.DeleteTenantAsync("t2")).Tenant.ShouldBe(new Tenant("t2", "/jails/t2", registered));
        (await registry.DeleteTenantAsync("t2")).ShouldBe(new TenantDeletion(null, 0, null));
        (await registry.DeleteSkillAsync("build"))!.Description.ShouldBe("makes");
        (await registry.DeleteSkillAsync("build")).ShouldBeNull();

        var again = await Registry.LoadAsync(await fixture.Reopen());

        (await again.SkillsAsync()).Select(skill => (skill.Name, skill.Path)).ShouldBe([("review", "/skills/review")]);
        again.Tenants.ShouldBe([new Tenant("t1", "/elsewhere", registered)]);
        again.Tenant("t1")!.JailRootPath.ShouldBe("/elsewhere");
        again.Tenant("t2").ShouldBeNull();
    }

    [Test]
    public async Task A_skill_is_for_all_agents_or_for_those_that_it_names()
    {
        await using var fixture = new BoardFixture();
        var registry = await Registry.LoadAsync(fixture.Board);
        var told = 0;
        registry.Changed += () => told++;
        await registry.RegisterSkillAsync(Of("review", "reads"));
        await registry.RegisterSkillAsync(Of("deploy", new string('d', 5_000)) with { Agents = ["claude"] });
        told.ShouldBe(2);

        registry.HasSkill("pi", "Review").ShouldBeTrue();
        registry.HasSkill("pi", "deploy").ShouldBeFalse();
        registry.HasSkill("claude", "deploy").ShouldBeTrue();
        registry.HasSkill("claude", "unknown").ShouldBeFalse();
        registry.SkillsFor(["review", "deploy", "gpu", "REVIEW"], "pi").Select(skill => skill.Name).ShouldBe(["review"]);
        registry.SkillsFor(["review", "deploy"], "claude")[1].Description.Length.ShouldBe(Registry.MaxToldCharacters + 1);
        (await registry.SkillsAsync()).Single(skill => skill.Name == "deploy").Description.Length.ShouldBe(5_000);
    }

    [Test]
    public async Task There_are_no_more_than_the_bound_and_a_known_one_may_still_change()
    {
        await using var fixture = new BoardFixture();
        var registry = await Registry.LoadAsync(fixture.Board);
        await Task.WhenAll(Enumerable.Range(0, Registry.MaxTenants).Select(i => registry.RegisterTenantAsync($"t{i}", "/jails/t")));
        await Task.WhenAll(Enumerable.Range(0, Registry.MaxSkills).Select(i => registry.RegisterSkillAsync(Of($"s{i}", ""))));

        (await registry.RegisterTenantAsync("one-more", "/jails/t")).ShouldBeNull();
        (await registry.RegisterTenantAsync("t7", "/jails/other"))!.JailRootPath.ShouldBe("/jails/other");
        (await registry.RegisterSkillAsync(Of("one-more", ""))).ShouldBeNull();
        (await registry.RegisterSkillAsync(Of("s7", "new")))!.Description.ShouldBe("new");
        // What is in memory is what the last of all those changes left.
        registry.Tenants.Count.ShouldBe(Registry.MaxTenants);
        registry.Tenant("t7")!.JailRootPath.ShouldBe("/jails/other");
    }

    [Test]
    public async Task A_task_of_a_tenant_that_is_not_registered_is_refused_on_every_road()
    {
        await using var fixture = new BoardFixture();
        var registry = await Registry.LoadAsync(fixture.Board);
        const string Words = "tenant is 'acme', which is not registered; register it: colibri register-tenant acme --jail-root-path DIR";
        var task = new NewTask { Title = "mend the roof", Tenant = "acme" };
        (await Should.ThrowAsync<TaskRefusedException>(() => fixture.Board.CreateAsync(task))).Message.ShouldBe(Words);
        (await Should.ThrowAsync<TaskRefusedException>(() => fixture.Board.TakeInAsync(task))).Message.ShouldBe(Words);
        var plain = await fixture.Create();
        (await Should.ThrowAsync<TaskRefusedException>(() => fixture.Board.EditAsync(plain.Id, new TaskEdit { Tenant = "acme" }))).Message.ShouldBe(Words);
        fixture.Board.Counts.Queued.ShouldBe(1);

        await registry.RegisterTenantAsync("acme", "/jails/acme");
        (await fixture.Board.CreateAsync(task)).Tenant.ShouldBe("acme");
        (await fixture.Board.EditAsync(plain.Id, new TaskEdit { Tenant = "acme" })).Task!.Tenant.ShouldBe("acme");
    }

    [Test]
    public async Task A_tenant_with_tasks_that_have_not_ended_stays()
    {
        await using var fixture = new BoardFixture();
        var registry = await Registry.LoadAsync(fixture.Board);
        await registry.RegisterTenantAsync("acme", "/jails/acme");
        var task = await fixture.Board.CreateAsync(new NewTask { Title = "mend the roof", Tenant = "acme" });
        await fixture.Board.TakeInAsync(new NewTask { Title = "later", Tenant = "acme" });

        (await registry.DeleteTenantAsync("acme")).ShouldBe(new TenantDeletion(null, 2, task.Number));
        await fixture.Board.CancelAsync(task.Id);
        (await registry.DeleteTenantAsync("acme")).ShouldBe(new TenantDeletion(null, 1, null));
        var waiting = (await fixture.Board.DrainIntakeAsync(10)).ShouldHaveSingleItem();
        await fixture.Board.CancelAsync(waiting.Id);

        (await registry.DeleteTenantAsync("acme")).Tenant!.TenantId.ShouldBe("acme");
        // A second edit of one of its tasks may leave the tenant as it is.
        (await fixture.Board.RetryAsync(task.Id, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await fixture.Board.EditAsync(task.Id, new TaskEdit { Title = "mend the door" })).Task!.Tenant.ShouldBe("acme");
        (await fixture.Board.EditAsync(task.Id, new TaskEdit { Tenant = "" })).Task!.Tenant.ShouldBeNull();
    }

    private static Skill Of(string name, string description, string category = "") => new(name, description, category, default);
}
