using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Protocol.Client;

/// <summary>What FollowingTests and TaskWaitTests of the CLI do not show: panes, and one task under two names.</summary>
public sealed class TaskFollowingTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;
    private static readonly Pane Asking = Working with { Question = new AgentQuestion("q1", "confirm", "Delete it?") };

    [Test]
    public async Task A_task_under_two_names_is_shown_under_both()
    {
        await using var daemon = Daemon(Queued with { Number = 7 }, [], Json(new Event { Kind = "task", Topic = "tasks", At = Now, Task = Queued with { Number = 7, Status = TaskState.Done } }, Wire.Event));
        var follower = new Follower(["7", TaskId]);

        await Follow(daemon, follower, ["tasks"]);

        follower.Seen.Where(seen => seen.EndsWith("Done", StringComparison.Ordinal)).ShouldBe(["7 Done", $"{TaskId} Done"], ignoreOrder: true);
    }

    [Test]
    public async Task With_the_topic_panes_those_of_the_tasks_are_shown_before_any_event()
    {
        await using var daemon = Daemon(Queued, [Asking, Dead], "");
        var follower = new Follower([TaskId]) { EnoughPanes = 1 };

        await Follow(daemon, follower, ["tasks", "panes"]);

        follower.Panes.Select(pane => pane.Id).ShouldBe([AgentId]);
    }

    [Test]
    public async Task Without_the_topic_panes_nobody_asks_for_the_snapshot()
    {
        await using var daemon = Daemon(Queued with { Status = TaskState.Done }, [Asking], "");

        await Follow(daemon, new Follower([TaskId]), ["tasks"]);

        daemon.Requests.ShouldNotContain(line => line.Contains("snapshot", StringComparison.Ordinal));
    }

    private static Task Follow(FakeDaemon daemon, Follower follower, string[] topics)
    {
        var cancellation = TestContext.Current!.Execution.CancellationToken;
        return new TaskFollowing(daemon.SocketPath, follower, new Absence(TimeSpan.Zero, _ => { })).RunAsync(topics, cancellation, cancellation);
    }

    /// <summary>Answers get-task and snapshot, and sends the event once a task has been read twice or the snapshot once.</summary>
    private static FakeDaemon Daemon(BoardTask task, Pane[] panes, string change)
    {
        var (reads, subscriber) = (0, (FakeConnection?)null);
        return new FakeDaemon(async (line, connection) =>
        {
            if (line.Contains("subscribe", StringComparison.Ordinal))
            {
                subscriber = connection;
                await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
            }
            else if (line.Contains("snapshot", StringComparison.Ordinal))
            {
                await connection.SendAsync($$"""{"ok":true,"data":{{Json(new Snapshot(Snapshot.CurrentSchema, "here", Now, panes), Wire.Snapshot)}}}""");
            }
            else
            {
                await connection.SendAsync($$"""{"ok":true,"data":{{Json(task, Wire.BoardTask)}}}""");
                if (++reads == 2 && change.Length > 0)
                    await subscriber!.SendAsync(change);
            }
        });
    }

    private sealed class Follower(string[] names) : ITaskFollower
    {
        public int EnoughPanes { get; init; } = int.MaxValue;
        public List<string> Seen { get; } = [];
        public List<Pane> Panes { get; } = [];

        public IReadOnlyList<string> Followed => names;
        public bool HasSeenEnough => Panes.Count >= EnoughPanes || names.All(name => Seen.Contains($"{name} Done"));

        public void See(string name, BoardTask task) => Seen.Add($"{name} {task.Status}");

        public void See(Pane pane) => Panes.Add(pane);
    }
}
