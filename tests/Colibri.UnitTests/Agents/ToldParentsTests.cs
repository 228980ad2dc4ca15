using System.Text.Json;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents;

/// <summary>Every road by which an agent of the daemon gets a task tells it of the tasks before.</summary>
[NotInParallel]
public sealed class ToldParentsTests : IAsyncDisposable
{
    // What it is sent goes into a file, a line each.
    private const string Server = """
        while read -r line; do
            printf '%s\n' "$line" >> 'FILE'
            id=${line#*\"id\":\"}; id=${id%%\"*}
            echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
            case $line in *'"type":"prompt"'*) echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}'; echo '{"type":"agent_settled"}' ;; esac
        done
        """;

    private readonly SupervisorFixture _fixture = new();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task An_agent_that_is_started_for_the_task_is_told_at_each_try()
    {
        var parent = await _fixture.RunToEnd(SupervisorFixture.LifeCycle, await _fixture.Create("beams"));
        var child = await _fixture.Board.CreateAsync(new NewTask { Title = "roof", Description = "\"slate\"\nand 'nails' ünï", After = [parent.Id], MaxAttempts = 1 });
        var file = _fixture.PathOf("told");
        var script = $"printf '%s' \"$0\" > '{file}'\n{SupervisorFixture.LifeCycle}";

        await _fixture.RunToEnd(script, child);
        var told = await File.ReadAllTextAsync(file);
        told.ShouldBe(AgentLaunch.PromptOf((await _fixture.Board.GetWithParentsAsync(child.Id))!));
        told.ShouldStartWith("roof\n\n\"slate\"\nand 'nails' ünï\n\nWhat came before: ");
        told.ShouldEndWith("Task 1, done: beams\n\nThe last words of its agent:\n```\nmended\n```");
        (await _fixture.OnlyRun(child)).Arguments[^1].ShouldBe(told);

        await _fixture.Board.RetryAsync(child.Id, "Mind the north side.");
        await _fixture.RunToEnd(script, child);
        (await File.ReadAllTextAsync(file)).ShouldBe($"{told}\n\nMind the north side.");
    }

    [Test]
    public async Task An_agent_that_lives_already_is_told_as_well()
    {
        var parent = await _fixture.RunToEnd(SupervisorFixture.LifeCycle, await _fixture.Create("beams"));
        var child = await _fixture.Board.CreateAsync(new NewTask { Title = "roof", After = [parent.Id] });
        var file = _fixture.PathOf("told");
        var resident = await _fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request(Server.Replace("FILE", file, StringComparison.Ordinal)) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => resident.IsAtRest, "the resident agent is there");

        (await resident.TryAssignAsync(child.Id)).ShouldBeTrue();
        Shell.Until(() => _fixture.Board.Counts.Done == 2, "it is done");

        var prompt = (await File.ReadAllLinesAsync(file)).Select(line => JsonDocument.Parse(line).RootElement).Single(line => line.GetProperty("type").GetString() == "prompt");
        prompt.GetProperty("message").GetString().ShouldBe(AgentLaunch.PromptOf((await _fixture.Board.GetWithParentsAsync(child.Id))!));
        prompt.GetProperty("message").GetString()!.ShouldContain("\nmended\n");
    }

    [Test]
    public async Task A_parent_that_failed_is_told_with_why()
    {
        var parent = await _fixture.RunToEnd("echo '{\"type\":\"agent_start\"}'; exit 3", await _fixture.Create("beams", maxAttempts: 1));
        parent.Status.ShouldBe(TaskState.Failed);
        var child = await _fixture.Board.CreateAsync(new NewTask { Title = "roof", After = [parent.Id], OnFailed = OnFailed.Run });
        var file = _fixture.PathOf("told");

        await _fixture.RunToEnd($"printf '%s' \"$0\" > '{file}'\n{SupervisorFixture.LifeCycle}", child);

        (await File.ReadAllTextAsync(file)).ShouldContain($"Task 1, failed: beams\nIt is over without being done: {parent.Error!.Code}: ");
    }
}
