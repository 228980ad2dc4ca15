using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Runs;

/// <summary>When limits are asked, on a clock that stands still until it is moved.</summary>
public sealed class RunWatchTests : IAsyncDisposable
{
    private static readonly DaemonConfiguration Settings = new()
    {
        SocketPath = "/s",
        DatabasePath = "/d",
        SessionsDirectory = "/e",
        Host = "h",
        FirstEventTimeout = TimeSpan.FromSeconds(5),
    };

    private readonly FakeTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<LimitFinding> _ends = [];
    private readonly RunWatch _watch;
    private readonly Run _run;
    private long _lastSign;
    private RunOutcome _outcome = RunOutcome.Silent;
    private Task _watching = Task.CompletedTask;

    public RunWatchTests()
    {
        _run = new Run(null, "s", default, _time.GetTimestamp());
        _run.Told(_time.GetTimestamp());
        _lastSign = _time.GetTimestamp();
        _watch = new RunWatch(_time, Look, (_, found) => _ends.Add(found));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
    }

    [Test]
    public void A_deadline_that_is_missed_is_confirmed_after_the_pipe_was_read()
    {
        Watch();
        _time.Advance(TimeSpan.FromSeconds(5));
        Shell.Until(() => _time.NextTimer == RunWatch.Confirmation, "it looks a second time");
        // What was on its way is read meanwhile.
        Says(RunOutcome.Working);
        _time.Advance(RunWatch.Confirmation);
        Shell.Until(() => _time.NextTimer > TimeSpan.FromMinutes(10), "only longer limits are left");
        _ends.ShouldBeEmpty();
    }

    [Test]
    public void A_deadline_that_is_missed_twice_ends_the_run()
    {
        Watch();
        _time.Advance(TimeSpan.FromSeconds(5));
        Shell.Until(() => _time.NextTimer == RunWatch.Confirmation, "it looks a second time");
        _time.Advance(RunWatch.Confirmation);
        Shell.Until(() => _ends.Count == 1, "it is ended");
        _ends[0].Cause.ShouldBe(StopCause.Deadline);
    }

    [Test]
    [Arguments(RunOutcome.Silent)]
    [Arguments(RunOutcome.Done)]
    public void Nothing_is_ended_before_what_waits_in_the_pipe_was_read(RunOutcome outcome)
    {
        // A run's end that is followed by quiet is as final as a missed deadline.
        _outcome = outcome;
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watch = new RunWatch(_time, Look, (_, found) => _ends.Add(found), _ => read.Task);
        _watching = watch.RunAsync(_stop.Token);
        var limit = outcome == RunOutcome.Done ? Settings.ExitTimeout : Settings.FirstEventTimeout;
        Shell.Until(() => _time.NextTimer == limit, "it waits for the first limit");
        _time.Advance(limit);
        Shell.Until(() => _time.NextTimer == RunWatch.Confirmation, "it looks a second time");
        _time.Advance(RunWatch.Confirmation);
        Says(RunOutcome.Working);
        read.SetResult();
        Shell.Until(() => _time.NextTimer > TimeSpan.FromMinutes(10), "it has looked");
        _ends.ShouldBeEmpty();
    }

    [Test]
    public void After_a_standstill_of_the_host_output_is_read_before_anything_is_judged()
    {
        Watch();
        // The timer comes eight seconds late, and so does every line in the pipe.
        _time.Advance(TimeSpan.FromSeconds(13));
        Shell.Until(() => _time.NextTimer == TimeSpan.FromSeconds(2), "it waits for what has gathered");
        Says(RunOutcome.Working);
        _time.Advance(TimeSpan.FromSeconds(2));
        Shell.Until(() => _time.NextTimer > TimeSpan.FromMinutes(10), "it has looked");
        _ends.ShouldBeEmpty();
    }

    [Test]
    public void A_run_that_begins_later_is_watched_from_its_wake_up_on()
    {
        var told = false;
        var watch = new RunWatch(_time, () => told ? Look() : null, (_, found) => _ends.Add(found));
        _watching = watch.RunAsync(_stop.Token);
        Shell.Until(() => _time.NextTimer == LimitFinding.Longest, "there is nothing to watch");
        told = true;
        watch.Wake();
        Shell.Until(() => _time.NextTimer == TimeSpan.FromSeconds(5), "the first limit is the nearest");
    }

    private void Watch()
    {
        _watching = _watch.RunAsync(_stop.Token);
        Shell.Until(() => _time.NextTimer == TimeSpan.FromSeconds(5), "it waits for the first limit");
    }

    private void Says(RunOutcome outcome)
    {
        _outcome = outcome;
        Volatile.Write(ref _lastSign, _time.GetTimestamp());
    }

    private RunLook? Look() => new RunLook
    {
        Run = _run,
        Report = new RunReport(_outcome, false, default, null, null),
        Settings = Settings,
        Budgets = new Budgets(null, null, new EventHub(_time), _time),
        Age = _time.GetElapsedTime(_run.Since),
        Told = _time.GetElapsedTime(_run.ToldAt!.Value),
        Times = new PaneTimes { Silent = _time.GetElapsedTime(Volatile.Read(ref _lastSign)), Quiet = _time.GetElapsedTime(Volatile.Read(ref _lastSign)) },
        PrintsEvents = true,
        HasPrompt = true,
    };
}
