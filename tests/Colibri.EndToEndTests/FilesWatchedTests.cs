using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The daemon's own files are removed, replaced, renamed, made directories or read-only under it.</summary>
public sealed class FilesWatchedTests
{
    public enum Which
    {
        Socket,
        Pidfile,
        Lock,
        Database,
        Log,
        Index,
        Sessions,
    }

    public enum Deed
    {
        Removed,
        Replaced,
        Renamed,
        MadeADirectory,
        MadeReadOnly,
    }

    public static IEnumerable<(Which File, Deed Done)> Deeds() =>
        Enum.GetValues<Which>().SelectMany(file => Enum.GetValues<Deed>().Select(deed => (file, deed)));

    [Test]
    [MethodDataSource(nameof(Deeds))]
    public async Task What_happens_to_a_file_is_mended_or_told(Which file, Deed done)
    {
        await using var at = new Place();
        await using var daemon = await at.StartAsync();
        // Made before, because the socket may be what is gone.
        await using var client = await daemon.ConnectAsync();
        await client.DataAsync(new { cmd = "create-task", title = "before" });
        await client.DataAsync(new { cmd = "append-session", session_id = "s", entry = new { kind = "note", text = "before" } });
        var path = at.PathOf(file, daemon);
        var expected = Expected(file, done);

        await Place.DoAsync(path, done);

        if (expected.Mended is { } told)
            await Eventually.HoldsAsync(() => daemon.Log.Contains($"[{told}]", StringComparison.Ordinal), () => $"it is mended; the log:\n{daemon.Log}", TimeSpan.FromSeconds(10));
        var report = default(JsonElement);
        await Eventually.HoldsAsync(
            async () =>
            {
                report = await client.DataAsync(new { cmd = "status" });
                return report.Has("files") == (expected.State is not null);
            },
            () => $"status has files: {expected.State is not null}; {report}; the log:\n{daemon.Log}",
            TimeSpan.FromSeconds(10));
        if (expected.State is { } state)
        {
            var found = report.Items("files").Single(item => item.Text("what") == expected.What);
            found.Text("state").ShouldBe(state);
            found.Text("reason").ShouldNotBeEmpty();
            found.Text("path").ShouldBe(path);
            await Eventually.HoldsAsync(() => Told() > 0, () => $"it is logged:\n{daemon.Log}");
        }

        var created = await client.AskAsync(new { cmd = "create-task", title = "after" });
        created.Ok.ShouldBe(!expected.RefusesTasks, created.ToString());
        if (expected.RefusesTasks)
        {
            created.ErrorCode.ShouldBe("unavailable");
            if (file == Which.Database)
                created.ErrorMessage.ShouldContain("restart the daemon");
        }
        var health = await daemon.CliAsync("health");
        (health.ExitCode == 0).ShouldBe(expected.State is null, health.ToString());
        if (expected.State is not null && file != Which.Socket)
            health.Stderr.ShouldContain($"colibri: {expected.What} is {expected.State}: ");

        var second = await daemon.RunToEndAsync([]);
        second.ExitCode.ShouldBe(1, second.ToString());
        second.ErrorLines.Length.ShouldBe(1, second.ToString());
        (await client.DataAsync(new { cmd = "ping" })).ValueKind.ShouldBe(JsonValueKind.Object, "the first one serves on");

        if (expected.State is not null)
            Told().ShouldBe(1, $"it is logged once:\n{daemon.Log}");
        var foreign = File.Exists(path) && done == Deed.Replaced && expected.State is not null;
        (await daemon.TerminateAsync()).ShouldBe(0, daemon.Log);
        if (foreign && file is Which.Socket or Which.Pidfile)
            File.Exists(path).ShouldBeTrue("what another put there stays");
        else if (file is Which.Socket or Which.Pidfile && done != Deed.MadeADirectory)
            File.Exists(path).ShouldBeFalse("its own is removed");
        daemon.Log.ShouldNotContain("[105]");

        int Told() => daemon.Log.Split('\n').Count(line => line.Contains($"[115] the {expected.What} {path} is {expected.State}: ", StringComparison.Ordinal));
    }

    [Test]
    public async Task A_second_daemon_stays_out_although_lock_and_socket_are_removed()
    {
        await using var at = new Place();
        await using var daemon = await at.StartAsync();
        await using var client = await daemon.ConnectAsync();
        File.Delete(at.Database + ".lock");
        File.Delete(daemon.SocketPath);

        var second = await daemon.RunToEndAsync([], ("COLIBRI_DAEMON_SOCKET", Path.Combine(daemon.DirectoryPath, "other.sock")));

        second.ExitCode.ShouldBe(1, second.ToString());
        second.ErrorLines.ShouldHaveSingleItem().ShouldContain("is in use");
        await client.DataAsync(new { cmd = "create-task", title = "it goes on" });
        await Eventually.HoldsAsync(async () => (await daemon.CliAsync("health")).ExitCode == 0, () => $"all is made anew; the log:\n{daemon.Log}");
    }

    [Test]
    public async Task A_stop_leaves_the_socket_of_the_daemon_that_has_its_place()
    {
        await using var at = new Place();
        await using var first = await at.StartAsync();
        File.Delete(first.SocketPath);
        await using var other = new Place();
        await using var second = ColibriDaemon.Prepared(("COLIBRI_DB_PATH", other.Database), ("COLIBRI_SESSIONS_DIR", other.Sessions), ("COLIBRI_DAEMON_SOCKET", first.SocketPath));
        await second.StartUntilAsync(() => second.Log.Contains("[100]", StringComparison.Ordinal) || first.Log.Contains("[207]", StringComparison.Ordinal), "it is bound by one of them");
        Skip.When(first.Log.Contains("[207]", StringComparison.Ordinal), "the first daemon was faster and has bound its socket anew");
        await Eventually.HoldsAsync(() => first.Log.Contains("is taken", StringComparison.Ordinal), () => $"the first one tells; the log:\n{first.Log}");

        (await first.TerminateAsync()).ShouldBe(0);

        File.Exists(first.SocketPath).ShouldBeTrue();
        await using var client = await WireClient.ConnectAsync(first.SocketPath);
        (await client.DataAsync(new { cmd = "status" })).Number("pid").ShouldBe(second.Pid);
    }

    [Test]
    public async Task A_daemon_whose_directory_is_removed_starts_agents_in_the_root_directory_and_says_so()
    {
        using var work = new TempDirectory();
        var directory = work.Folder("work");
        await using var daemon = await ColibriDaemon.StartThroughAsync(
            ["/bin/sh", "-c", "cd " + directory + " && exec \"$0\" \"$@\""],
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--turns 1"));
        Directory.Delete(directory);

        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "in a directory that is gone", max_attempts = 1 })).Text("id");

        var task = default(JsonElement);
        await Eventually.HoldsAsync(
            async () => (task = await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status") is "done" or "failed", () => $"it is over: {task}");
        task.Text("status").ShouldBe("done", task.ToString());
        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "status" })) is var report && report.Has("files") && report.Items("files")[0].Text("what") == "working-directory",
            () => "status says it");
        (await daemon.CliAsync("health")).Stderr.ShouldContain(directory);
    }

    [Test]
    public async Task A_run_whose_session_is_removed_says_so_and_its_numbers_go_on()
    {
        await using var at = new Place();
        await using var daemon = await at.StartAsync(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--turns 20 --step-ms 20"), ("COLIBRI_LOG_LEVEL", "info"));
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "long", session_id = "s", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(() => File.Exists(Path.Combine(at.Sessions, "s", "0001.jsonl")) && File.ReadLines(Path.Combine(at.Sessions, "s", "0001.jsonl")).Count() > 3, () => "it has begun");

        Directory.Delete(Path.Combine(at.Sessions, "s"), recursive: true);

        var task = default(JsonElement);
        await Eventually.HoldsAsync(async () => (task = await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status") == "done", () => $"it is over: {task}");
        task.Items("runs")[0].Number("session_entries_dropped").ShouldBeGreaterThan(3);
        var entries = (await daemon.DataAsync(new { cmd = "get-session", session_id = "s", all = true })).Items("entries");
        entries[0].Number("seq").ShouldBeGreaterThan(3);
        entries[0].Text("text").ShouldContain("are gone: its file was removed");
        entries[^1].Text("text").ShouldContain("are not in its session");
        entries.Select(entry => entry.Number("seq")).ShouldBe(Enumerable.Range(0, entries.Count).Select(i => entries[0].Number("seq") + i));
        daemon.Log.ShouldContain("[507]");
        (await daemon.DataAsync(new { cmd = "status" })).Member("counters").Number("session_entries_dropped").ShouldBe(task.Items("runs")[0].Number("session_entries_dropped"));
        (await daemon.CliAsync("get-task", id)).Stdout.ShouldContain("session entries lost");
    }

    [Test]
    public async Task A_run_that_ends_while_the_board_is_gone_stays_open_until_it_is_back()
    {
        await using var at = new Place();
        await using var daemon = await at.StartAsync(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--turns 3 --step-ms 40"));
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "ends without a board", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(async () => (await TaskAsync(daemon, id)).Text("status") == "started", () => "it is started");
        File.Move(at.Database, at.Database + ".away");
        await Eventually.HoldsAsync(() => daemon.Log.Contains("[303]", StringComparison.Ordinal), () => $"its end is refused; the log:\n{daemon.Log}");
        (await TaskAsync(daemon, id)).Text("status").ShouldBe("started");

        File.Move(at.Database + ".away", at.Database);

        await Eventually.HoldsAsync(async () => (await TaskAsync(daemon, id)).Text("status") == "done", () => $"it is put on record; the log:\n{daemon.Log}");
        daemon.Log.Split('\n').Count(line => line.Contains("[303]", StringComparison.Ordinal)).ShouldBe(1);
        await Eventually.HoldsAsync(async () => (await daemon.CliAsync("health")).ExitCode == 0, () => "all is well");
    }

    [Test]
    [NotInParallel]
    public async Task Of_two_daemons_that_start_at_once_exactly_one_serves()
    {
        const int Rounds = 50;
        await using var at = new Place();
        await using var prepared = at.Prepared();
        var environment = prepared.Environment;
        for (var round = 0; round < Rounds; round++)
        {
            // Every other round finds what a killed daemon left, the others find nothing.
            if (round % 2 == 0)
            {
                Directory.Delete(Path.GetDirectoryName(at.Database)!, recursive: true);
                File.Delete(prepared.SocketPath);
            }
            var start = Launch.Prepare(Repository.Daemon, [], environment);
            Process[] both = [Process.Start(start)!, Process.Start(start)!];
            try
            {
                var pid = 0L;
                await Eventually.HoldsAsync(
                    async () =>
                    {
                        try
                        {
                            await using var client = await WireClient.ConnectAsync(prepared.SocketPath);
                            pid = (await client.DataAsync(new { cmd = "status" })).Number("pid");
                            return both.Count(process => !process.HasExited) == 1;
                        }
                        catch (Exception notYet) when (notYet is System.Net.Sockets.SocketException or EndOfStreamException)
                        {
                            return false;
                        }
                    },
                    () => $"round {round.ToString(CultureInfo.InvariantCulture)}: one serves and one has ended; {string.Join(", ", both.Select(process => process.HasExited ? "ended" : "lives"))}");
                both.Single(process => !process.HasExited).Id.ShouldBe((int)pid);
                both.Single(process => process.HasExited).ExitCode.ShouldBe(1);
            }
            finally
            {
                foreach (var process in both)
                {
                    if (!process.HasExited)
                        process.Kill();
                    await process.WaitForExitAsync();
                    process.Dispose();
                }
            }
        }
    }

    /// <summary>What is to come of it: which state of which file, or the event that says that it is mended, and whether tasks are refused.</summary>
    private static (string? What, string? State, int? Mended, bool RefusesTasks) Expected(Which file, Deed done)
    {
        // Root may write to everything; others are told.
        var readOnly = Environment.IsPrivilegedProcess ? null : "read-only";
        return (file, done) switch
        {
            (Which.Socket, Deed.Removed or Deed.Renamed) => (null, null, 207, false),
            (Which.Socket, Deed.MadeReadOnly) => ("socket", readOnly, null, false),
            (Which.Socket, _) => ("socket", "replaced", null, false),
            (Which.Pidfile, Deed.Removed or Deed.Renamed) => (null, null, 118, false),
            (Which.Pidfile, Deed.MadeReadOnly) => (null, null, null, false),
            (Which.Pidfile, _) => ("pidfile", "replaced", null, false),
            (Which.Lock, Deed.MadeADirectory) => ("board-lock", "replaced", null, false),
            (Which.Lock, Deed.MadeReadOnly) => (null, null, null, false),
            (Which.Lock, _) => (null, null, 311, false),
            (Which.Database, Deed.Removed or Deed.Renamed) => ("board", "gone", null, true),
            (Which.Database, Deed.MadeReadOnly) => ("board", readOnly, null, false),
            (Which.Database, _) => ("board", "replaced", null, true),
            (Which.Log or Which.Index, Deed.MadeReadOnly) => (null, null, null, false),
            // SQLite cannot make its log where a directory is.
            (Which.Log or Which.Index, Deed.MadeADirectory) => ("board-log", "replaced", null, true),
            (Which.Log or Which.Index, _) => (null, null, 310, false),
            (Which.Sessions, Deed.MadeReadOnly) => ("sessions", readOnly, null, false),
            (Which.Sessions, Deed.Replaced) => ("sessions", "replaced", null, false),
            (Which.Sessions, _) => (null, null, 510, false),
            _ => throw new ArgumentOutOfRangeException(nameof(file)),
        };
    }

    private static async Task<JsonElement> TaskAsync(ColibriDaemon daemon, string id)
    {
        await using var client = await daemon.ConnectAsync();
        return await client.TaskAsync(id);
    }

    /// <summary>Board and sessions in directories of their own.</summary>
    private sealed class Place : IAsyncDisposable
    {
        private readonly TempDirectory _directory = new();

        public Place() => _directory.Folder("db");

        public string Database => _directory.File("db/board.sqlite");

        public string Sessions => _directory.File("sessions");

        public string Pidfile => _directory.File("d.pid");

        public Task<ColibriDaemon> StartAsync(params (string, string?)[] more) => ColibriDaemon.StartWithAsync(["--pidfile", Pidfile], [.. Settings, .. more]);

        public ColibriDaemon Prepared() => ColibriDaemon.Prepared(Settings);

        public string PathOf(Which file, ColibriDaemon daemon) => file switch
        {
            Which.Socket => daemon.SocketPath,
            Which.Pidfile => Pidfile,
            Which.Lock => Database + ".lock",
            Which.Database => Database,
            Which.Log => Database + "-wal",
            Which.Index => Database + "-shm",
            _ => Sessions,
        };

        public static async Task DoAsync(string path, Deed done)
        {
            var script = done switch
            {
                Deed.Removed => "rm -rf \"$1\"",
                Deed.Replaced => "rm -rf \"$1\" && echo 4242 > \"$1\"",
                Deed.Renamed => "mv \"$1\" \"$1.away\"",
                Deed.MadeADirectory => "rm -rf \"$1\" && mkdir \"$1\"",
                _ => "chmod a-w \"$1\"",
            };
            (await Launch.ToEndAsync("/bin/sh", ["-c", script, "sh", path])).ExitCode.ShouldBe(0);
        }

        public ValueTask DisposeAsync()
        {
            _directory.Dispose();
            return ValueTask.CompletedTask;
        }

        private (string, string?)[] Settings => [("COLIBRI_DB_PATH", Database), ("COLIBRI_SESSIONS_DIR", Sessions)];
    }
}
