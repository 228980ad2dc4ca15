using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A confined agent that tries to get out: it reads its root and nothing else, and is ended with all it started.</summary>
[NotInParallel]
public sealed class ConfinementTests
{
    private const string Busybox = "/bin/busybox";

    /// <summary>Tries what it should not be able to do, and says what came of it on its one line of words.</summary>
    private const string Prisoner = """
        #!/bin/sh
        say() { printf '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"%s"}],"stopReason":"stop"}}\n' "$1"; }
        printf '{"type":"agent_start"}\n'
        out=
        [ -r /inside.txt ] && out="$out own=$(cat /inside.txt)"
        [ -e "$OUTSIDE" ] && out="$out LEAK=file"
        [ -e /etc/passwd ] && out="$out LEAK=etc"
        cat "/proc/1/root$OUTSIDE" >/dev/null 2>&1 && out="$out LEAK=proc"
        cat "/..$OUTSIDE" >/dev/null 2>&1 && out="$out LEAK=dots"
        kill -0 "$DAEMON" 2>/dev/null && out="$out LEAK=kill"
        mount -t tmpfs none /work 2>/dev/null && out="$out LEAK=mount"
        chroot /work /bin/sh -c : 2>/dev/null && out="$out LEAK=chroot"
        ls /sys/class/net >/dev/null 2>&1 && out="$out LEAK=sys"
        [ -n "$COLIBRI_DAEMON_SOCKET" ] && out="$out LEAK=socket"
        out="$out pids=$(ls /proc | grep -c '^[0-9]') net=$(grep -c : /proc/net/dev)"
        say "$out"
        if [ "$1" = stay ]; then sleep 600 & setsid sleep 601 & sleep 602; fi
        printf '{"type":"agent_settled"}\n'
        """;

    [Test]
    public async Task A_confined_agent_reads_its_root_and_nothing_else()
    {
        using var directory = new TempDirectory();
        var root = Furnish(directory);
        var outside = directory.File("outside.txt");
        await File.WriteAllTextAsync(outside, "secret", TestContext.Current!.Execution.CancellationToken);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_JAIL_ROOT_BASE", directory.File("jails")));
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "try", max_attempts = 1 });

        var agent = await client.DataAsync(new
        {
            cmd = "spawn-agent",
            binary = "/bin/prisoner",
            runtime = "pi",
            task_id = task.Text("id"),
            args = new[] { "go" },
            cwd = "/work",
            env = new { OUTSIDE = outside, DAEMON = $"{daemon.Pid}" },
            jail = new { path = root, ip4 = "disable" },
        });

        agent.Text("confinement").ShouldBe($"bwrap {root}, no network");
        var done = await client.TaskEndedAsync(task.Text("id"), "done");
        var said = (await daemon.DataAsync(new { cmd = "get-session", session_id = done.Text("session_id") })).Items("entries")
            .Single(entry => entry.Text("kind") == "assistant").Text("text");
        said.ShouldContain("own=mine");
        said.ShouldNotContain("LEAK");
        said.ShouldContain(" net=1", Case.Sensitive, "the loopback of its own, and no other");
        daemon.Log.ShouldContain($"[bwrap {root}, no network] /bin/prisoner");
    }

    /// <summary>The program is inside the root alone, as on a host whose agents live in jails.</summary>
    [Test]
    public async Task A_task_of_a_tenant_that_the_scheduler_starts_reads_the_tenants_root_and_nothing_else()
    {
        using var directory = new TempDirectory();
        var root = Furnish(directory);
        var outside = directory.File("outside.txt");
        await File.WriteAllTextAsync(outside, "secret", TestContext.Current!.Execution.CancellationToken);
        await File.WriteAllTextAsync(
            directory.File("colibri.toml"), "[agents.prisoner]\nkind = \"pi\"\nbinary = \"/bin/prisoner\"\nargs = [\"go\"]\nconfine = { path = \"" + root + "\", ip4 = \"disable\" }\nenv = { OUTSIDE = \"" + outside + "\", DAEMON = \"" + Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture) + "\" }\n",
            TestContext.Current!.Execution.CancellationToken);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_JAIL_ROOT_BASE", directory.File("jails")), ("COLIBRI_CONFIG", directory.File("colibri.toml")));
        await using var client = await daemon.ConnectAsync();
        (await client.RefusalAsync(new { cmd = "create-task", title = "try", tenant = "acme" })).ShouldBe("bad-request");
        await client.DataAsync(new { cmd = "register-tenant", tenant_id = "acme", jail_root_path = root });
        (await client.RefusalAsync(new { cmd = "create-task", title = "try", tenant = "acme", cwd = outside })).ShouldBe("bad-request");
        await client.DataAsync(new { cmd = "register-skill", name = "digging", description = "Digs" });

        var task = await client.DataAsync(new { cmd = "create-task", title = "try", max_attempts = 1, tenant = "acme", capabilities = new[] { "digging" } });

        var done = await client.TaskEndedAsync(task.Text("id"), "done");
        var said = (await daemon.DataAsync(new { cmd = "get-session", session_id = done.Text("session_id") })).Items("entries")
            .Single(entry => entry.Text("kind") == "assistant").Text("text");
        said.ShouldContain("own=mine");
        said.ShouldNotContain("LEAK");
        said.ShouldContain(" net=1", Case.Sensitive, "its profile has no network");
        (await client.DataAsync(new { cmd = "delete-tenant", tenant_id = "acme" })).Text("tenant_id").ShouldBe("acme");
    }

    [Test]
    public async Task A_root_daemon_confines_an_agent_as_a_user_of_its_root()
    {
        Skip.Unless(Environment.UserName == "root", "only a daemon that is root can become another user");
        using var directory = new TempDirectory();
        var root = Furnish(directory);
        // As that user bwrap has no rights of its own and needs a way to the root.
        foreach (var part in new[] { "", "jails", "jails/acme" })
            File.SetUnixFileMode(directory.File(part), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute | UnixFileMode.OtherRead);
        Directory.CreateDirectory(root + "/etc");
        await File.WriteAllTextAsync(root + "/etc/passwd", "agent:x:1001:1002::/work:/bin/sh\n", TestContext.Current!.Execution.CancellationToken);
        await File.WriteAllTextAsync(root + "/bin/who", "#!/bin/sh\necho \"{\\\"type\\\":\\\"message_end\\\",\\\"message\\\":{\\\"role\\\":\\\"assistant\\\",\\\"content\\\":[{\\\"type\\\":\\\"text\\\",\\\"text\\\":\\\"$(id -u) $(id -g) $HOME $USER\\\"}],\\\"stopReason\\\":\\\"stop\\\"}}\"\necho '{\"type\":\"agent_settled\"}'\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(root + "/bin/who", UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        File.CreateSymbolicLink(root + "/bin/id", "busybox");
        if ((await Launch.ToEndAsync(Repository.Daemon, ["--jail-exec", "--ids", "1001:1002:1002", "--", "/usr/bin/bwrap", "--bind", root, "/", "/bin/sh", "-c", ":"])).ExitCode != 0)
            Skip.Test("this system lets no user make namespaces (kernel.unprivileged_userns_clone, or its security policy)");
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_JAIL_ROOT_BASE", directory.File("jails")));
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "who", max_attempts = 1 });

        await client.DataAsync(new { cmd = "spawn-agent", binary = "who", runtime = "pi", args = new[] { "x" }, task_id = task.Text("id"), jail = new { path = root, user = "agent" } });

        var done = await client.TaskEndedAsync(task.Text("id"), "done");
        (await daemon.DataAsync(new { cmd = "get-session", session_id = done.Text("session_id") })).Items("entries")
            .Single(entry => entry.Text("kind") == "assistant").Text("text").ShouldBe("1001 1002 /work agent");
        (await client.RefusalAsync(new { cmd = "spawn-agent", binary = "who", jail = new { path = root, user = "nobody" } })).ShouldBe("bad-request");
    }

    [Test]
    public async Task A_confined_agent_is_ended_with_all_it_started()
    {
        using var directory = new TempDirectory();
        var root = Furnish(directory);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_JAIL_ROOT_BASE", directory.File("jails")));
        await using var client = await daemon.ConnectAsync();
        var agentId = await client.SpawnAsync(new
        {
            cmd = "spawn-agent",
            binary = "prisoner",
            runtime = "pi",
            args = new[] { "stay" },
            env = new { DAEMON = "1", OUTSIDE = "/x" },
            jail = new { path = root },
        });
        await Eventually.HoldsAsync(
            () => daemon.Descendants().Count(process => process.CommandLine.Contains("sleep 60", StringComparison.Ordinal)) == 3, () => "all three sleep");

        await client.DataAsync(new { cmd = "stop-agent", agent_id = agentId, grace_ms = 500 });

        await Eventually.HoldsAsync(() => daemon.Descendants().Count == 0, () => $"all are gone; there are {string.Join(", ", daemon.Descendants())}");
    }

    [Test]
    public async Task What_cannot_be_confined_is_refused_before_its_task_is_claimed()
    {
        using var directory = new TempDirectory();
        Furnish(directory);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_JAIL_ROOT_BASE", directory.File("jails")));
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "try", max_attempts = 1 });

        foreach (var (jail, code) in new (object, string)[]
        {
            (new { path = directory.File("jails") }, "bad-request"), (new { path = "/" }, "bad-request"), (new { path = directory.File("jails/none") }, "bad-request"),
            (new { name = "acme" }, "unavailable"), (new { path = directory.File("jails/acme"), ip4 = "10.0.0.1" }, "unavailable"),
        })
            (await client.RefusalAsync(new { cmd = "spawn-agent", binary = "/bin/prisoner", task_id = task.Text("id"), jail })).ShouldBe(code, $"{jail}");
        (await client.TaskAsync(task.Text("id"))).Text("status").ShouldBe("queued");
        (await client.PanesAsync()).ShouldBeEmpty();
    }

    private static string Furnish(TempDirectory directory)
    {
        if (!File.Exists(Busybox) || !File.Exists("/usr/bin/bwrap"))
            Skip.Test("bubblewrap or busybox-static is not installed (try: apt install bubblewrap busybox-static)");
        var root = directory.File("jails/acme");
        foreach (var part in new[] { "bin", "proc", "dev", "tmp", "work" })
            Directory.CreateDirectory(Path.Combine(root, part));
        File.Copy(Busybox, Path.Combine(root, "bin/busybox"));
        foreach (var tool in new[] { "sh", "cat", "kill", "mount", "chroot", "ls", "grep", "sleep", "setsid" })
            File.CreateSymbolicLink(Path.Combine(root, "bin", tool), "busybox");
        File.WriteAllText(Path.Combine(root, "inside.txt"), "mine");
        File.WriteAllText(Path.Combine(root, "bin/prisoner"), Prisoner);
        File.SetUnixFileMode(Path.Combine(root, "bin/prisoner"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return root;
    }
}
