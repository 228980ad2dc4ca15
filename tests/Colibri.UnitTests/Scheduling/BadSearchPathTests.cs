using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Daemon.Hosting;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Agents.Launch;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

/// <summary>What stands in a program's place on the search path is passed over, on every road that looks for a program.</summary>
[NotInParallel]
public sealed class BadSearchPathTests : IAsyncDisposable
{
    private const int UnexpectedFailure = 105;

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-bad-path-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private SupervisorFixture? _fixture;
    private Task _running = Task.CompletedTask;

    public static List<string> Kinds => [.. BadPathEntry.Kinds];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        if (_fixture is not null)
            await _fixture.DisposeAsync();
        BadPathEntry.Open(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task A_capability_of_that_name_is_not_there_and_holds_nobody_up(string kind)
    {
        var fixture = Create(kind, isThere: false);
        var odd = await fixture.Create(capabilities: [BadPathEntry.Program]);
        var good = await fixture.Create(capabilities: ["code"]);

        Schedule(fixture, "pi");

        Shell.Until(() => fixture.Board.Counts.Done == 1, "the task behind it is done");
        (await fixture.Get(good)).Status.ShouldBe(TaskState.Done);
        (await fixture.Get(odd)).Status.ShouldBe(TaskState.Queued);
        fixture.Logger.Of(UnexpectedFailure).ShouldBeEmpty();
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task A_capability_of_that_name_is_found_further_on(string kind)
    {
        var fixture = Create(kind);
        var task = await fixture.Create(capabilities: [BadPathEntry.Program]);

        Schedule(fixture, "pi");

        Shell.Until(() => fixture.Board.Counts.Done == 1, "the task is done");
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Done);
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task The_configured_agent_is_found_further_on(string kind)
    {
        var fixture = Create(kind);
        var task = await fixture.Create();

        Schedule(fixture, BadPathEntry.Program);

        Shell.Until(() => fixture.Board.Counts.Done == 1, "the task is done");
        (await fixture.OnlyRun(task)).Binary.ShouldBe(Path.Combine(_directory, "good", BadPathEntry.Program));
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task A_spawned_agent_is_found_further_on(string kind)
    {
        var fixture = Create(kind);
        var task = await fixture.Create();

        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = BadPathEntry.Program, Runtime = "pi", TaskId = task.Id }));

        (await fixture.OnlyRun(task)).Binary.ShouldBe(Path.Combine(_directory, "good", BadPathEntry.Program));
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task A_spawned_agent_that_is_nowhere_is_refused_before_its_task_is_claimed_and_one_that_cannot_run_fails_it(string kind)
    {
        var fixture = Create(kind, isThere: false);
        var task = await fixture.Create();

        var refused = await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = BadPathEntry.Program, TaskId = task.Id }));

        // What is there and cannot be executed is a start that failed: its task has the words.
        if (kind is "not executable" or "executable for nobody here")
        {
            refused.Message.ShouldContain("it is not executable");
            (await fixture.Get(task)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Failed), t => t.Error!.Message.ShouldBe(refused.Message));
            return;
        }
        refused.Message.ShouldContain("cannot find an executable 'gizmo'");
        (await fixture.Get(task)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public void The_autospawned_agent_is_found_further_on(string kind)
    {
        var fixture = Create(kind, body: SupervisorFixture.Working);
        var configuration = new DaemonConfiguration
        {
            SocketPath = fixture.PathOf("colibri.sock"),
            DatabasePath = fixture.PathOf("board.sqlite"),
            SessionsDirectory = fixture.PathOf("sessions"),
            Host = "clawdie",
            AutospawnBinary = BadPathEntry.Program,
            AutospawnArguments = ["--local"],
        };
        var router = new ProviderRouter([], _ => null, [], TimeProvider.System, Random.Shared, fixture.Logger);
        var keeper = new Autospawner(
            fixture.Supervisor, router, Secrets.None, configuration, SchedulerCandidates.Resident(configuration, fixture.Programs, []), TimeProvider.System, fixture.Logger, fixture.Board);

        _running = keeper.RunAsync(_stop.Token);

        Shell.Until(() => keeper.Status.State == "running", "the agent runs");
    }

    private SupervisorFixture Create(string kind, bool isThere = true, string body = SupervisorFixture.LifeCycle)
    {
        var good = Directory.CreateDirectory(Path.Combine(_directory, "good")).FullName;
        foreach (var name in isThere ? (string[])["pi", BadPathEntry.Program] : ["pi"])
        {
            File.WriteAllText(Path.Combine(good, name), $"#!/bin/sh\n{body}\n");
            File.SetUnixFileMode(Path.Combine(good, name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        return _fixture = new SupervisorFixture(searchPath: $"{BadPathEntry.Make(_directory, kind)}:{good}:/usr/bin:/bin");
    }

    /// <summary>As the daemon puts it together.</summary>
    private void Schedule(SupervisorFixture fixture, string binary)
    {
        var configuration = new DaemonConfiguration
        {
            SocketPath = fixture.PathOf("colibri.sock"),
            DatabasePath = fixture.PathOf("board.sqlite"),
            SessionsDirectory = fixture.PathOf("sessions"),
            Host = "clawdie",
            AgentBinary = binary,
        };
        var candidates = SchedulerCandidates.From(new ColibriSettings { Daemon = configuration }, fixture.Programs, [])
            .Select(candidate => candidate with { Template = candidate.Template with { Runtime = "pi" } });
        var scheduler = fixture.Engine.Schedule([.. candidates]);
        fixture.Supervisor.SlotFreed += scheduler.Wake;
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
    }
}
