using System.Diagnostics;
using System.Globalization;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A pid on record that is another process's by the time the next daemon looks.</summary>
[NotInParallel]
public sealed class PidReuseTests
{
    /// <summary>The kernel gives the next process the number after the one in here (proc(5)); to write it takes CAP_CHECKPOINT_RESTORE.</summary>
    private const string LastPid = "/proc/sys/kernel/ns_last_pid";

    [Test]
    public async Task A_stranger_that_has_the_pid_of_an_agent_that_is_gone_is_left_alone_and_reported()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        string taskId, agentId;
        int pid;
        await using (var client = await daemon.ConnectAsync())
        {
            taskId = (await client.DataAsync(new { cmd = "create-task", title = "interrupted" })).Text("id");
            agentId = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--hold-secs", "600" }, task_id = taskId });
            pid = (int)(await client.PaneWhereAsync(agentId, pane => pane.Text("activity") == "working", "works")).Number("pid");
            await client.TaskWhereAsync(taskId, task => task.Text("status") == "started", "is started, its pid on record");
        }
        await daemon.KillAsync();
        await Launch.SignalAsync(pid, "KILL");
        await Eventually.HoldsAsync(() => !Directory.Exists($"/proc/{pid}"), () => $"the agent, pid {pid}, is gone");
        using var stranger = StrangerWith(pid);
        try
        {
            await daemon.StartAgainAsync();

            stranger.HasExited.ShouldBeFalse(daemon.Log);
            var task = await daemon.DataAsync(new { cmd = "get-task", task_id = taskId });
            (task.Text("status"), task.Number("attempts")).ShouldBe(("queued", 0));
            var run = task.Items("runs").ShouldHaveSingleItem();
            (run.Text("verdict"), run.Number("pid")).ShouldBe(("interrupted", pid));
            daemon.Log.ShouldContain($"pid {pid}, on record for agent {agentId} of an earlier daemon, is another process by now");
            daemon.Log.ShouldContain($"run of agent {agentId} was interrupted");
        }
        finally
        {
            stranger.Kill();
        }
    }

    /// <summary>A process that has nothing to do with any daemon, started until it has that pid: others on the machine start some too.</summary>
    private static Process StrangerWith(int pid)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Eventually.Deadline;)
        {
            try
            {
                File.WriteAllText(LastPid, (pid - 1).ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Skip.Test($"a pid cannot be chosen here: {e.Message}");
            }
            var started = Process.Start(Launch.Prepare("/bin/sleep", ["600"], new Dictionary<string, string?>()))!;
            if (started.Id == pid)
                return started;
            started.Kill();
            started.WaitForExit();
            started.Dispose();
        }
        throw new TimeoutException($"nobody got pid {pid}");
    }
}
