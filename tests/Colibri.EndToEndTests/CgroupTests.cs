using System.Globalization;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>
/// What has left its agent in every way that a process can, a new session, no parent, an empty environment, is ended with it all the same
/// where agents have cgroups of their own. Another, older agent runs meanwhile, whose it could be for all that the process table says.
/// </summary>
[NotInParallel]
public sealed class CgroupTests
{
    [Test]
    public async Task It_is_gone_after_stop_agent_and_the_other_agent_is_not()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var scene = await Scene.SetAsync(daemon);
        await using var client = await daemon.ConnectAsync();

        await client.DataAsync(new { cmd = "stop-agent", agent_id = scene.AgentId });

        await client.PaneStoppedAsync(scene.AgentId);
        scene.ShouldBeGone();
        (await client.PaneWhereAsync(scene.OlderId, _ => true, "is there")).Text("lifecycle").ShouldBe("running");
    }

    [Test]
    public async Task It_is_gone_after_an_orderly_end_of_the_daemon_and_its_task_is_queued_again()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var scene = await Scene.SetAsync(daemon);

        (await daemon.TerminateAsync()).ShouldBe(0, daemon.Log);

        scene.ShouldBeGone();
        await daemon.StartAgainAsync();
        await scene.ShouldBeQueuedAgainAsync();
    }

    [Test]
    public async Task It_is_gone_when_the_daemon_that_was_killed_is_started_again()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var scene = await Scene.SetAsync(daemon);

        await daemon.KillAsync();
        scene.IsAlive.ShouldBeTrue();
        await daemon.StartAgainAsync();

        scene.ShouldBeGone();
        await scene.ShouldBeQueuedAgainAsync();
    }

    [Test]
    public async Task An_agent_that_ends_by_itself_leaves_neither_it_nor_a_cgroup()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var scene = await Scene.SetAsync(daemon, ending: "exit 0");
        await using var client = await daemon.ConnectAsync();
        await client.PaneStoppedAsync(scene.AgentId);
        scene.ShouldBeGone();
        (await daemon.CliAsync("status")).Stdout.ShouldContain("cgroups    below ");
    }

    /// <summary>Two agents, the younger on a task, and what it left behind.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly ColibriDaemon _daemon;
        private readonly TempDirectory _directory = new();
        private string _cgroup = "";
        private string _taskId = "";
        private int _stray;

        private Scene(ColibriDaemon daemon) => _daemon = daemon;

        public string OlderId { get; private set; } = "";

        public string AgentId { get; private set; } = "";

        public bool IsAlive => File.Exists($"/proc/{_stray}/stat") && !File.ReadAllText($"/proc/{_stray}/stat").Contains(") Z ", StringComparison.Ordinal);

        public static async Task<Scene> SetAsync(ColibriDaemon daemon, string ending = "exec sleep 600")
        {
            var cgroup = (await daemon.DataAsync(new { cmd = "status" })).Member("cgroup");
            Skip.Unless(cgroup.Has("parent"), $"agents have no cgroups here: {cgroup.TextOrNull("reason")}");
            var scene = new Scene(daemon);
            var file = scene._directory.File("stray");
            await using var client = await daemon.ConnectAsync();
            scene.OlderId = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--hold-secs", "600" } });
            scene._taskId = (await client.DataAsync(new { cmd = "create-task", title = "escape" })).Text("id");
            // It begins once its shell is in the cgroup, as every tool of a real agent does.
            var script = $"until grep -q /colibri- /proc/self/cgroup; do :; done; (env -i setsid sh -c 'echo $$ >{file}.new; mv {file}.new {file}; exec sleep 600' &); "
                + $"until [ -s {file} ]; do :; done; echo '{{\"type\":\"agent_start\"}}'; {ending}";
            scene.AgentId = await client.SpawnAsync(new { cmd = "spawn-agent", binary = "/bin/sh", runtime = "pi", args = new[] { "-c", script }, task_id = scene._taskId });
            await Eventually.HoldsAsync(() => File.Exists(file), () => $"the stray is there; the log:\n{daemon.Log}");
            scene._stray = int.Parse(await File.ReadAllTextAsync(file, TestContext.Current!.Execution.CancellationToken), CultureInfo.InvariantCulture);
            scene._cgroup = Path.Combine(cgroup.Text("parent"), $"colibri-{scene.AgentId}");
            return scene;
        }

        public void ShouldBeGone()
        {
            IsAlive.ShouldBeFalse(_daemon.Log);
            Directory.Exists(_cgroup).ShouldBeFalse(_cgroup);
        }

        public async Task ShouldBeQueuedAgainAsync()
        {
            await using var client = await _daemon.ConnectAsync();
            var task = await client.TaskAsync(_taskId);
            (task.Text("status"), task.Number("attempts"), task.Text("verdict")).ShouldBe(("queued", 0, "interrupted"));
            task.Items("runs").ShouldHaveSingleItem().Text("command_line").ShouldStartWith("/bin/sh -c ");
        }

        public async ValueTask DisposeAsync()
        {
            if (IsAlive)
                await Launch.SignalAsync(_stray, "KILL");
            _directory.Dispose();
        }
    }
}
