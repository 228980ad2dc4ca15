using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Colibri.EndToEndTests.Harness;
using Microsoft.Data.Sqlite;

namespace Colibri.EndToEndTests;

[UnsupportedOSPlatform("windows")]
public sealed class DaemonLifecycleTests
{
    [Test]
    public async Task A_second_daemon_on_the_socket_refuses_and_says_who_listens()
    {
        await using var daemon = await ColibriDaemon.StartAsync();

        var second = await daemon.RunToEndAsync([], ("COLIBRI_DB_PATH", Path.Combine(daemon.DirectoryPath, "other.sqlite")));

        second.ExitCode.ShouldBe(1, second.ToString());
        var said = second.ErrorLines[^1];
        said.ShouldContain(daemon.SocketPath);
        said.ShouldContain($"{daemon.Pid}");
        (await daemon.DataAsync(new { cmd = "status" })).Number("pid").ShouldBe(daemon.Pid);
    }

    [Test]
    public async Task A_second_daemon_on_the_database_refuses()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var otherSocket = Path.Combine(daemon.DirectoryPath, "other.sock");

        var second = await daemon.RunToEndAsync([], ("COLIBRI_DAEMON_SOCKET", otherSocket));

        second.ExitCode.ShouldBe(1, second.ToString());
        second.ErrorLines[^1].ShouldContain(daemon.DatabasePath);
        File.Exists(otherSocket).ShouldBeFalse();
        (await daemon.DataAsync(new { cmd = "status" })).Number("pid").ShouldBe(daemon.Pid);
    }

    [Test]
    public async Task A_socket_that_nobody_listens_on_is_replaced()
    {
        await using var daemon = ColibriDaemon.Prepared();
        using (var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            // .NET unlinks the path when a bound socket is disposed, unless it was moved away meanwhile.
            BindAndKeep(stale, daemon.SocketPath);
        File.Exists(daemon.SocketPath).ShouldBeTrue();

        await daemon.StartAgainAsync();

        (await daemon.DataAsync(new { cmd = "status" })).Member("paths").Text("socket").ShouldBe(daemon.SocketPath);
    }

    [Test]
    public async Task The_socket_a_killed_daemon_left_is_replaced()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.KillAsync();
        File.Exists(daemon.SocketPath).ShouldBeTrue();

        await daemon.StartAgainAsync();
    }

    [Test]
    public async Task A_file_that_is_no_socket_is_left_alone()
    {
        await using var daemon = ColibriDaemon.Prepared();
        await File.WriteAllTextAsync(daemon.SocketPath, "precious", TestContext.Current!.Execution.CancellationToken);

        var refused = await daemon.RunToEndAsync([]);

        refused.ExitCode.ShouldBe(1, refused.ToString());
        (await File.ReadAllTextAsync(daemon.SocketPath, TestContext.Current!.Execution.CancellationToken)).ShouldBe("precious");
    }

    [Test]
    public async Task The_socket_is_for_its_owner_and_group_alone()
    {
        await using var daemon = await ColibriDaemon.StartAsync();

        const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
        File.GetUnixFileMode(daemon.SocketPath).ShouldBe(OwnerAndGroup);
    }

    [Test]
    public async Task What_was_on_the_board_is_there_after_an_orderly_restart()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Stays" })).Text("id");
        await daemon.DataAsync(new { cmd = "register-skill", name = "dig", description = "Digs", category = "garden" });

        (await daemon.TerminateAsync()).ShouldBe(0);
        await daemon.StartAgainAsync();

        (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status").ShouldBe("queued");
        (await daemon.DataAsync(new { cmd = "list-skills" })).Items("skills").ShouldHaveSingleItem();
    }

    [Test]
    public async Task A_client_connected_at_the_end_sees_its_connection_close()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        await client.DataAsync(new { cmd = "ping" });

        (await daemon.TerminateAsync()).ShouldBe(0);

        (await client.ReadLineAsync()).ShouldBeNull();
    }

    [Test]
    [Arguments("TERM", "TERM")]
    [Arguments("TERM", "INT")]
    [Arguments("INT", "TERM")]
    public async Task A_second_signal_kills_what_ignores_the_first(string first, string second)
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--hold-secs 600 --ignore-term --children 2"), ("COLIBRI_MAX_AGENTS", "1"));
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Interrupted" })).Text("id");
        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status") == "started", () => $"the task is started; the log:\n{daemon.Log}");
        var clock = Stopwatch.StartNew();
        await Launch.SignalAsync(daemon.Pid, first);
        await Eventually.HoldsAsync(() => daemon.Log.Contains("[101]", StringComparison.Ordinal), () => "it is stopping");

        // One that comes with the first is the same one, as from a terminal to a whole group.
        await Eventually.HoldsAsync(
            async () =>
            {
                await Launch.SignalAsync(daemon.Pid, second);
                return daemon.Log.Contains("[113]", StringComparison.Ordinal);
            },
            () => $"the second signal is taken; the log:\n{daemon.Log}");
        (await daemon.ExitAsync()).ShouldBe(0, "its run is on record");

        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(4.5), "the grace of 5 s is not waited for");
        daemon.Descendants().ShouldBeEmpty();
        await daemon.StartAgainAsync();
        (await daemon.DataAsync(new { cmd = "status" })).TryGetProperty("leftovers", out _).ShouldBeFalse();
        daemon.Log.ShouldNotContain("[406]", customMessage: "nothing was left");
    }

    [Test]
    public async Task A_second_signal_ends_a_daemon_whose_board_another_program_has_locked()
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--hold-secs 600 --ignore-term"), ("COLIBRI_MAX_AGENTS", "1"));
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Interrupted" })).Text("id");
        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status") == "started", () => $"the task is started; the log:\n{daemon.Log}");
        await using (var other = new SqliteConnection($"Data Source={daemon.DatabasePath};Pooling=False"))
        {
            await other.OpenAsync(TestContext.Current!.Execution.CancellationToken);
            await using var locking = other.CreateCommand();
            locking.CommandText = "BEGIN IMMEDIATE";
            // A write of the daemon's that waits for the lock waits 5 s.
            await locking.ExecuteNonQueryAsync(TestContext.Current!.Execution.CancellationToken);
            await Launch.SignalAsync(daemon.Pid, "TERM");
            await Eventually.HoldsAsync(
                async () =>
                {
                    await Launch.SignalAsync(daemon.Pid, "TERM");
                    return daemon.Log.Contains("[113]", StringComparison.Ordinal);
                },
                () => $"the second signal is taken; the log:\n{daemon.Log}");
            var clock = Stopwatch.StartNew();

            (await daemon.ExitAsync()).ShouldBe(1, $"a run is left open; the log:\n{daemon.Log}");

            clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(4), "the lock is not waited for");
        }
        daemon.Log.ShouldContain("1 runs are left open");
        daemon.Descendants().ShouldBeEmpty();
        File.Exists(daemon.SocketPath).ShouldBeFalse();
        daemon.Change("COLIBRI_AGENT_BINARY", null);
        await daemon.StartAgainAsync();
        (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status").ShouldBe("queued");
    }

    [Test]
    public async Task A_signal_during_the_start_ends_the_daemon_before_it_serves()
    {
        await using var daemon = ColibriDaemon.Prepared(("COLIBRI_AGENT_BINARY", Repository.TestAgent));
        // Asked at the start, and waited for up to 5 s.
        var probe = Path.Combine(daemon.DirectoryPath, "clawdie-system-probe");
        await File.WriteAllTextAsync(probe, "#!/bin/sh\necho $$ > \"$0.pid\"\nexec sleep 600\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(probe, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        daemon.Change("PATH", $"{daemon.DirectoryPath}:/usr/bin:/bin");
        await daemon.StartUntilAsync(() => File.Exists($"{probe}.pid") && File.ReadAllText($"{probe}.pid").EndsWith('\n'), "the probe runs");

        (await daemon.TerminateAsync()).ShouldBe(0);

        daemon.Log.ShouldNotContain("[100]", customMessage: "it has not started");
        daemon.Log.ShouldContain("[102]");
        File.Exists(daemon.SocketPath).ShouldBeFalse();
        var probed = (await File.ReadAllTextAsync($"{probe}.pid", TestContext.Current!.Execution.CancellationToken)).Trim();
        await Eventually.HoldsAsync(() => !Directory.Exists($"/proc/{probed}"), () => "the probe is ended");
    }

    [Test]
    public async Task A_signal_while_an_earlier_daemons_agent_is_being_ended_leaves_it_to_the_next_start()
    {
        const int Tries = 5;
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--hold-secs 600 --ignore-term"), ("COLIBRI_MAX_AGENTS", "1"));
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Interrupted" })).Text("id");
        for (var tried = 1; ; tried++)
        {
            await Eventually.HoldsAsync(
                async () => (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status") == "started", () => $"the task is started; the log:\n{daemon.Log}");
            await daemon.KillAsync();
            var left = daemon.Descendants();
            left.ShouldNotBeEmpty();

            // It has asked the agent to end, and kills it a second later.
            await daemon.StartUntilLoggedAsync("[406]");
            (await daemon.TerminateAsync()).ShouldBe(0);

            var isLeft = daemon.Descendants().Any(process => left.Any(before => before.Pid == process.Pid));
            await daemon.StartAgainAsync();
            if (isLeft)
                break;
            // A machine that is busy may need that second to send the signal; every time it is the daemon that waited.
            tried.ShouldBeLessThan(Tries, $"the daemon ends before it has killed the agent; its log:\n{daemon.Log}");
        }
        await Eventually.HoldsAsync(() => daemon.Log.Contains("[407]", StringComparison.Ordinal), () => $"the next start puts it in order; its log:\n{daemon.Log}");
    }

    private static void BindAndKeep(Socket socket, string path)
    {
        socket.Bind(new UnixDomainSocketEndPoint(path + ".bound"));
        File.Move(path + ".bound", path);
    }
}
