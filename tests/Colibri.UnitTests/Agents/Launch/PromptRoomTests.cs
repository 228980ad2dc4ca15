using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Launch;

/// <summary>A task of any length reaches its agent whole, or is refused with the way out before it has cost anything.</summary>
public sealed class PromptRoomTests
{
    private const string Title = "mend the roof";

    /// <summary>Writes down the arguments it got, then what was on its standard input.</summary>
    private const string Teller = """
        printf '%s\n' "$#" > ARGUMENTS
        cat > INPUT
        """ + "\n" + SupervisorFixture.LifeCycle;

    [Test]
    [Arguments(null, "", false, null, true)]
    [Arguments("/opt/my-agent", "", false, null, false)]
    [Arguments("/opt/my-agent", "--mode rpc", false, null, true)]
    [Arguments("claude", "", false, null, true)]
    [Arguments("codex", "exec --json", false, null, true)]
    [Arguments("opencode", "", false, null, true)]
    [Arguments("pi", "", false, null, true)]
    [Arguments("zot", "", false, null, true)]
    [Arguments("/opt/my-agent", "", true, "zot", true)]
    [Arguments("/opt/my-agent", "", true, "my-agent", false)]
    [Arguments(null, "", true, "my-agent", true)]
    public void A_task_is_refused_if_no_configured_agent_could_take_it(string? binary, string arguments, bool autospawn, string? resident, bool isTaken)
    {
        var configuration = new DaemonConfiguration
        {
            SocketPath = "/s",
            DatabasePath = "/d",
            SessionsDirectory = "/l",
            Host = "clawdie",
            CostMode = CostMode.Max,
            AgentBinary = binary,
            AgentArguments = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Autospawn = autospawn,
            AutospawnBinary = resident ?? "zot",
        };
        PromptRoom.Refusal(configuration, Title, new string('x', 131_071 - Title.Length - 2)).ShouldBeNull();
        PromptRoom.Refusal(configuration, Title, new string('x', 131_071 - Title.Length - 1))
            .ShouldBe(isTaken ? null : "the prompt is 131072 bytes long, and this agent takes it as one argument of at most 131071: shorten it, name a file that holds it, or use an agent that reads prompts on standard input (rpc)");
        PromptRoom.Refusal(configuration, Title, new string('\u20AC', 50_000)).ShouldBe(isTaken ? null : PromptRoom.Refusal(configuration, Title, new string('\u20AC', 50_000)));
    }

    [Test]
    [Arguments("claude", "0")]
    [Arguments("codex", "1")]
    [Arguments("opencode", "0")]
    [Arguments("qwen", "0")]
    [Arguments("copilot", "0")]
    [Arguments("pi", "0")]
    public async Task A_description_of_megabytes_reaches_the_agent_whole_on_standard_input_which_is_then_closed(string kind, string arguments)
    {
        await using var fixture = new SupervisorFixture();
        var description = string.Concat(Enumerable.Range(0, 150_000).Select(i => $"{i:x5} \u20AC é\n"));
        var task = await fixture.Create(Title, description);
        // The shell's own arguments are the kind's: what stands in the prompt's place is its $0.
        var script = Script(fixture);

        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "sh", Runtime = kind, Arguments = ["-c", script, "sh"], TaskId = task.Id }));

        (await File.ReadAllTextAsync(fixture.PathOf("INPUT"), TestContext.Current!.Execution.CancellationToken)).ShouldBe($"{Title}\n\n{description}");
        (await File.ReadAllTextAsync(fixture.PathOf("ARGUMENTS"), TestContext.Current!.Execution.CancellationToken)).Trim().ShouldBe(arguments);
        var session = fixture.Sessions.Read((await fixture.Get(task)).SessionId!, all: true)!;
        session.Entries[0].Text.ShouldBe($"{Title}\n\n{description}");
        (await fixture.OnlyRun(task)).Arguments.Sum(argument => argument.Length).ShouldBeLessThan(10_000, "the board keeps the prompt once");
    }

    [Test]
    [Arguments("exit 0")]
    [Arguments("exec <&-; exec sleep 0.2")]
    [Arguments("head -c 10 >/dev/null")]
    public async Task An_agent_that_does_not_read_it_all_ends_as_it_would_without(string script)
    {
        await using var fixture = new SupervisorFixture();
        var task = await fixture.Create(Title, new string('x', 2_000_000), maxAttempts: 1);

        var agent = await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "sh", Runtime = "pi", Arguments = ["-c", $"{SupervisorFixture.LifeCycle}\n{script}"], TaskId = task.Id });

        await SupervisorFixture.End(agent);
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Done);
        fixture.Logger.Of(105).ShouldBeEmpty();
    }

    [Test]
    public async Task One_that_never_reads_can_be_stopped()
    {
        await using var fixture = new SupervisorFixture();
        var task = await fixture.Create(Title, new string('x', 2_000_000), maxAttempts: 1);
        var agent = await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "sh", Runtime = "claude", Arguments = ["-c", "exec sleep 300"], TaskId = task.Id });

        fixture.Supervisor.TryStop(agent.Id, AgentSupervisor.DefaultGrace);

        await SupervisorFixture.End(agent);
        agent.ToPane().Exit.ShouldBe(new ProcessExit(null, 15), "it got its signal, and no early end of its input");
        (await fixture.Get(task)).Error!.Code.ShouldBe(RunVerdict.Stopped);
    }

    [Test]
    public async Task Without_such_a_way_a_client_is_refused_before_the_task_is_claimed()
    {
        await using var fixture = new SupervisorFixture();
        var task = await fixture.Create(Title, new string('x', 131_072));
        var byDefault = new SpawnRequest { Binary = "sh", Runtime = "local", Arguments = ["-c", "true"], TaskId = task.Id };

        foreach (var request in new[] { byDefault, byDefault with { TaskId = null, Prompt = new string('\u20AC', 43_691) } })
        {
            var refused = await Should.ThrowAsync<SpawnRefusedException>(() => PromptRoom.RefuseTooLongAsync(request, fixture.Board.GetAsync));
            refused.Refusal.ShouldBe(SpawnRefusal.PromptTooLong);
            refused.Message.ShouldContain("at most 131071");
            refused.Message.ShouldContain("rpc");
        }
        foreach (var request in new[] { byDefault with { Rpc = true }, byDefault with { Runtime = "claude" }, byDefault with { Prompt = "short" }, byDefault with { TaskId = "unknown" } })
            await PromptRoom.RefuseTooLongAsync(request, fixture.Board.GetAsync);
        (await fixture.Get(task)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));
    }

    [Test]
    public async Task A_task_that_came_onto_the_board_all_the_same_fails_once_with_the_way_out_and_the_program_is_not_blamed()
    {
        await using var fixture = new SupervisorFixture();
        for (var i = 0; i < CrashBreaker.TripsAfter; i++)
        {
            var task = await fixture.Create(Title, new string('x', 131_072));
            await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "sh", Arguments = ["-c", "true"], TaskId = task.Id }));
            var failed = await fixture.Get(task);
            (failed.Status, failed.Error!.Code).ShouldBe((TaskState.Failed, RunVerdict.SpawnFailed));
            failed.Error.Message.ShouldContain("shorten it, name a file that holds it, or use an agent that reads prompts on standard input (rpc)");
        }
        fixture.Supervisor.MayStart("sh").ShouldBeTrue();
    }

    private static string Script(SupervisorFixture fixture) => Teller.Replace("ARGUMENTS", fixture.PathOf("ARGUMENTS"), StringComparison.Ordinal).Replace("INPUT", fixture.PathOf("INPUT"), StringComparison.Ordinal);
}
