using System.Globalization;
using System.Text;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.PowerCuts;
using Microsoft.Data.Sqlite;

namespace Colibri.EndToEndTests;

/// <summary>
/// A daemon's life is put on record, and the power cut at many moments of it: whatever was answered before is on the board that is left. On
/// a Linux kernel with its file systems, and on FreeBSD's kernel with UFS, whose fdatasync does not keep what a file has grown by.
/// </summary>
public sealed class PowerCutTests
{
    private const int Cuts = 80;
    private const string FreeBsd = "FreeBSD 15.1-RELEASE-p1 releng/15.1-n281018 GENERIC";

    static PowerCutTests() => SQLitePCL.Batteries_V2.Init();

    [Test]
    public async Task On_Linux_what_was_answered_is_there_after_a_power_cut_at_any_moment()
    {
        using var life = await RecordAsync(kernel: null);
        life.Events.ShouldContain(one => one.Kind == PowerCutRecord.DataSyncBegun);
        Losses(life, dataSyncKeepsGrowth: true).ShouldBeEmpty();
        // The judge itself: with the same calls UFS loses what was answered, and with a checkpoint the board.
        var losses = Losses(life, dataSyncKeepsGrowth: false, syncedByItself: true);
        losses.ShouldContain(loss => loss.Contains("are not on the board"));
        losses.ShouldContain(loss => loss.Contains("damaged"));
    }

    [Test]
    public async Task On_FreeBSD_what_was_answered_is_there_after_a_power_cut_at_any_moment()
    {
        using var life = await RecordAsync(FreeBsd);
        Losses(life, dataSyncKeepsGrowth: false).ShouldBeEmpty();
        life.Events.ShouldNotContain(one => one.Kind == PowerCutRecord.DataSyncBegun);
        await ShouldServeAsync(life);
    }

    private sealed record Life(TempDirectory Folder, string Root, List<PowerCutEvent> Events) : IDisposable
    {
        public void Dispose() => Folder.Dispose();
    }

    private static async Task<Life> RecordAsync(string? kernel)
    {
        var folder = new TempDirectory();
        try
        {
            var (root, log) = (folder.Folder("root"), folder.File("record"));
            await using (var daemon = await ColibriDaemon.StartAsync(
                ("LD_PRELOAD", await PowerCutRecord.CompileAsync(folder)),
                ("POWERCUT_ROOT", root),
                ("POWERCUT_LOG", log),
                ("POWERCUT_KERNEL", kernel),
                ("COLIBRI_LOG_LEVEL", "warning"),
                ("COLIBRI_DB_PATH", $"{root}/new/board/board.sqlite"),
                ("COLIBRI_SESSIONS_DIR", $"{root}/sessions")))
            {
                await BoardLife.LiveAsync(daemon);
                await daemon.KillAsync();
            }
            var events = PowerCutRecord.Read(log);
            // One header at each start, and at least one where a checkpoint had the log begin anew.
            events.Count(one => one is { Kind: PowerCutRecord.Write, Number: 0, Bytes: [0x37, 0x7f, 0x06, _, ..] }).ShouldBeGreaterThan(2, "there was a checkpoint");
            return new Life(folder, root, events);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>What is missing or broken after each of the cuts, in words; right after the answers and the syncs, and in between.</summary>
    /// <param name="life">What was recorded.</param>
    /// <param name="dataSyncKeepsGrowth">Linux, or UFS.</param>
    /// <param name="syncedByItself">Whether the kernel has synced everything once, some answers after the start.</param>
    private static List<string> Losses(Life life, bool dataSyncKeepsGrowth, bool syncedByItself = false)
    {
        var moments = Moments(life.Events);
        var disk = new CutDisk(life.Root, dataSyncKeepsGrowth);
        var answered = new Answers();
        var losses = new List<string>();
        for (var i = 0; i < life.Events.Count; i++)
        {
            disk.Apply(life.Events[i]);
            answered.Add(life.Events[i]);
            if (syncedByItself && answered.Tasks.Count == 5)
                disk.SyncAll();
            if (!moments.Contains(i))
                continue;
            foreach (var leaves in Enum.GetValues<Leaves>())
            {
                using var left = new TempDirectory();
                disk.WriteTo(left.Path, leaves);
                foreach (var loss in Judge(left.Path, answered))
                    losses.Add(string.Create(CultureInfo.InvariantCulture, $"cut after event {i} of {life.Events.Count}, {leaves} left: {loss}"));
            }
        }
        return losses;
    }

    private static HashSet<int> Moments(List<PowerCutEvent> events)
    {
        var random = new Random(15);
        int[] Some(params char[] kinds)
        {
            int[] all = [.. Enumerable.Range(0, events.Count).Where(i => kinds.Length == 0 || kinds.Contains(events[i].Kind))];
            return [.. random.GetItems(all, Cuts / 3)];
        }
        return [.. Some(PowerCutRecord.Answer), .. Some(PowerCutRecord.Synced, PowerCutRecord.SyncBegun, PowerCutRecord.DataSyncBegun), .. Some(), events.Count - 1];
    }

    private static List<string> Judge(string folder, Answers answered)
    {
        var board = Path.Combine(folder, "new", "board", "board.sqlite");
        if (!File.Exists(board))
            return answered.Tasks.Count == 0 ? [] : [$"no board; {answered.Tasks.Count} tasks were answered"];
        var losses = new List<string>();
        try
        {
            using var connection = new SqliteConnection($"Data Source={board};Pooling=False");
            connection.Open();
            if (Rows(connection, "PRAGMA integrity_check", row => row.GetString(0)) is var verdict and not ["ok"])
                losses.Add($"damaged: {string.Join("; ", verdict.Take(3))}");
            if (answered.Tasks.Count > 0)
            {
                var kept = Rows(connection, "SELECT id, status FROM tasks", row => (Id: row.GetString(0), Status: row.GetString(1)))
                    .ToDictionary(row => row.Id, row => row.Status);
                var lost = answered.Tasks.Count(task => !kept.TryGetValue(task.Key, out var status) || Rank(status) < Rank(task.Value));
                if (lost > 0)
                    losses.Add($"{lost} of {answered.Tasks.Count} tasks are not on the board as they were answered");
            }
        }
        catch (SqliteException error)
        {
            losses.Add($"damaged: {error.Message}");
        }
        losses.AddRange(JudgeSession(Path.Combine(folder, "sessions", "s")));
        return losses;
    }

    /// <summary>What a generation only summarises, which is all before its summary's number, is in those before it.</summary>
    private static IEnumerable<string> JudgeSession(string directory)
    {
        if (!Directory.Exists(directory))
            yield break;
        var kept = new HashSet<long>();
        foreach (var file in Directory.GetFiles(directory, "*.jsonl").Order(StringComparer.Ordinal))
        {
            var entries = File.ReadAllText(file).Split('\n').SkipLast(1).Where(line => !line.Contains('\0')).Select(line => JsonElement.Parse(line)).ToList();
            if (entries.FirstOrDefault(entry => entry.Text("kind") == "compaction") is { ValueKind: JsonValueKind.Object } summary)
            {
                var missing = Enumerable.Range(1, (int)summary.Number("seq") - 1).Count(seq => !kept.Contains(seq));
                if (missing > 0)
                    yield return $"{Path.GetFileName(file)} is there, and {missing} of the entries before its summary are not";
            }
            kept.UnionWith(entries.Select(entry => entry.Number("seq")));
        }
    }

    private static int Rank(string status) => Array.IndexOf(["queued", "claimed", "started", "done"], status);

    private static List<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The judge reads the board as SQLite does; here a daemon takes over what the last cut left.</summary>
    private static async Task ShouldServeAsync(Life life)
    {
        var disk = new CutDisk(life.Root, dataSyncKeepsGrowth: false);
        var answered = new Answers();
        foreach (var one in life.Events)
        {
            disk.Apply(one);
            answered.Add(one);
        }
        using var left = new TempDirectory();
        disk.WriteTo(left.Path, Leaves.AllButGrowth);
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_DB_PATH", $"{left.Path}/new/board/board.sqlite"), ("COLIBRI_SESSIONS_DIR", $"{left.Path}/sessions"));
        await using var client = await daemon.ConnectAsync();
        var kept = (await client.AllTasksAsync()).Select(task => task.Text("id")).ToHashSet();
        answered.Tasks.Count.ShouldBe(BoardLife.Tasks);
        answered.Tasks.Keys.Except(kept).ShouldBeEmpty();
    }

    /// <summary>The tasks that clients had been told of, each with the last status told.</summary>
    private sealed class Answers
    {
        private readonly Dictionary<ulong, StringBuilder> _lines = [];

        public Dictionary<string, string> Tasks { get; } = [];

        public void Add(PowerCutEvent one)
        {
            if (one.Kind != PowerCutRecord.Answer)
                return;
            if (!_lines.TryGetValue(one.Inode, out var line))
                _lines[one.Inode] = line = new StringBuilder();
            var parts = Encoding.UTF8.GetString(one.Bytes).Split('\n');
            for (var i = 0; i < parts.Length; i++)
            {
                line.Append(parts[i]);
                if (i == parts.Length - 1)
                    break;
                Note(line.ToString());
                line.Clear();
            }
        }

        private void Note(string line)
        {
            var reply = new Reply(JsonElement.Parse(line));
            if (reply.Ok && reply.Data.ValueKind == JsonValueKind.Object && reply.Data.Has("max_attempts"))
                Tasks[reply.Data.Text("id")] = reply.Data.Text("status");
        }
    }
}
