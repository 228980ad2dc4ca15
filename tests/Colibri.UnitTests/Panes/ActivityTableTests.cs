using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Panes;

public sealed class ActivityTableTests
{
    // From idle, working, blocked, done, error, in this order, to the initial of each.
    private static readonly Dictionary<EventKind, string> Stated = new()
    {
        [EventKind.Ignored] = "IWBDE",
        [EventKind.SessionOpened] = "IIIII",
        [EventKind.RunStarted] = "WWWWW",
        [EventKind.Working] = "WWWWW",
        [EventKind.Progress] = "WWWDE",
        [EventKind.MessageStarted] = "WWWWW",
        [EventKind.TurnStarted] = "WWWWW",
        [EventKind.TurnEnded] = "WWWWW",
        [EventKind.MessageEnded] = "WWWWW",
        [EventKind.ToolStarted] = "WWWWW",
        [EventKind.ToolCalled] = "IWBDE",
        [EventKind.ToolProgress] = "WWWDE",
        [EventKind.ToolEnded] = "WWWDE",
        [EventKind.Asked] = "BBBBB",
        [EventKind.Queued] = "IWBDE",
        [EventKind.RunEnded] = "DDDDD",
        [EventKind.RunFailed] = "EEEEE",
        [EventKind.RunResumed] = "WWWWW",
        [EventKind.Retrying] = "WWWWW",
        [EventKind.CompactionStarted] = "WWWWW",
        [EventKind.CompactionEnded] = "IWWDE",
        [EventKind.Settled] = "DDDDD",
        [EventKind.Failed] = "EEEEE",
        [EventKind.UsageReported] = "IWBDE",
        [EventKind.Noted] = "IWBDE",
        [EventKind.BackgroundChanged] = "IWBDE",
        [EventKind.BackgroundEnded] = "IWBDE",
        [EventKind.Denied] = "IWBDE",
        [EventKind.ProcessStopped] = "IIIDE",
        [EventKind.ProcessDied] = "IEEDE",
    };

    [Test]
    public void Every_activity_has_its_answer_to_every_event()
    {
        Enum.GetValues<EventKind>().ShouldBe(Stated.Keys, ignoreOrder: true);
        foreach (var (kind, row) in Stated)
        {
            var answers = Enum.GetValues<Activity>().Select(from => ActivityTable.Next(from, kind).ToString()[0]);
            string.Concat(answers).ShouldBe(row, kind.ToString());
        }
    }

    [Test]
    public void Every_life_cycle_has_its_answer_to_every_process_event()
    {
        var stated = new Dictionary<ProcessEvent, Lifecycle[]>
        {
            [ProcessEvent.Started] = [Lifecycle.Running, Lifecycle.Running, Lifecycle.Stopping, Lifecycle.Stopped],
            [ProcessEvent.StopRequested] = [Lifecycle.Stopping, Lifecycle.Stopping, Lifecycle.Stopping, Lifecycle.Stopped],
            [ProcessEvent.Exited] = [Lifecycle.Stopping, Lifecycle.Stopping, Lifecycle.Stopping, Lifecycle.Stopped],
            [ProcessEvent.TreeGone] = [Lifecycle.Stopped, Lifecycle.Stopped, Lifecycle.Stopped, Lifecycle.Stopped],
        };
        Enum.GetValues<ProcessEvent>().ShouldBe(stated.Keys, ignoreOrder: true);
        foreach (var (processEvent, row) in stated)
            Enum.GetValues<Lifecycle>().Select(from => LifecycleTable.Next(from, processEvent)).ShouldBe(row, processEvent.ToString());

        Should.Throw<ArgumentOutOfRangeException>(() => LifecycleTable.Next((Lifecycle)9, ProcessEvent.Started));
    }
}
