using System.Text;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Providers;

/// <summary>From what real agents printed to the route that waits, on a clock that stands still until it is moved.</summary>
public sealed class StatedResumeTests
{
    private static readonly ProviderRoute First = new("anthropic", null);
    private static readonly ProviderRoute Second = new("mock", null);

    // rate_limit_event of the recording says 1795629428; it was made an hour before.
    private static readonly DateTimeOffset LimitResets = DateTimeOffset.FromUnixTimeSeconds(1_795_629_428);

    [Test]
    [Arguments("claude-2.1-stream-json-auth", 401, ProviderFailure.Authentication)]
    [Arguments("claude-2.1-stream-json-limit", 429, ProviderFailure.Overload)]
    [Arguments("claude-2.1-stream-json-retry", 0, ProviderFailure.None)]
    [Arguments("opencode-1.18-run-json-auth", 401, ProviderFailure.Authentication)]
    [Arguments("opencode-1.18-run-json-limit", 429, ProviderFailure.Overload)]
    [Arguments("codex-0.169-exec-json-auth", 0, ProviderFailure.Authentication)]
    [Arguments("pi-1.5.2-json-auth", 0, ProviderFailure.Authentication)]
    [Arguments("pi-1.5.2-json-fail", 0, ProviderFailure.Overload)]
    [Arguments("pi-1.5.2-json-retry", 0, ProviderFailure.None)]
    public void What_the_provider_refused_with_is_known_from_its_field_or_else_from_the_words(string recording, int status, ProviderFailure expected)
    {
        var run = Read(recording, LimitResets.AddHours(-1)).Run;
        run.ProviderStatus.ShouldBe(status);
        ProviderFailures.Of(run.ProviderStatus, run.Error).ShouldBe(expected);
    }

    [Test]
    public void A_route_waits_until_its_plans_limit_is_lifted()
    {
        var time = new FakeTime();
        time.Advance(LimitResets.AddHours(-1) - time.GetUtcNow());
        var router = Failed(time, First, "claude-2.1-stream-json-limit");

        router.Status()[0].Until.ShouldBe(LimitResets);
        time.Advance(TimeSpan.FromMinutes(59));
        router.Choose().ShouldBe(Second);
        time.Advance(TimeSpan.FromMinutes(1));
        router.Choose().ShouldBe(First);
    }

    [Test]
    public void A_route_waits_as_long_as_a_header_asks()
    {
        var time = new FakeTime();
        var router = Failed(time, Second, "opencode-1.18-run-json-limit");

        router.Status()[1].Until.ShouldBe(time.GetUtcNow().AddSeconds(7));
        router.Choose(["mock"]).ShouldBeNull();
        time.Advance(TimeSpan.FromSeconds(7));
        router.Choose(["mock"]).ShouldBe(Second);
    }

    [Test]
    public void An_answer_after_the_refusal_makes_it_history()
    {
        var clock = new StoppedClock();
        var pane = PaneFixture.New("claude", clock);
        var lines = Recordings.Lines("claude-2.1-stream-json-retry").ConvertAll(Encoding.UTF8.GetString);
        pane.Say(lines[0]);
        pane.Say(lines[1]);
        (pane.Run.ProviderStatus, pane.Run.ResumeAt).ShouldBe((429, clock.Now.AddMilliseconds(2196)));
        pane.Say(lines[2]);
        (pane.Run.ProviderStatus, pane.Run.ResumeAt).ShouldBe((0, null));
    }

    [Test]
    [Arguments("claude", """{"type":"rate_limit_event","rate_limit_info":{"status":"allowed_warning","resetsAt":1795629428}}""")]
    [Arguments("claude", """{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":"tomorrow"}}""")]
    [Arguments("claude", """{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":-1}}""")]
    [Arguments("claude", """{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1}}""")]
    [Arguments("claude", """{"type":"rate_limit_event"}""")]
    [Arguments("claude", """{"type":"result","is_error":true,"result":"429 try again in 3600 seconds"}""")]
    [Arguments("codex", """{"type":"turn.failed","error":{"message":"You've hit your usage limit. Try again at 5:51 PM."}}""")]
    [Arguments("opencode", """{"type":"error","error":{"data":{"message":"wait","statusCode":429,"responseHeaders":{"retry-after":"soon"}}}}""")]
    [Arguments("opencode", """{"type":"error","error":{"data":{"message":"retry-after: 7","statusCode":429}}}""")]
    public void No_time_is_taken_from_words_or_from_what_is_no_time(string dialect, string line) =>
        PaneFixture.Fed(dialect, line).Run.ResumeAt.ShouldBeNull();

    [Test]
    [Arguments("""{"retry-after-ms":"1500","retry-after":"2"}""", 1_500)]
    [Arguments("""{"retry-after":"2"}""", 2_000)]
    [Arguments("""{"retry-after":"9223372036854775807"}""", 7 * 86_400_000)]
    public void The_finer_header_counts_and_no_wait_is_longer_than_a_week(string headers, long milliseconds)
    {
        var clock = new StoppedClock();
        var pane = PaneFixture.New("opencode", clock);
        pane.Say($$$$"""{"type":"error","error":{"name":"APIError","data":{"message":"no","statusCode":429,"responseHeaders":{{{{headers}}}}}}}""");
        pane.Run.ResumeAt.ShouldBe(clock.Now.AddMilliseconds(milliseconds));
    }

    [Test]
    [Arguments(long.MaxValue, 0)]
    [Arguments(0, long.MaxValue)]
    [Arguments(long.MaxValue, long.MaxValue)]
    public void A_time_beyond_all_calendars_is_a_week(long at, long within)
    {
        var now = new StoppedClock().Now;
        new ProviderRefusal(429, at, within).ResumesAfter(now).ShouldBe(now + ProviderRefusal.LongestWait);
    }

    private static ProviderRouter Failed(FakeTime time, ProviderRoute route, string recording)
    {
        var router = new ProviderRouter([First, Second], _ => "sk-mock", [], time, new Random(1), new CollectingLogger());
        var run = Read(recording, time.GetUtcNow()).Run;
        router.Report(route.Provider, route.Model, ProviderFailures.Of(run.ProviderStatus, run.Error), run.Error, run.ResumeAt);
        return router;
    }

    private static AgentPane Read(string recording, DateTimeOffset now)
    {
        var pane = PaneFixture.New(recording[..recording.IndexOf('-', StringComparison.Ordinal)], new StoppedClock { Now = now });
        pane.Feed(Recordings.Read(recording));
        pane.Complete();
        return pane;
    }
}
