using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Workspaces;

namespace Colibri.UnitTests.Runs;

/// <summary>Runs in a workspace while its settings, its trees and the daemon change under them.</summary>
[NotInParallel]
public sealed class WorkspaceRunsTests : IAsyncDisposable
{
    private readonly GitFixture _git = new();
    private readonly SupervisorFixture _fixture;
    private WorkspaceSettings[] _workspaces;

    public WorkspaceRunsTests()
    {
        _workspaces = [new WorkspaceSettings { Name = "site", Path = _git.Repo, Base = "main" }];
        _fixture = new SupervisorFixture(settings: configuration => new LiveSettings(
            new ColibriSettings { Daemon = configuration, Workspaces = _workspaces },
            () => new SettingsReading { Settings = new ColibriSettings { Daemon = configuration, Workspaces = _workspaces }, Stated = new Dictionary<string, FilePlace>(), FromEnvironment = new HashSet<string>(), Unknown = [] }));
    }

    private WorkspaceSettings Site
    {
        get => _workspaces[0];
        set => Reload(value);
    }

    [Before(Test)]
    public async Task Init()
    {
        await _git.Init();
        await _git.Sh("git config user.name Tester; git config user.email tester@example.org", _git.Repo);
    }

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        _git.Dispose();
    }

    [Test]
    public async Task A_setup_that_the_stop_of_the_daemon_cuts_short_costs_the_task_nothing()
    {
        var started = Path.Combine(_git.Path_, "started");
        Site = Site with { Setup = $"touch '{started}'; exec sleep 300" };
        var task = await Create();
        var spawning = _fixture.Spawn(SupervisorFixture.LifeCycle, task);
        Shell.Until(() => File.Exists(started), "the setup runs");

        await _fixture.Supervisor.StopAllAsync(TimeSpan.Zero);

        await Should.ThrowAsync<SpawnRefusedException>(() => spawning);
        var left = await _fixture.Get(task);
        (left.Status, left.Attempts, left.Error?.Code).ShouldBe((TaskState.Queued, 0, "interrupted"));
    }

    [Test]
    public async Task A_setup_that_fails_is_the_tasks_verdict()
    {
        Site = Site with { Setup = "echo no such package; exit 3" };
        var task = await Create();

        await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Spawn(SupervisorFixture.LifeCycle, task));

        var left = await _fixture.Get(task);
        (left.Status, left.Error).ShouldBe((TaskState.Failed, new TaskError("setup-failed", "the setup failed: exit code 3: no such package")));
        Directory.EnumerateDirectories(Path.Combine(_fixture.PathOf("trees"), "site")).ShouldBeEmpty();
    }

    /// <summary>Else a name that is mended in the file would let what is under way through unchecked.</summary>
    [Test]
    public async Task A_run_whose_workspace_is_taken_out_of_the_configuration_is_checked_all_the_same()
    {
        var go = Path.Combine(_git.Path_, "go");
        Site = Site with { Check = "echo checked; exit 1", Rework = 0 };
        var task = await Create();
        var agent = await _fixture.Spawn($"while ! test -e '{go}'; do sleep 0.01; done; echo four >>a.txt\n{SupervisorFixture.LifeCycle}", task);
        Reload();

        await File.WriteAllTextAsync(go, "");
        await SupervisorFixture.End(agent);

        var left = await _fixture.Get(task);
        (left.Status, left.Error, left.Change?.State).ShouldBe((TaskState.Failed, new TaskError("check-failed", "the check failed: exit code 1: checked"), ChangeState.Open));
    }

    /// <summary>A run claims anew: what an earlier one was checked by is not the task's own check.</summary>
    [Test]
    public async Task The_next_run_is_checked_by_the_check_of_now()
    {
        Site = Site with { Check = "exit 1", Rework = 1 };
        var task = await Create();
        (await _fixture.RunToEnd($"echo four >>a.txt\n{SupervisorFixture.LifeCycle}", task)).Status.ShouldBe(TaskState.Queued);
        Site = Site with { Check = "exit 0" };

        var left = await _fixture.RunToEnd(SupervisorFixture.LifeCycle, task);

        (left.Status, left.Check?.Command, left.Error).ShouldBe((TaskState.Done, "exit 0", null));
    }

    [Test]
    public async Task A_tree_that_is_odd_keeps_its_own_task_waiting_alone()
    {
        _fixture.Engine.Schedule([]);
        _fixture.Engine.Run();
        var (odd, good) = (await Create(), await Create());
        Shell.Until(() => Blocked(odd) is null, "the workspace was looked at");
        Directory.CreateDirectory(Path.Combine(_fixture.PathOf("trees"), "site", $"{odd.Number}-mend-the-roof"));

        await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Spawn(SupervisorFixture.LifeCycle, odd));

        var left = await _fixture.Get(odd);
        (left.Status, left.Attempts, left.Error!.Code).ShouldBe((TaskState.Queued, 0, "workspace"));
        left.Error.Message.ShouldEndWith("look at it, and move it away");
        Blocked(good).ShouldBeNull();
        (await _fixture.RunToEnd(SupervisorFixture.LifeCycle, good)).Status.ShouldBe(TaskState.Done);
    }

    private string? Blocked(BoardTask task) => _fixture.Engine.Queue.Show(task).BlockedBy?.FirstOrDefault(reason => reason.Code == "workspace")?.Message;

    private Task<BoardTask> Create() => _fixture.Board.CreateAsync(new NewTask { Title = "mend the roof", Workspace = "site" });

    private void Reload(params WorkspaceSettings[] workspaces)
    {
        _workspaces = workspaces;
        _fixture.Engine.Settings.Reload();
    }
}
