using System.Collections.Concurrent;
using Colibri.Core.Board;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Workspaces;

namespace Colibri.UnitTests.Runs;

/// <summary>Whether runs can work in workspaces, with the real git and a clock that stands still.</summary>
[NotInParallel]
public sealed class WorkspaceHealthTests : IAsyncDisposable
{
    private readonly GitFixture _git = new();
    private readonly FakeTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly WorkspaceHealth _health;
    private ColibriSettings _settings = new() { Daemon = new DaemonConfiguration { SocketPath = "/s", DatabasePath = "/b", SessionsDirectory = "/d", Host = "h" } };
    private Task _running = Task.CompletedTask;
    private int _mended;

    public WorkspaceHealthTests()
    {
        _health = new WorkspaceHealth(_git.Git, () => _settings, _time, _git.Logger);
        _health.Mended += () => Interlocked.Increment(ref _mended);
        Site = new WorkspaceSettings { Name = "site", Path = _git.Repo };
    }

    private WorkspaceSettings Site
    {
        get;
        set
        {
            field = value;
            _settings = _settings with { Workspaces = [value] };
        }
    }

    [Before(Test)]
    public Task Init() => _git.Init();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        _git.Dispose();
    }

    [Test]
    public async Task A_workspace_is_closed_before_it_was_looked_at_and_that_is_no_trouble()
    {
        (_health.Why("site"), _health.Trouble("site"), _health.Why("unknown")).ShouldBe(("it is being looked at", null, null));

        Start();

        Shell.Until(() => _health.Why("site") is null, "it is usable");
        _mended.ShouldBe(1);
        _git.Logger.All.ShouldBeEmpty();
        await Task.CompletedTask;
    }

    [Test]
    public async Task What_is_wrong_is_told_once_and_looked_at_again_until_it_is_mended()
    {
        Site = Site with { Base = "release" };
        Start();
        Shell.Until(() => _health.Trouble("site") is not null, "the trouble is known");
        _health.Why("site")!.ShouldStartWith($"there is no branch release in {_git.Repo}");
        var since = _health.Trouble("site")!.Value.Since;

        await Pass();
        await _git.Sh("git branch release", _git.Repo);
        await Pass(() => _health.Why("site") is null);

        (_git.Logger.Of(484).Count, _git.Logger.Of(485).Count, _mended, since).ShouldBe((1, 1, 1, new DateTimeOffset(2026, 11, 22, 6, 7, 10, TimeSpan.Zero)));
    }

    [Test]
    public async Task What_a_run_reports_closes_the_workspace_until_the_next_look()
    {
        Start();
        Shell.Until(() => _health.Why("site") is null, "it is usable");

        _health.Report(Site, "the disk is full");

        _health.Why("site").ShouldBe("the disk is full");
        await Pass(() => _health.Why("site") is null);
        _mended.ShouldBe(2);
    }

    [Test]
    public async Task Its_trees_are_put_in_order_once_and_again_for_other_settings()
    {
        var swept = new ConcurrentQueue<string?>();
        _health.AtFirstLook = (workspace, _, _) =>
        {
            swept.Enqueue(workspace.Setup);
            return Task.CompletedTask;
        };
        Site = Site with { Agents = ["a"] };
        Start();
        Shell.Until(() => _health.Why("site") is null, "it is usable");
        _health.Report(Site, "odd");
        await Pass(() => _health.Why("site") is null);
        // The file was read again: the same in other words is no change.
        Site = Site with { Agents = ["b"] };
        _health.Why("site").ShouldBeNull();

        Site = Site with { Setup = "make" };
        _health.Why("site").ShouldBe("it is being looked at");
        _health.Wake();

        await Pass(() => _health.Why("site") is null);
        swept.ShouldBe([null, "make"]);
    }

    /// <summary>Of trouble with the board, and of a fault of the daemon's own, the looks go on.</summary>
    [Test]
    public async Task A_sweep_that_fails_is_done_again()
    {
        var left = new Queue<Exception>([new BoardUnavailableException("the disk is full"), new InvalidOperationException("a fault")]);
        var seen = new ConcurrentQueue<string?>();
        _health.AtFirstLook = (_, _, _) =>
        {
            seen.Enqueue(_health.Trouble("site")?.Problem);
            return left.TryDequeue(out var e) ? Task.FromException(e) : Task.CompletedTask;
        };

        Start();
        Shell.Until(() => _health.Trouble("site") is not null, "the trouble is known");
        await Pass(() => _health.Why("site") is null);

        seen.ShouldBe([null, "the disk is full", "the look at it failed in the daemon; its log says how"]);
    }

    [Test]
    public async Task One_that_hangs_keeps_no_other_waiting_now_or_later()
    {
        var (hung, done) = (new TaskCompletionSource(), false);
        _health.AtFirstLook = (workspace, _, stopping) => workspace.Name == "hung" ? hung.Task : Task.CompletedTask;
        _settings = _settings with { Workspaces = [Site with { Name = "hung" }, Site] };

        Start();

        Shell.Until(() => _health.Why("site") is null, "the other is usable");
        _health.Report(Site, "odd");
        _settings = _settings with { Workspaces = [.. _settings.Workspaces, Site with { Name = "third" }] };
        _health.Wake();
        await Pass(() => _health.Why("site") is null && _health.Why("third") is null);
        _health.Why("hung").ShouldBe("it is being looked at");
        hung.SetResult();
        Shell.Until(() => done = _health.Why("hung") is null, "it came back");
        done.ShouldBeTrue();
    }

    [Test]
    public async Task A_shared_one_needs_its_directory_alone()
    {
        Site = Site with { Isolation = Isolation.Shared, Path = Path.Combine(_git.Path_, "plain") };
        Start();
        Shell.Until(() => _health.Trouble("site") is not null, "the trouble is known");
        _health.Why("site").ShouldBe($"its directory is not there: {Site.Path}");

        Directory.CreateDirectory(Site.Path);

        await Pass(() => _health.Why("site") is null);
    }

    private void Start() => _running = _health.RunAsync(_stop.Token);

    // Looks and the pauses between them, until it holds.
    private async Task Pass(Func<bool>? holds = null)
    {
        for (var i = 0; i < 1_000 && holds?.Invoke() != true; i++)
        {
            if (_time.NextTimer is { } next)
                _time.Advance(next);
            if (holds is null && i > 4)
                return;
            await Task.Delay(10);
        }
        (holds?.Invoke() ?? true).ShouldBeTrue();
    }
}
