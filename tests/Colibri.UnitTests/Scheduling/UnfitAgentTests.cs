using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

/// <summary>Profiles whose kind cannot hold their access, or whose program is another product: their tasks wait, and those of others go on.</summary>
[NotInParallel]
public sealed class UnfitAgentTests : IAsyncDisposable
{
    private readonly SupervisorFixture _fixture = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    public async Task An_access_that_is_stated_and_not_held_keeps_its_tasks_waiting_and_no_others()
    {
        var unheld = Candidate("unheld", new ProfileSettings { Name = "unheld", Kind = "pi", Access = Access.Edit }, capability: "a");
        var open = Candidate("open", new ProfileSettings { Name = "open", Kind = "pi", Access = Access.Full }, capability: "b");
        var waiting = await _fixture.Create("waits", capabilities: ["a"]);
        var going = await _fixture.Create("goes", capabilities: ["b"]);
        Schedule(unheld, open);

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the other profile's task is done");

        (await _fixture.OnlyRun(going)).Access.ShouldBe("full");
        (await _fixture.Get(waiting)).Attempts.ShouldBe(0);
        var reason = _fixture.Engine.Queue.Show(await _fixture.Get(waiting)).BlockedBy.ShouldNotBeNull().ShouldHaveSingleItem();
        reason.Code.ShouldBe("rights");
        reason.Message.ShouldContain("access = \"edit\" cannot be held");
        reason.Message.ShouldContain("confine = { path");
        reason.Message.ShouldContain("access = \"full\" below [agents.unheld]");
        _fixture.Logger.Of(539).ShouldHaveSingleItem().ShouldContain("profile unheld takes no tasks: ");
        (await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Supervisor.SpawnAsync(unheld.Template))).Refusal.ShouldBe(SpawnRefusal.AccessImpossible);
    }

    [Test]
    public async Task An_access_that_nobody_has_stated_is_told_as_full_where_the_kind_cannot_hold_it()
    {
        var task = await _fixture.Create();
        Schedule(Candidate("plain", new ProfileSettings { Name = "plain", Kind = "pi" }));

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "it is done");

        (await _fixture.OnlyRun(task)).Access.ShouldBe("full");
        _fixture.Logger.Of(540).ShouldHaveSingleItem().ShouldStartWith("profile plain: access = \"edit\" cannot be held");
        _fixture.Logger.Of(539).ShouldBeEmpty();
    }

    [Test]
    public async Task An_access_that_the_kind_holds_is_told_as_it_is()
    {
        Install("codex", "codex-cli 0.171.0");
        var request = new SpawnRequest { Binary = "codex", Runtime = "codex", Access = Access.Edit, IsAccessDefault = true };
        ToldAccess.Of(request).ShouldBe(new ToldAccess(Access.Edit));
        ToldAccess.Of(request with { Arguments = ["exec"] }).ShouldBe(new ToldAccess(null, null, null));
        ToldAccess.Of(request with { Runtime = "pi", IsAccessDefault = false, Jail = new JailRequest { Path = "/r" } }).ShouldBe(new ToldAccess(Access.Edit));
        ToldAccess.Of(request with { Runtime = "pi", IsAccessDefault = false, Tenant = "acme" }).ShouldBe(new ToldAccess(Access.Edit));
        ToldAccess.Of(request with { Runtime = "opencode", IsAccessDefault = false }).Refusal.ShouldNotBeNull().ShouldContain("a command may write elsewhere");
        ToldAccess.Of(request with { Runtime = "opencode", IsAccessDefault = false, Access = Access.Read }).Refusal.ShouldBeNull();
        await Task.CompletedTask;
    }

    /// <summary>Stated arguments take the place of the kind's flags, and not of the answers that it is given over ACP and duplex.</summary>
    [Test]
    [Arguments("claude", null, Access.Edit, null, "is held by the kind's own flags, and args stand in place of those; give them as extra_args, or confine it with confine = { path = \"/ROOT\" }, or write access = \"full\" below [agents.mine]")]
    [Arguments("claude", null, Access.Read, null, "is held by the kind's own flags, and args stand in place of those; give them as extra_args")]
    [Arguments("claude", null, Access.Full, Access.Full, null)]
    [Arguments("claude", Transport.Duplex, Access.Edit, Access.Edit, null)]
    [Arguments("claude", Transport.Duplex, Access.Full, Access.Full, null)]
    [Arguments("qwen", Transport.Duplex, Access.Edit, null, "cannot be held: its tools write outside")]
    [Arguments("goose", Transport.Acp, Access.Edit, Access.Edit, null)]
    [Arguments("goose", Transport.Acp, Access.Read, Access.Read, null)]
    [Arguments("goose", null, Access.Edit, null, "cannot be held: goose asks")]
    [Arguments("acp", null, Access.Edit, null, "cannot be held for sure: nobody has seen that it asks before it acts")]
    [Arguments("acp", null, Access.Full, Access.Full, null)]
    [Arguments("local", null, Access.Edit, null, "cannot be held: a program of the operator's has no rights of its own")]
    public async Task A_stated_access_beside_arguments_is_held_or_refused(string kind, Transport? transport, Access access, Access? told, string? refusal)
    {
        var profile = new ProfileSettings { Name = "mine", Kind = kind, Access = access };
        var request = new SpawnRequest { Binary = "/bin/true", Runtime = kind, Transport = transport, Arguments = ["serve"], Access = access, Profile = profile };

        var said = ToldAccess.Of(request);

        (said.Refusal is null ? said.Access : null, said.Warning).ShouldBe((told, null));
        if (refusal is null)
            said.Refusal.ShouldBeNull();
        else
            said.Refusal.ShouldNotBeNull().ShouldStartWith($"access = \"{ToldAccess.Word(access)}\" {refusal}");
        ToldAccess.Of(request with { Jail = new JailRequest { Path = "/r" } }).ShouldBe(new ToldAccess(access));
        ToldAccess.Of(request with { Tenant = "acme" }).ShouldBe(new ToldAccess(access));
        if (refusal is not null)
            (await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Supervisor.SpawnAsync(request))).ShouldSatisfyAllConditions(
                thrown => thrown.Refusal.ShouldBe(SpawnRefusal.AccessImpossible), thrown => thrown.Message.ShouldBe(said.Refusal));
    }

    [Test]
    public async Task An_access_that_nobody_has_stated_is_left_to_the_arguments_where_nothing_is_answered()
    {
        var request = new SpawnRequest { Binary = "/bin/true", Runtime = "claude", Arguments = ["serve"], Access = Access.Edit, IsAccessDefault = true };
        ToldAccess.Of(request).ShouldBe(new ToldAccess((Access?)null));
        ToldAccess.Of(request with { Transport = Transport.Duplex }).ShouldBe(new ToldAccess(Access.Edit));
        var told = ToldAccess.Of(request with { Runtime = "acp" });
        (told.Access, told.Refusal).ShouldBe((Access.Full, null));
        told.Warning.ShouldNotBeNull().ShouldContain("nobody has seen that it asks before it acts");
        // Without a profile there is nothing that would stand behind the kind's own arguments.
        ToldAccess.Of(request with { IsAccessDefault = false }).Refusal.ShouldNotBeNull().ShouldContain("; leave one of them out, or confine it with ");
        await Task.CompletedTask;
    }

    [Test]
    public async Task An_access_beside_arguments_that_take_its_flags_keeps_its_tasks_waiting()
    {
        var profile = new ProfileSettings { Name = "mine", Kind = "claude", Access = Access.Edit };
        var template = new SpawnRequest { Binary = Install("claude", "2.1.332 (Claude Code)"), Runtime = "claude", Arguments = ["-p"], Access = Access.Edit, Profile = profile };
        var task = await _fixture.Create("waits");
        Schedule(new AgentCandidate("mine", _ => true, template));
        await _fixture.Engine.Scheduler.AnswerAsync().WaitAsync(Shell.Deadline);

        var reason = _fixture.Engine.Queue.Show(await _fixture.Get(task)).BlockedBy.ShouldNotBeNull().ShouldHaveSingleItem();
        (reason.Code, (await _fixture.Get(task)).Attempts).ShouldBe(("rights", 0));
        reason.Message.ShouldContain("args stand in place of those");
        _fixture.Logger.Of(539).ShouldHaveSingleItem().ShouldContain("profile mine takes no tasks: ");
    }

    [Test]
    public async Task Another_product_of_the_name_gets_no_task_until_the_right_one_is_there()
    {
        var program = Install("pi", "Downloading pi...");
        var candidate = Candidate("pi", new ProfileSettings { Name = "pi", Kind = "pi", Access = Access.Full }, isInstalled: true);
        await _fixture.Engine.Versions.AskAsync(program, AgentProfiles.Find("pi")!, CancellationToken.None).WaitAsync(Shell.Deadline);
        var task = await _fixture.Create();
        Schedule(candidate);
        await _fixture.Engine.Scheduler.AnswerAsync().WaitAsync(Shell.Deadline);

        var reason = _fixture.Engine.Queue.Show(await _fixture.Get(task)).BlockedBy.ShouldNotBeNull().ShouldHaveSingleItem();
        (reason.Code, (await _fixture.Get(task)).Attempts).ShouldBe(("program", 0));
        reason.Message.ShouldContain($"{program} is not the program of pi: it answers --version with 'Downloading pi...'");
        var refusal = await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Supervisor.SpawnAsync(candidate.Template with { TaskId = task.Id }));
        (refusal.Refusal, refusal.IsClaimed).ShouldBe((SpawnRefusal.ProgramUnusable, false));

        Install("pi", "1.6.0");
        _fixture.Engine.Scheduler.Wake();
        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the right one does it");
    }

    [Test]
    public async Task A_run_has_the_version_that_is_known_when_it_starts()
    {
        var program = Install("pi", "1.6.0");
        await _fixture.Engine.Versions.AskAsync(program, AgentProfiles.Find("pi")!, CancellationToken.None).WaitAsync(Shell.Deadline);

        var agent = await _fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "pi", Prompt = "x" });

        agent.ToWire().Version.ShouldBe("1.6.0");
        await SupervisorFixture.End(agent);
        var other = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(SupervisorFixture.LifeCycle) with { Prompt = "x" });
        other.ToWire().Version.ShouldBeNull("a shell is not asked");
        await SupervisorFixture.End(other);
    }

    [Test]
    public async Task A_program_that_does_not_answer_is_started_all_the_same()
    {
        var program = _fixture.PathOf("pi");
        File.WriteAllText(program, $"#!/bin/sh\n[ \"$1\" = --version ] && exec sleep 300\n{SupervisorFixture.LifeCycle}\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await _fixture.Create();
        Schedule(Candidate("pi", new ProfileSettings { Name = "pi", Kind = "pi", Access = Access.Full }, isInstalled: true));

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "it is done before the answer");
    }

    // The search path ends in the fixture's directory, and no host has a program of that name.
    private string Install(string name, string version)
    {
        var path = _fixture.PathOf(name);
        File.Delete(path);
        File.WriteAllText(path, $"#!/bin/sh\n[ \"$1\" = --version ] && {{ echo '{version}'; exit; }}\n{SupervisorFixture.LifeCycle}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    private AgentCandidate Candidate(string name, ProfileSettings profile, string? capability = null, bool isInstalled = false)
    {
        if (!isInstalled)
            Install("pi", "1.6.0");
        return new AgentCandidate(name, offered => offered == capability, new SpawnRequest
        {
            Binary = "pi",
            Runtime = "pi",
            Access = profile.Access,
            IsAccessDefault = !profile.IsAccessStated,
            Profile = profile,
        });
    }

    private void Schedule(params AgentCandidate[] candidates)
    {
        var scheduler = _fixture.Engine.Schedule(candidates);
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
    }
}
