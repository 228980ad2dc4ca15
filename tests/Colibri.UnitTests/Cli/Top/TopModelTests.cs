using Colibri.Cli.Top;
using Colibri.Protocol.Wire;
using static Colibri.UnitTests.Cli.Output.Samples;
using static Colibri.UnitTests.Cli.Top.TopSamples;

namespace Colibri.UnitTests.Cli.Top;

public sealed class TopModelTests
{
    private static Event Of(Pane pane) => new() { Kind = "pane", Topic = "panes", At = Now, Pane = pane };

    private static Event Of(BoardTask task) => new() { Kind = "task", Topic = "tasks", At = Now, Task = task };

    [Test]
    public void Living_agents_stand_in_the_order_of_their_start_and_ended_ones_behind_them()
    {
        var model = Morning();
        model.Agents.Select(pane => pane.Label).ShouldBe(["a1", "a2", "a3", "a4"]);
        model.Living.ShouldBe(3);

        model.Take(Of(Agent(1) with { Lifecycle = Lifecycle.Stopped }));
        model.Agents.Select(pane => pane.Label).ShouldBe(["a2", "a3", "a4", "a1"]);

        model.Take(Of(Agent(9)));
        model.Agents.Select(pane => pane.Label).ShouldBe(["a2", "a3", "a9", "a4", "a1"]);
    }

    [Test]
    public void The_queue_stands_in_the_order_of_its_starts()
    {
        var model = Morning();
        model.Queue.Select(task => task.Number).ShouldBe([7, 6, 8]);

        model.Take(Of(OnBoard(7, TaskState.Started)));
        model.Take(Of(OnBoard(9) with { Priority = 1 }));
        model.Queue.Select(task => task.Number).ShouldBe([9, 6, 8]);
    }

    [Test]
    public void Of_ended_agents_the_latest_twenty_are_shown()
    {
        var model = new TopModel();
        model.TakeAll(Enumerable.Range(1, 256).Select(number => Agent(number) with { Lifecycle = Lifecycle.Stopped }));
        model.Agents.Select(pane => pane.Label).ShouldBe(Enumerable.Range(237, 20).Reverse().Select(number => $"a{number}"));
    }

    [Test]
    public void Beyond_the_limit_what_is_over_goes_first_and_the_rest_is_counted()
    {
        var model = new TopModel();
        model.TakeAll(Enumerable.Range(1, TopModel.MostHeld).Select(number => Agent(number)));
        model.TakeAll(Enumerable.Range(1, TopModel.MostHeld).Select(number => OnBoard(number)), more: 5);
        model.NotShown.ShouldBe(5);

        model.Take(Of(Agent(5_000)));
        model.Take(Of(OnBoard(5_000)));
        model.NotShown.ShouldBe(7);
        model.Agents.Count.ShouldBe(TopModel.MostHeld);

        model.Take(Of(Agent(1) with { Lifecycle = Lifecycle.Stopped }));
        model.Take(Of(Agent(5_001)));
        model.Take(Of(OnBoard(1, TaskState.Done)));
        model.Take(Of(OnBoard(5_001)));
        model.NotShown.ShouldBe(7);
        model.PaneOf("agent-5001").ShouldNotBeNull();
        model.PaneOf("agent-1").ShouldBeNull();
        model.TaskOf("task-5001").ShouldNotBeNull();
    }

    [Test]
    public void Newer_words_of_the_queue_do_not_bring_back_what_an_event_has_changed()
    {
        var model = new TopModel();
        model.TakeAll([OnBoard(1)], more: 0);
        model.Take(Of(OnBoard(1, TaskState.Started) with { UpdatedAt = Now.AddSeconds(1) }));
        model.Renew([OnBoard(1) with { BlockedBy = [new BlockedBy("slots", "none is free")] }, OnBoard(2)]);
        model.Queue.Select(task => task.Number).ShouldBe([2]);
    }

    [Test]
    public void Long_texts_of_a_task_are_not_kept()
    {
        var model = new TopModel();
        model.Take(Of(OnBoard(1) with { Description = new string('x', 100_000), Feedback = new string('x', 100_000), Result = new TaskResult(new string('x', 60_000)) }));
        var held = model.TaskOf("task-1").ShouldNotBeNull();
        (held.Description, held.Feedback, held.Result!.Text.Length).ShouldBe(("", null, 512));
    }

    [Test]
    public void An_event_of_the_budget_is_the_money_of_the_day()
    {
        var model = Morning();
        model.Take(new Event { Kind = "budget", Topic = "cost", At = Now, Budget = model.Budget! with { Held = true } });
        model.Budget!.Held.ShouldBeTrue();
    }
}
