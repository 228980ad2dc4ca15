using Colibri.Core;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Panes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Scheduling;

/// <summary>
/// One theory over everything that takes a time: the host's clock is set forward and back while it runs, and it is over neither sooner nor later.
/// Ticks and back-offs on the board are in BoardSchedulerTests and ClockWatchTests, leases with the restart of a daemon in RegistryTests.
/// </summary>
public sealed class TimedThingsTests
{
    private static readonly DaemonConfiguration Plain = new() { SocketPath = "/s", DatabasePath = "/d", SessionsDirectory = "/e", Host = "h", QuestionTimeout = TimeSpan.FromHours(1) };

    private static readonly TimeSpan[] Steps = [TimeSpan.FromDays(2), TimeSpan.FromDays(-2), TimeSpan.FromHours(-1), TimeSpan.FromMinutes(6)];

    /// <summary>Begins the thing on a clock; how long it takes, and whether it is over.</summary>
    private static readonly (string Name, Func<FakeTime, (TimeSpan Length, Func<bool> IsOver)> Begin)[] Things =
    [
        ("the first event", time => Limit(time, Plain.FirstEventTimeout, "pi")),
        ("silence after the opening line", time => Limit(time, Plain.FirstEventTimeout, "pi", """{"type":"session","id":"s"}""")),
        ("silence at work", time => Limit(time, Plain.SilenceTimeout, "pi", """{"type":"agent_start"}""")),
        ("a tool call", time => Limit(time, Plain.ToolTimeout, "pi", """{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""")),
        ("background work", time => Limit(time, Plain.ToolTimeout, "claude", """{"type":"system","subtype":"background_tasks_changed","tasks":[{"description":"serve"}]}""", """{"type":"result","subtype":"success"}""")),
        ("errors", time => Limit(time, Plain.FirstEventTimeout, "codex", """{"type":"error","message":"Reconnecting... 1/5"}""")),
        ("a stated wait", time => Limit(time, Plain.SilenceTimeout + TimeSpan.FromSeconds(40), "claude", """{"type":"system","subtype":"api_retry","retry_delay_ms":40000}""")),
        ("a question", time => Limit(time, Plain.QuestionTimeout!.Value, "pi", """{"type":"agent_start"}""", """{"type":"extension_ui_request","id":"1","method":"confirm"}""")),
        ("the exit", time => Limit(time, RunLimits.QuietAfterEnd, "pi", """{"type":"agent_end","messages":[],"willRetry":false}""")),
        ("the run", time => Limit(time, Plain.RunTimeout, "local")),
        ("a program's rest", Breaker),
        ("a route's rest", Route),
        ("a response", Response),
        ("a wait that is fair", time => (TimeSpan.FromMinutes(1) + FairWait.Confirmation, Waiting(time, wait => FairWait.ElapseAsync(TimeSpan.FromMinutes(1), wait, default)))),
    ];

    public static IEnumerable<(string, TimeSpan)> ThingsAndSteps() => Things.SelectMany(thing => Steps.Select(step => (thing.Name, step)));

    [Test]
    [MethodDataSource(nameof(ThingsAndSteps))]
    public void What_takes_a_time_takes_it_whatever_the_clock_is_set_to(string name, TimeSpan step)
    {
        var time = new FakeTime();
        var (length, isOver) = Things.Single(thing => thing.Name == name).Begin(time);
        // An eighth of a second before its end, and at its end, whatever was set at half the way and just before.
        Pass(time, length / 2);
        time.SetClock(step);
        isOver().ShouldBeFalse("half of it is over");
        Pass(time, length - length / 2 - TimeSpan.FromMilliseconds(125));
        isOver().ShouldBeFalse("an eighth of a second is left");
        time.SetClock(-2 * step);
        isOver().ShouldBeFalse("an eighth of a second is left");
        Pass(time, TimeSpan.FromMilliseconds(125));
        Shell.Until(isOver, "it is over");
    }

    [Test]
    [Arguments(48)]
    [Arguments(-48)]
    public async Task A_session_is_in_the_order_in_which_it_was_written(int hours)
    {
        using var fixture = new SessionFixture();
        var sessions = fixture.Open();
        await sessions.AppendAsync("s", SessionFixture.Note("one"));
        fixture.Time.SetClock(TimeSpan.FromHours(hours));
        await sessions.AppendAsync("s", SessionFixture.Note("two"));
        fixture.Time.SetClock(TimeSpan.FromHours(-2 * hours));
        await sessions.AppendAsync("s", SessionFixture.Note("three"));
        var entries = sessions.Read("s", all: true)!.Entries;
        entries.Select(entry => (entry.Seq, entry.Text)).ShouldBe([(1L, "one"), (2L, "two"), (3L, "three")]);
    }

    /// <summary>The day of a budget is a day of the clock that people read: it is stated, and what was spent on a day stays on it.</summary>
    [Test]
    [Arguments(48)]
    [Arguments(-48)]
    public void The_budgets_day_is_that_of_the_clock_and_is_stated(int hours)
    {
        var time = new FakeTime();
        var budgets = new Budgets(null, 100, new EventHub(time), time);
        budgets.Spend(200, 0);
        (budgets.State.Day, budgets.IsHeld).ShouldBe(("2026-11-22", true));
        time.SetClock(TimeSpan.FromHours(hours));
        var state = budgets.State;
        state.Day.ShouldBe(hours > 0 ? "2026-11-24" : state.Day);
        (state.Held, state.SpentMicrocents).ShouldBe(hours > 0 ? (false, 0) : (state.Held, state.SpentMicrocents));
    }

    // Timers that are due are fired, and what they wake up may set another one a moment later.
    private static void Pass(FakeTime time, TimeSpan length)
    {
        while (time.NextTimer is { } next && next < length)
        {
            var due = next > TimeSpan.Zero ? next : TimeSpan.Zero;
            time.Advance(due);
            length -= due;
            Shell.Until(() => time.NextTimer is null or { Ticks: > 0 }, "the timer has fired");
            // A wait that goes on sets its next timer at once; one that is over sets none.
            SpinWait.SpinUntil(() => time.NextTimer is not null, TimeSpan.FromMilliseconds(200));
        }
        time.Advance(length);
    }

    private static (TimeSpan, Func<bool>) Limit(FakeTime time, TimeSpan length, string kind, params string[] lines)
    {
        var (begin, run) = (time.GetTimestamp(), new Run(null, "s", default, 0));
        var pane = new AgentPane(new PaneIdentity("id", kind, kind), AgentProfiles.For(kind, null).Dialect, time);
        foreach (var line in lines) pane.Say(line);
        return (length, () => RunLimits.Ask(new RunLook
        {
            Run = run,
            Report = run.Of(pane.Run),
            Settings = Plain,
            Budgets = new Budgets(null, null, new EventHub(time), time),
            Age = time.GetElapsedTime(begin),
            Told = time.GetElapsedTime(begin),
            Times = pane.Times(),
            Question = pane.Question,
            PrintsEvents = kind != "local",
            HasPrompt = true,
            IsRpc = true,
        }).Ends);
    }

    private static (TimeSpan, Func<bool>) Breaker(FakeTime time)
    {
        var breaker = new CrashBreaker(time, new CollectingLogger());
        for (var crash = 0; crash < CrashBreaker.TripsAfter; crash++)
            breaker.Report("/bin/x", crashed: true);
        return (TimeSpan.FromMinutes(1), () => breaker.RestsUntil("/bin/x") is null);
    }

    private static (TimeSpan, Func<bool>) Route(FakeTime time)
    {
        var router = new ProviderRouter([new ProviderRoute("p", null)], _ => "key", [], time, new Random(1), new CollectingLogger());
        router.Report("p", null, ProviderFailure.Overload, "429", time.GetUtcNow().AddHours(1));
        return (TimeSpan.FromHours(1), () => router.Choose() is not null);
    }

    private static (TimeSpan, Func<bool>) Response(FakeTime time)
    {
        var reply = new AgentInput(time).AskAsync("1", static _ => { }, CommandTransport.ReplyDeadline);
        return (CommandTransport.ReplyDeadline + FairWait.Confirmation, () => reply.IsCompleted);
    }

    private static Func<bool> Waiting(FakeTime time, Func<TimeProvider, Task> begin)
    {
        var task = begin(time);
        return () => task.IsCompleted;
    }
}
