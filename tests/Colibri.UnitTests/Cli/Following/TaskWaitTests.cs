using Colibri.Cli;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Following;

/// <summary>A wait for several tasks; FollowingTests has the one for one.</summary>
public sealed class TaskWaitTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    private static string Event(BoardTask task) => Json(new Event { Kind = "task", Topic = "tasks", At = Now, Task = task }, Wire.Event);

    private static BoardTask One(long number, TaskState state) => Queued with { Id = $"t{number}", Number = number, Status = state };

    /// <summary>Answers get-task with what each task is, and sends the events once all have been read.</summary>
    private static FakeDaemon Following(BoardTask[] tasks, params BoardTask[] changes)
    {
        var (read, subscriber) = (0, (FakeConnection?)null);
        return new FakeDaemon(async (line, connection) =>
        {
            if (line.Contains("subscribe", StringComparison.Ordinal))
            {
                subscriber = connection;
                await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
                return;
            }
            var task = tasks.Single(task => line.Contains($"\"task_id\":\"{task.Number}\"", StringComparison.Ordinal));
            await connection.SendAsync($$"""{"ok":true,"data":{{Json(task, Wire.BoardTask)}}}""");
            if (++read != tasks.Length)
                return;
            foreach (var change in changes)
                await subscriber!.SendAsync(Event(change));
        });
    }

    [Test]
    [Arguments(TaskState.Done, TaskState.Done, ExitCodes.Done)]
    [Arguments(TaskState.Done, TaskState.Failed, ExitCodes.Refused)]
    [Arguments(TaskState.Done, TaskState.Cancelled, ExitCodes.Cancelled)]
    [Arguments(TaskState.Cancelled, TaskState.Failed, ExitCodes.Refused)]
    [Arguments(TaskState.Failed, TaskState.Cancelled, ExitCodes.Refused)]
    public async Task It_ends_with_the_last_and_the_worst_end_counts(TaskState first, TaskState second, int exitCode)
    {
        await using var daemon = Following([One(1, TaskState.Queued), One(2, TaskState.Started)], One(2, second), One(3, TaskState.Failed), One(1, first));

        var run = await CliRun.OfAsync(["wait", "1", "2", "--socket", daemon.SocketPath]);

        run.ExitCode.ShouldBe(exitCode);
        (run.Out + run.Error).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }

    [Test]
    [Arguments(TaskState.Done, ExitCodes.Done)]
    [Arguments(TaskState.Failed, ExitCodes.Refused)]
    [Arguments(TaskState.Cancelled, ExitCodes.Cancelled)]
    public async Task With_any_the_first_end_is_enough(TaskState end, int exitCode)
    {
        await using var daemon = Following([One(1, TaskState.Queued), One(2, TaskState.Started)], One(2, end));

        var run = await CliRun.OfAsync(["wait", "--any", "1", "2", "--socket", daemon.SocketPath]);

        run.ExitCode.ShouldBe(exitCode);
        (run.Out + run.Error).ShouldContain("task 2 is");
        (run.Out + run.Error).ShouldNotContain("task 1");
    }

    [Test]
    public async Task With_any_one_that_is_over_already_is_enough()
    {
        await using var daemon = Following([One(1, TaskState.Done), One(2, TaskState.Started)]);

        (await CliRun.OfAsync(["wait", "1", "2", "--any", "--socket", daemon.SocketPath])).ExitCode.ShouldBe(ExitCodes.Done);
    }

    [Test]
    public async Task Out_of_time_each_that_is_not_over_is_named()
    {
        await using var daemon = Following([One(1, TaskState.Queued), One(2, TaskState.Done), One(3, TaskState.Started)]);

        var run = await CliRun.OfAsync(["wait", "1", "2", "3", "--timeout", "0.2", "--socket", daemon.SocketPath]);

        run.ExitCode.ShouldBe(ExitCodes.TimedOut);
        run.Error.ShouldBe("colibri: task 1 is queued after 200 ms (go on waiting: colibri wait 1)\ncolibri: task 3 is started after 200 ms (go on waiting: colibri wait 3)\n");
    }
}
