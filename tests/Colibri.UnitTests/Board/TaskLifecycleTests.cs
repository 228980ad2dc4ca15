using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

public sealed class TaskLifecycleTests
{
    // Written out from the contract, not from the table under test.
    private static readonly HashSet<(TaskState From, TaskState To)> Edges =
    [
        (TaskState.Queued, TaskState.Claimed),
        (TaskState.Queued, TaskState.Cancelled),
        (TaskState.Claimed, TaskState.Started),
        (TaskState.Claimed, TaskState.Queued),
        (TaskState.Claimed, TaskState.Cancelled),
        (TaskState.Started, TaskState.Done),
        (TaskState.Started, TaskState.Failed),
        (TaskState.Started, TaskState.Queued),
        (TaskState.Started, TaskState.Cancelled),
    ];

    public static List<(TaskState, TaskState)> Pairs()
    {
        var pairs = new List<(TaskState, TaskState)>();
        foreach (var from in Enum.GetValues<TaskState>())
        {
            foreach (var to in Enum.GetValues<TaskState>())
                pairs.Add((from, to));
        }
        return pairs;
    }

    [Test]
    public void The_table_covers_every_state() => Enum.GetValues<TaskState>().Length.ShouldBe(6);

    [Test]
    [MethodDataSource(nameof(Pairs))]
    public void The_table_allows_the_edges_of_the_contract_and_no_other(TaskState from, TaskState to)
    {
        TaskLifecycle.Allows(from, to).ShouldBe(Edges.Contains((from, to)));
        TaskLifecycle.Sources(to).Contains(from).ShouldBe(Edges.Contains((from, to)));
    }

    [Test]
    public void Done_failed_and_cancelled_are_final() =>
        Enum.GetValues<TaskState>().Where(TaskLifecycle.IsFinal).ShouldBe([TaskState.Done, TaskState.Failed, TaskState.Cancelled]);

    [Test]
    [MethodDataSource(nameof(Pairs))]
    public async Task A_transition_follows_an_edge_or_is_a_conflict_that_changes_nothing(TaskState from, TaskState to)
    {
        await using var fixture = new BoardFixture();
        var before = await fixture.CreateIn(from);

        var result = await fixture.Board.TransitionAsync(before.Id, to, null);

        // Claiming takes a claimant, which a transition does not name.
        var expected = to != TaskState.Claimed && Edges.Contains((from, to));
        result.Outcome.ShouldBe(expected ? EdgeOutcome.Applied : EdgeOutcome.Conflict);
        var after = (await fixture.Board.GetAsync(before.Id))!;
        after.Status.ShouldBe(expected ? to : from);
        result.Task!.Status.ShouldBe(after.Status);
        if (!expected)
        {
            result.Reason.ShouldNotBeNull().ShouldStartWith($"task {before.Id} is {from.ToString().ToLowerInvariant()}");
            after.UpdatedAt.ShouldBe(before.UpdatedAt);
        }
    }

    [Test]
    [Arguments(TaskState.Queued, true)]
    [Arguments(TaskState.Claimed, false)]
    [Arguments(TaskState.Started, false)]
    [Arguments(TaskState.Done, false)]
    [Arguments(TaskState.Failed, false)]
    [Arguments(TaskState.Cancelled, false)]
    public async Task Only_a_queued_task_can_be_claimed(TaskState from, bool expected)
    {
        await using var fixture = new BoardFixture();
        var before = await fixture.CreateIn(from);

        var result = await fixture.Board.ClaimAsync(before.Id, "late");

        result.Outcome.ShouldBe(expected ? EdgeOutcome.Applied : EdgeOutcome.Conflict);
        var after = (await fixture.Board.GetAsync(before.Id))!;
        after.AgentId.ShouldBe(expected ? "late" : before.AgentId);
        after.Attempts.ShouldBe(expected ? before.Attempts + 1 : before.Attempts);
        if (!expected)
            result.Reason.ShouldBe($"task {before.Id} is {from.ToString().ToLowerInvariant()}, not queued");
    }
}
