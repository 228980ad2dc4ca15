using Colibri.Mcp.Waiting;
using Colibri.UnitTests.Scheduling;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Colibri.UnitTests.Mcp.Waiting;

/// <summary>Which tasks are kept, and for how long.</summary>
public sealed class CallTasksTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Test]
    public async Task One_that_has_had_its_time_is_gone_and_its_call_given_up()
    {
        var time = new FakeTime();
        await using var tasks = new CallTasks(time);
        var task = tasks.Start(Minute, Endless);

        time.Advance(Minute - TimeSpan.FromMilliseconds(1));
        tasks.Find(task.Id).View.Phase.ShouldBe(TaskPhase.Working);
        time.Advance(TimeSpan.FromMilliseconds(1));

        Should.Throw<McpProtocolException>(() => tasks.Find(task.Id)).ErrorCode.ShouldBe(McpErrorCode.InvalidParams);
        tasks.All.ShouldBeEmpty();
        await task.Over.WaitAsync(TimeSpan.FromSeconds(20));
        task.View.Phase.ShouldBe(TaskPhase.Cancelled);
    }

    [Test]
    public async Task A_clock_that_is_set_changes_nothing_of_it()
    {
        var time = new FakeTime();
        await using var tasks = new CallTasks(time);
        var task = tasks.Start(Minute, Endless);

        time.SetClock(TimeSpan.FromDays(1));

        tasks.Find(task.Id).View.Phase.ShouldBe(TaskPhase.Working);
    }

    [Test]
    public async Task A_new_one_takes_the_place_of_the_oldest_that_is_over_and_of_none_that_is_not()
    {
        await using var tasks = new CallTasks(new FakeTime());
        var under = tasks.Start(Minute, Endless);
        var over = tasks.Start(Minute, (_, _) => Task.FromResult(new CallToolResult()));
        await over.Over;
        while (tasks.All.Count < CallTasks.MaxTasks)
            tasks.Start(Minute, Endless);

        var next = tasks.Start(Minute, Endless);

        tasks.All.Count.ShouldBe(CallTasks.MaxTasks);
        tasks.Find(under.Id).ShouldBe(under);
        tasks.Find(next.Id).ShouldBe(next);
        Should.Throw<McpProtocolException>(() => tasks.Find(over.Id));
        Should.Throw<McpProtocolException>(() => tasks.Start(Minute, Endless)).Message.ShouldStartWith("64 tasks are under way");
    }

    [Test]
    public async Task The_end_of_the_program_ends_every_call()
    {
        var tasks = new CallTasks(new FakeTime());
        var task = tasks.Start(Minute, Endless);

        await tasks.DisposeAsync();

        task.View.Phase.ShouldBe(TaskPhase.Cancelled);
    }

    [Test]
    public async Task What_is_over_stays_as_it_ended()
    {
        await using var tasks = new CallTasks(new FakeTime());
        var task = tasks.Start(Minute, (_, _) => Task.FromResult(new CallToolResult { IsError = true }));
        await task.Over;

        task.Say("something else");

        (await tasks.CancelAsync(task.Id)).ShouldBe(task.View);
        (task.View.Phase, task.View.Words).ShouldBe((TaskPhase.Failed, null));
    }

    private static async Task<CallToolResult> Endless(CallTask task, CancellationToken cancellation)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        return new CallToolResult();
    }
}
