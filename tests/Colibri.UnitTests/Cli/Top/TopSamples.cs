using System.Globalization;
using Colibri.Cli.Top;
using Colibri.Protocol.Wire;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Top;

/// <summary>A board as an operator meets it in the morning.</summary>
internal static class TopSamples
{
    public static readonly WorkChange Change = new()
    {
        Workspace = "site",
        Branch = "colibri/12-fix-the-login",
        Base = "0123456789abcdef0123456789abcdef01234567",
        Head = "89abcdef0123456789abcdef0123456789abcdef",
        Commits = 1,
        Files = 2,
        Insertions = 10,
        Deletions = 3,
        State = ChangeState.Open,
    };

    public static readonly AgentQuestion Select = new("q1", "select", "Which database?", "The tests need one.", ["postgres", "sqlite", "none"]);

    public static Pane Agent(int number, Activity activity = Activity.Working) => Working with
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"agent-{number}"),
        Label = string.Create(CultureInfo.InvariantCulture, $"a{number}"),
        Activity = activity,
        NeedsAttention = activity is Activity.Blocked or Activity.Error,
        TaskId = string.Create(CultureInfo.InvariantCulture, $"task-{number}"),
        TaskNumber = number,
        SessionId = string.Create(CultureInfo.InvariantCulture, $"session-{number}"),
        StartedAt = Now.AddSeconds(number),
    };

    public static BoardTask OnBoard(int number, TaskState state = TaskState.Queued) => Queued with
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"task-{number}"),
        Number = number,
        Title = string.Create(CultureInfo.InvariantCulture, $"Task number {number}"),
        Status = state,
    };

    public static InboxItem Item(InboxKind kind, int number, string message, params string[] actions) =>
        new(kind, string.Create(CultureInfo.InvariantCulture, $"task-{number}"), number, null, null, Now.AddMinutes(-5), message, actions)
        {
            Title = string.Create(CultureInfo.InvariantCulture, $"Task number {number}"),
        };

    public static TopModel Morning()
    {
        var model = new TopModel();
        model.Take(Status with
        {
            Budget = new BudgetState { Day = "2026-11-22", DayMicrocents = 1_000_000_000, SpentMicrocents = 123_450_000, UnpricedTokens = 0, Held = false },
            Queue = new QueueState([new QueuePause("deepseek", null, Now, "its plan is used up")]),
        });
        model.TakeAll(
            [
                OnBoard(1, TaskState.Started) with { Title = "Fix the login test" },
                OnBoard(2, TaskState.Started) with { Title = "修正 the 🐦 of\e[31m the start page" },
                OnBoard(3, TaskState.Started),
                OnBoard(7) with { Priority = 5, BlockedBy = [new BlockedBy("slots", "4 of 4 agents run")] },
                OnBoard(6) with { Held = true, BlockedBy = [new BlockedBy("held", "release it: colibri release-task 6")] },
                OnBoard(8),
            ],
            more: 0);
        model.TakeAll(
        [
            Agent(1),
            Agent(2, Activity.Blocked) with { Tool = null, Question = Select },
            Agent(3, Activity.Error) with { Error = "529 overloaded_error\nafter four tries", Unknown = ["cost"] },
            Agent(4) with { Lifecycle = Lifecycle.Stopped, Exit = new ProcessExit(Signal: 9), LastEventAt = Now.AddSeconds(90), TaskId = null, TaskNumber = null, Tool = null, LastEvent = "turn_end" },
        ]);
        model.Take(new InboxReport(
        [
            Item(InboxKind.Question, 2, "Which database?", "answer", "stop-agent") with { AgentId = "agent-2", Label = "a2", Question = Select },
            Item(InboxKind.Review, 12, "1 commit, 2 files, +10 -3", "get-change", "land-task", "discard-task") with { Change = Change },
            Item(InboxKind.Failed, 13, "agent-error: 529 overloaded_error", "retry-task", "delete-task"),
            Item(InboxKind.Held, 6, "held by hand", "release-task", "cancel-task"),
            new InboxItem(InboxKind.Paused, null, null, null, null, Now, "provider deepseek is paused", ["resume-queue"]) { Name = "deepseek" },
        ]));
        return model;
    }
}
