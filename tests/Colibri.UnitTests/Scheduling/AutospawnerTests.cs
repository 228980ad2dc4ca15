using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

[NotInParallel]
public sealed class AutospawnerTests : IAsyncDisposable
{
    private const int UnexpectedFailure = 105;

    private readonly SupervisorFixture _fixture = new();
    private readonly FakeTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    public void Its_keeper_survives_a_failure_nobody_foresaw()
    {
        var arguments = new ThrowingArguments("-c", SupervisorFixture.Working, "--local") { Throws = true };
        var keeper = new Autospawner(
            _fixture.Supervisor,
            new ProviderRouter([], _ => null, [], _time, Random.Shared, _fixture.Logger),
            Secrets.None,
            new DaemonConfiguration { SocketPath = "/s", DatabasePath = "/d", SessionsDirectory = "/l", Host = "clawdie", AutospawnBinary = "sh" },
            new SpawnRequest { Binary = "sh", Runtime = "pi", Arguments = arguments },
            _time,
            _fixture.Logger,
            _fixture.Board);
        _running = keeper.RunAsync(_stop.Token);
        for (var failures = 1; failures <= 3; failures++)
        {
            Shell.Until(() => _fixture.Logger.Of(UnexpectedFailure).Count == failures && _time.NextTimer is not null, "the failure is logged, and the keeper backs off");
            keeper.Status.State.ShouldBe("backing-off");
            if (failures == 3)
                arguments.Throws = false;
            _time.Advance(TimeSpan.FromMinutes(5));
        }

        Shell.Until(() => keeper.Status.State == "running", "the agent is started as soon as it can be");
        _running.IsCompleted.ShouldBeFalse();
    }

    /// <summary>It may be what kills them. A restart must not start it at once each time, and an end that the daemon saw is no kill.</summary>
    [Test]
    [Arguments(4, 4, 8)]
    [Arguments(40, 150, 300)]
    public async Task Daemons_that_were_killed_under_it_make_the_next_start_it_later(int kills, int atLeast, int atMost)
    {
        await _fixture.Board.SetSettingAsync("autospawn.cut-short", $"{kills}");
        var keeper = new Autospawner(
            _fixture.Supervisor,
            new ProviderRouter([], _ => null, [], _time, Random.Shared, _fixture.Logger),
            Secrets.None,
            new DaemonConfiguration { SocketPath = "/s", DatabasePath = "/d", SessionsDirectory = "/l", Host = "clawdie", AutospawnBinary = "sh" },
            new SpawnRequest { Binary = "sh", Runtime = "pi", Arguments = new ThrowingArguments("-c", SupervisorFixture.Working, "--local") },
            _time,
            _fixture.Logger,
            _fixture.Board);
        _running = keeper.RunAsync(_stop.Token);
        Shell.Until(() => _time.NextTimer is not null, "it waits");
        (keeper.Status.State, _fixture.Supervisor.Running).ShouldBe(("backing-off", 0));
        _time.NextTimer.ShouldNotBeNull().TotalSeconds.ShouldBeInRange(atLeast, atMost);

        _time.Advance(TimeSpan.FromSeconds(atMost));

        Shell.Until(() => keeper.Status.State == "running", "it is started");
        (await _fixture.Board.GetSettingAsync("autospawn.cut-short")).ShouldBe($"{kills + 1}", "the next kill counts");
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        (await _fixture.Board.GetSettingAsync("autospawn.cut-short")).ShouldBeNull("the daemon stops in order");
    }

    [Test]
    public async Task A_keeper_that_failed_ends_without_an_exception_at_the_daemons_end()
    {
        var keeper = new Autospawner(
            _fixture.Supervisor,
            new ProviderRouter([], _ => null, [], _time, Random.Shared, _fixture.Logger),
            Secrets.None,
            new DaemonConfiguration { SocketPath = "/s", DatabasePath = "/d", SessionsDirectory = "/l", Host = "clawdie", AutospawnBinary = "sh" },
            new SpawnRequest { Binary = "sh", Runtime = "pi", Arguments = new ThrowingArguments { Throws = true } },
            _time,
            _fixture.Logger,
            _fixture.Board);
        var running = keeper.RunAsync(_stop.Token);
        Shell.Until(() => _fixture.Logger.Of(UnexpectedFailure).Count == 1 || running.IsCompleted, "it has failed");

        await _stop.CancelAsync();

        await running.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
    }
}
