using System.Text.RegularExpressions;

namespace Colibri.UnitTests.Structure;

/// <summary>Who may read the clock that people set. Everything that is waited for, bounded or compared is measured on the monotonic clock.</summary>
public sealed partial class WallClockTests
{
    /// <summary>Each shows or stores a time, or follows the clock on purpose.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["Colibri.Core/Agents/AgentRuns.cs"] = "turns the time that a provider states into a wait",
        ["Colibri.Core/Agents/SupervisedAgent.cs"] = "shows when an agent was registered",
        ["Colibri.Core/Board/Storage/WriteScope.cs"] = "stores when a row was changed",
        ["Colibri.Core/Cost/Budgets.cs"] = "the budget's day is a day of the calendar",
        ["Colibri.Core/Doctor/HostChecks.cs"] = "looks whether that clock is right",
        ["Colibri.Core/Events/EventHub.cs"] = "shows when something happened",
        ["Colibri.Core/Events/EventSubscriber.cs"] = "shows when something happened",
        ["Colibri.Core/Landing/Inbox.cs"] = "shows since when the daemon's own parts wait",
        ["Colibri.Core/Notices/Courier.cs"] = "a digest is of a day of people; what is old on the board goes by its age",
        ["Colibri.Core/Notices/SinkLine.cs"] = "quiet hours are hours of the day; shows when a test was sent",
        ["Colibri.Core/Notices/SinkRoads.cs"] = "signs a message with its time",
        ["Colibri.Core/Panes/AgentPane.cs"] = "shows when an agent was started and when it last said something",
        ["Colibri.Core/Providers/ProviderHold.cs"] = "stores the end of a back-off; the scheduler moves it when the clock is set",
        ["Colibri.Core/Providers/ProviderRouter.cs"] = "turns the time that a provider states into a wait",
        ["Colibri.Core/Providers/Rest.cs"] = "shows when a wait will be over",
        ["Colibri.Core/Retention/AgeClock.cs"] = "tells how old what is on disk is; a step forward counts only once it has stood for a day",
        ["Colibri.Core/Runs/CrashBreaker.cs"] = "shows when a rest will be over",
        ["Colibri.Core/Runs/RetryBackoff.cs"] = "stores the end of a back-off; the scheduler moves it when the clock is set",
        ["Colibri.Core/Runs/WorkspaceHealth.cs"] = "shows since when a workspace is out of order",
        ["Colibri.Core/Scheduling/BoardScheduler.cs"] = "shows the last tick; compares with back-offs that it moves when the clock is set",
        ["Colibri.Core/Scheduling/ClockWatch.cs"] = "notices that the clock was set",
        ["Colibri.Core/Scheduling/QueuePauses.cs"] = "stores since when a pause is",
        ["Colibri.Core/Scheduling/QueueView.cs"] = "shows the back-offs that the scheduler moves when the clock is set",
        ["Colibri.Core/Scheduling/RouteRests.cs"] = "stores the end of a rest for the next daemon",
        ["Colibri.Core/Schedules/ScheduleDesk.cs"] = "works out a schedule's first time, which is one of that clock",
        ["Colibri.Core/Schedules/ScheduleLoop.cs"] = "a schedule's times are those of that clock; its waits are on the monotonic one",
        ["Colibri.Core/Sessions/SessionLog.cs"] = "stores when an entry was written; entries are in the order of their numbers",
        ["Colibri.Core/Sessions/SessionWriter.cs"] = "stores when a mark was written",
        ["Colibri.Core/Workspaces/Snapshots.cs"] = "names parked work by when it was parked",
        ["Colibri.Daemon/Commands/CostCommands.cs"] = "stores when the mode was changed",
        ["Colibri.Daemon/Commands/MetricsCommands.cs"] = "shows when the sums were read",
        ["Colibri.Daemon/Hosting/FileWatch.cs"] = "shows since when a file is not as it should be",
        ["Colibri.Daemon/Hosting/StatusView.cs"] = "shows the time",
        ["Colibri.Daemon/Logging/LineLoggerProvider.cs"] = "shows when a line was logged",
    };

    [Test]
    public void The_wall_clock_is_read_to_show_or_to_store_a_time_and_for_nothing_else()
    {
        var readers = SourceTree.Files()
            .Where(file => file.Project is "Colibri.Core" or "Colibri.Daemon" or "Colibri.Posix")
            .Where(file => file.Lines.Any(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && WallClock().IsMatch(line)))
            .Select(file => file.Name)
            .Order();
        readers.ShouldBe(Allowed.Keys.Order());
    }

    [GeneratedRegex(@"\bGetUtcNow\(|\bGetLocalNow\(|\bDateTime(Offset)?\.(UtcNow|Now|Today)\b|\bEnvironment\.TickCount\b(?!64)")]
    private static partial Regex WallClock();
}
