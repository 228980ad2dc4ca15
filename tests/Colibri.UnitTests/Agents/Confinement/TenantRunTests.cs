using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Confinement;

/// <summary>
/// Tasks of a tenant, on every road to an agent. The stand-in for bwrap enters nothing: it goes to the directory below the root and starts the program.
/// </summary>
[NotInParallel]
public sealed class TenantRunTests : IAsyncDisposable
{
    private const string Bwrap = """
        root=$2 dir=/
        while [ "$1" != -- ]; do [ "$1" = --chdir ] && dir=$2; shift; done
        shift
        cd "$root$dir" || exit 70
        exec "$@"
        """;

    // Where it is, into a file there.
    private const string Agent = $"pwd -P >seen; {SupervisorFixture.LifeCycle}";

    private readonly JailFolder _jails = new();
    private readonly CancellationTokenSource _stop = new();
    private SupervisorFixture? _fixture;
    private Task _running = Task.CompletedTask;

    private string Root => _jails.Root;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        if (_fixture is not null)
            await _fixture.DisposeAsync();
        _stop.Dispose();
        _jails.Dispose();
    }

    [Test]
    [Arguments("scheduler")]
    [Arguments("profile")]
    [Arguments("confined profile")]
    [Arguments("spawn-agent")]
    [Arguments("spawn-agent with the jail")]
    public async Task A_task_of_a_tenant_runs_in_the_tenants_root(string road)
    {
        var fixture = await FurnishAsync();
        var task = await TaskAsync();
        Directory.CreateDirectory(_jails.Base + "/other");
        var profile = new ProfileSettings { Name = "mine", Kind = "pi" };
        switch (road)
        {
            case "scheduler":
                Schedule(Candidate(Agent));
                break;
            case "profile":
                Schedule(Candidate(Agent, request => request with { Profile = profile }));
                break;
            case "confined profile":
                // Its own root is for tasks without a tenant.
                Schedule(Candidate(Agent, request => request with { Profile = profile, Jail = new JailRequest { Path = _jails.Base + "/other", Ip4 = "disable" } }));
                break;
            default:
                await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Agent, task) with { Tenant = "acme", Jail = road == "spawn-agent" ? null : new JailRequest { Path = Root + "/." } });
                break;
        }

        Shell.Until(() => fixture.Board.Counts is { Done: 1 } or { Failed: 1 }, "it is over");
        var done = await fixture.Get(task);
        done.Status.ShouldBe(TaskState.Done, done.Error?.Message);
        File.ReadAllText(Root + "/seen").ShouldBe(Root + "\n");
        (await fixture.OnlyRun(task)).Cwd.ShouldBe(Root);
        fixture.Supervisor.Agents[^1].ToWire().Confinement.ShouldBe($"bwrap {Root}{(road == "confined profile" ? ", no network" : "")}");
    }

    /// <summary>Of a profile's own root the same is true.</summary>
    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task A_program_that_is_inside_the_root_alone_is_started_and_an_agent_that_is_not_there_is_left_out(bool isTenants)
    {
        var fixture = await FurnishAsync();
        var profile = new ProfileSettings { Name = "absent", Kind = "pi" };
        // The stand-in starts it on the host, where no search finds it.
        var only = _jails.PathOf("only-inside");
        File.CreateSymbolicLink(only, "/bin/sh");
        Directory.CreateDirectory(Root + Path.GetDirectoryName(only));
        File.WriteAllText(Root + only, "");
        var task = isTenants ? await TaskAsync() : await fixture.Create("mend the roof");
        Schedule(
            Candidate("exit 3", request => request with { Binary = "no-such-agent", Profile = profile }),
            Candidate(Agent, request => request with { Binary = only, Jail = isTenants ? null : new JailRequest { Path = Root } }) with { Name = "there" });

        Shell.Until(() => fixture.Board.Counts is { Done: 1 } or { Failed: 1 }, "it is over");
        var done = await fixture.Get(task);
        done.Status.ShouldBe(TaskState.Done, done.Error?.Message);
        File.ReadAllText(Root + "/seen").ShouldBe(Root + "\n");
    }

    [Test]
    public async Task A_directory_below_the_root_is_where_it_works_and_one_outside_is_a_failed_start()
    {
        var fixture = await FurnishAsync();
        Directory.CreateDirectory(Root + "/src");
        Directory.CreateSymbolicLink(_jails.PathOf("way in"), Root + "/src");
        Directory.CreateSymbolicLink(Root + "/way out", _jails.Tools);
        var (inside, outside) = (await TaskAsync(_jails.PathOf("way in")), await TaskAsync(Root + "/way out"));
        Schedule(Candidate(Agent));

        Shell.Until(() => fixture.Board.Counts is { Done: 1, Failed: 1 }, "both are over");
        File.ReadAllText(Root + "/src/seen").ShouldBe(Root + "/src\n");
        (await fixture.Get(inside)).Status.ShouldBe(TaskState.Done);
        (await fixture.Get(outside)).Error.ShouldBe(new TaskError("spawn-failed", $"its directory lies outside the root that its agent is confined to: {Root}/way out"));
        File.Exists(_jails.Tools + "/seen").ShouldBeFalse();
    }

    [Test]
    [Arguments("deleted", "there is no tenant acme any more; register it: colibri register-tenant acme --jail-root-path DIR")]
    [Arguments("no base", "tenant acme: jails are not set up here: COLIBRI_JAIL_ROOT_BASE is not set")]
    [Arguments("no directory", "tenant acme: jail path '{ROOT}' cannot be used: there is no such directory")]
    [Arguments("no program", "tenant acme: there is no 'sh' inside {ROOT}")]
    public async Task A_tenant_that_cannot_be_used_is_a_failed_start_that_names_it_and_nothing_is_started(string how, string message)
    {
        var fixture = await FurnishAsync(how != "no base");
        var task = await TaskAsync();
        switch (how)
        {
            case "deleted":
                await fixture.Board.CancelAsync(task.Id);
                (await fixture.Engine.Registry.DeleteTenantAsync("acme")).Tenant.ShouldNotBeNull();
                await fixture.Board.RetryAsync(task.Id, null);
                break;
            case "no directory":
                Directory.Delete(Root, recursive: true);
                break;
            case "no program":
                File.Delete(Root + "/usr/bin/sh");
                break;
        }
        var started = _jails.PathOf("started");
        Schedule(Candidate($"touch '{started}'; {SupervisorFixture.LifeCycle}"));

        Shell.Until(() => fixture.Board.Counts.Failed == 1, "it has failed");
        (await fixture.Get(task)).Error.ShouldBe(new TaskError("spawn-failed", message.Replace("{ROOT}", Root, StringComparison.Ordinal)));
        File.Exists(started).ShouldBeFalse();

        // The same for a client, which is told.
        await fixture.Board.RetryAsync(task.Id, null);
        await _stop.CancelAsync();
        var refused = await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(SupervisorFixture.Request($"touch '{started}'", task) with { Tenant = "acme" }));
        refused.IsClaimed.ShouldBeTrue();
        refused.Message.ShouldBe(message.Replace("{ROOT}", Root, StringComparison.Ordinal));
        File.Exists(started).ShouldBeFalse();
    }

    [Test]
    public async Task A_client_that_states_another_root_is_refused_before_the_claim()
    {
        var fixture = await FurnishAsync();
        Directory.CreateDirectory(_jails.Base + "/other");
        var task = await TaskAsync();
        var refused = await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request(Agent, task) with { Tenant = "acme", Jail = new JailRequest { Path = _jails.Base + "/other" } }));
        refused.Refusal.ShouldBe(SpawnRefusal.JailWrong);
        refused.Message.ShouldBe($"jail.path '{_jails.Base}/other' is not the root of the task's tenant acme, {Root}; leave it out");
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
    }

    /// <summary>An agent that was chosen before an edit gave the task its tenant.</summary>
    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task An_agent_that_is_not_confined_for_the_tenant_gives_the_task_back(bool isLiving)
    {
        var fixture = await FurnishAsync();
        var task = await TaskAsync();
        var started = _jails.PathOf("started");
        if (isLiving)
        {
            var agent = await LivingAsync(started);
            (await agent.TryAssignAsync(task.Id)).ShouldBeTrue();
            Shell.Until(() => agent.IsAtRest, "it is at rest");
            File.Exists(started).ShouldBeFalse("it was told nothing");
        }
        else
        {
            var refused = await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Spawn($"touch '{started}'", task));
            (refused.Refusal, refused.IsClaimed).ShouldBe((SpawnRefusal.TaskConflict, true));
        }

        var back = await fixture.Get(task);
        (back.Status, back.Attempts, back.Error!.Code).ShouldBe((TaskState.Queued, 0, TenantStep.Moved));
        back.Error.Message.ShouldBe("the task was edited while its agent was chosen: it is of tenant acme, and the agent is not confined for a tenant");
        File.Exists(started).ShouldBeFalse();
    }

    [Test]
    public async Task A_living_agent_is_given_no_task_of_a_tenant_and_the_task_says_why_it_waits()
    {
        var fixture = await FurnishAsync();
        await LivingAsync(_jails.PathOf("told"));
        var tenants = await TaskAsync();
        var plain = await fixture.Create("plain");
        Schedule();

        Shell.Until(() => fixture.Board.Counts.Done == 1, "the other task is done");
        (await fixture.Get(plain)).Status.ShouldBe(TaskState.Done);
        var waiting = fixture.Engine.Queue.Show(await fixture.Get(tenants));
        waiting.Status.ShouldBe(TaskState.Queued);
        waiting.BlockedBy!.Select(reason => reason.Code).ShouldContain("no-agent");
        waiting.BlockedBy!.Select(reason => reason.Message).ShouldContain(message => message.StartsWith("the task of a tenant needs an agent of its own"));
    }

    [Test]
    public async Task An_agent_of_a_tenant_that_takes_tasks_ends_with_its_run()
    {
        var fixture = await FurnishAsync();
        var task = await TaskAsync();
        var plain = await fixture.Create("plain");
        Schedule(Candidate(Server("prompts"), request => request with { Rpc = true, TakesTasks = true }));

        Shell.Until(() => fixture.Board.Counts.Done == 2, "both are done");
        var (its, others) = ((await fixture.OnlyRun(task)).AgentId, (await fixture.OnlyRun(plain)).AgentId);
        its.ShouldNotBe(others);
        Shell.Until(() => fixture.Supervisor.Agents.Single(agent => agent.Id == its).HasEnded, "the agent in the root has ended");
        File.ReadAllText(Root + "/prompts").ShouldContain("mend the roof");
    }

    [Test]
    public async Task Two_tasks_in_one_tenants_root_come_one_after_another()
    {
        var fixture = await FurnishAsync();
        var (first, second) = (await TaskAsync(), await TaskAsync());
        var going = _jails.PathOf("going");
        // Each says when it is alone in the root.
        Schedule(Candidate($"mkdir busy || exit 3; while ! [ -e '{going}' ]; do sleep 0.05; done; rmdir busy; {SupervisorFixture.LifeCycle}"));
        Shell.Until(() => Directory.Exists(Root + "/busy"), "the first is at work");

        fixture.Engine.Queue.Show(await fixture.Get(second)).BlockedBy!.ShouldContain(new BlockedBy("directory", $"task {first.Number} works in {Root}"));
        File.WriteAllText(going, "");

        Shell.Until(() => fixture.Board.Counts is { Done: 2 } or { Failed: > 0 }, "both are over");
        fixture.Board.Counts.Done.ShouldBe(2);
        (await fixture.Get(second)).Attempts.ShouldBe(1);
    }

    [Test]
    public async Task What_lies_outside_the_root_by_its_name_is_told_at_once()
    {
        var fixture = await FurnishAsync();
        string? Why(string? cwd, string? workspace = null) => fixture.Engine.Rules.WhyOutside(new NewTask { Title = "t", Tenant = "acme", Cwd = cwd, Workspace = workspace });
        Why(null).ShouldBeNull();
        Why(Root).ShouldBeNull();
        Why(Root + "/src/").ShouldBeNull();
        Why(Root + "-other").ShouldBe($"cwd is {Root}-other, which lies outside the root of tenant acme, {Root}");
        Why(Root + "/../x").ShouldNotBeNull();
        fixture.Engine.Rules.WhyOutside(new NewTask { Title = "t", Cwd = "/srv" }).ShouldBeNull();
    }

    private async Task<SupervisorFixture> FurnishAsync(bool hasBase = true)
    {
        _jails.Tool("bwrap", Bwrap);
        File.CreateSymbolicLink(Root + "/usr/bin/sh", "/bin/sh");
        _fixture = new SupervisorFixture(
            maxAgents: 3, searchPath: $"{_jails.Tools}:/usr/bin:/bin", configure: plain => plain with { JailRootBase = hasBase ? _jails.Base : null }, jailHost: _jails.Host(OperatingSystemKind.Linux, isRoot: false));
        await _fixture.Engine.Registry.RegisterTenantAsync("acme", Root);
        return _fixture;
    }

    private Task<BoardTask> TaskAsync(string? cwd = null) => _fixture!.Board.CreateAsync(new NewTask { Title = "mend the roof", Tenant = "acme", Cwd = cwd });

    private static AgentCandidate Candidate(string script, Func<SpawnRequest, SpawnRequest>? change = null) =>
        new("sh", _ => true, (change ?? (plain => plain))(SupervisorFixture.Request(script)));

    private void Schedule(params AgentCandidate[] candidates)
    {
        var scheduler = _fixture!.Engine.Schedule(candidates);
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
    }

    private async Task<SupervisedAgent> LivingAsync(string prompts)
    {
        var agent = await _fixture!.Supervisor.SpawnAsync(SupervisorFixture.Request(Server(prompts)) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.IsAtRest, "it is at rest");
        return agent;
    }

    /// <summary>Answers every command, plays a run for each prompt, and writes the prompt down.</summary>
    private static string Server(string prompts) => $$$"""
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
            case $line in
                *'"type":"prompt"'*)
                    printf '%s\n' "$line" >>'{{{prompts}}}'
                    echo '{"type":"agent_start"}'
                    echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"ok"}],"stopReason":"stop"}}'
                    echo '{"type":"agent_settled"}' ;;
            esac
        done
        """;
}
