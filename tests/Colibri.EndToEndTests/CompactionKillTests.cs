using System.Text;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A daemon that is killed while it compacts, at instants that chance picks.</summary>
public sealed class CompactionKillTests
{
    private const int Daemons = 4;
    private const int KillsEach = 50;
    private const int Pipelined = 150;

    [Test]
    public async Task After_each_of_two_hundred_kills_the_session_opens_without_a_gap_and_has_all_that_was_answered()
    {
        var compactions = await Task.WhenAll(Enumerable.Range(0, Daemons).Select(seed => Task.Run(() => KillAgainAndAgainAsync(new Random(seed)))));

        compactions.Sum(counted => counted.Made).ShouldBeGreaterThan(Daemons * KillsEach, "the kills came too early to meet compactions");
        TestContext.Current?.Output.WriteLine(
            $"{compactions.Sum(counted => counted.Made)} compactions answered, {compactions.Sum(counted => counted.Interrupted)} interrupted");
    }

    private static async Task<(int Made, int Interrupted)> KillAgainAndAgainAsync(Random random)
    {
        // In the narrowest mode every third turn brings a compaction.
        await using var daemon = ColibriDaemon.Prepared(("COLIBRI_COST_MODE", "fast"), ("COLIBRI_LOG_LEVEL", "warning"));
        var answered = new HashSet<string>();
        var (session, compactions, interrupted) = ("", 0, 0);
        for (var kill = 0; kill < KillsEach; kill++)
        {
            // A new session now and then, so that reading it whole stays quick.
            if (kill % 10 == 0)
                (session, _) = ($"s{kill / 10}", answered = []);
            await daemon.StartAgainAsync();
            compactions += await AppendAndKillAsync(daemon, session, kill, random, answered);
            var directory = Path.Combine(daemon.SessionsPath, session);
            interrupted += Directory.Exists(directory) && WasInterrupted(directory) ? 1 : 0;
            ShouldHaveAll(directory, answered);
            if (kill % 10 == 9)
                await ShouldOpenAsync(daemon, session, answered);
        }
        return (compactions, interrupted);
    }

    /// <summary>A next generation without its name yet, or the one before the live one not yet read-only.</summary>
    private static bool WasInterrupted(string directory) =>
        Directory.GetFiles(directory, "*.tmp").Length > 0
        || (!OperatingSystem.IsWindows()
            && Directory.GetFiles(directory, "*.jsonl").Order(StringComparer.Ordinal).SkipLast(1).LastOrDefault() is { } old
            && File.GetUnixFileMode(old).HasFlag(UnixFileMode.UserWrite));

    private static async Task<int> AppendAndKillAsync(ColibriDaemon daemon, string session, int kill, Random random, HashSet<string> answered)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < Pipelined; i++)
        {
            var text = $"{kill}-{i} {new string('x', random.Next(2_000))}";
            lines.Append(WireClient.Line(new { cmd = "append-session", session_id = session, entry = new { kind = "user", text } })).Append('\n');
        }
        await using var client = await daemon.ConnectAsync();
        var sending = SendAsync(client, lines.ToString());
        var (until, compactions) = (random.Next(Pipelined), new HashSet<long>());
        for (var i = 0; i < Pipelined; i++)
        {
            if (i == until)
                await daemon.KillAsync();
            if (await client.ReadLineAsync() is not { } line || Parse(line) is not { } reply)
                break;
            answered.Add($"{kill}-{i}");
            if (reply.Data.Has("compacted"))
                compactions.Add(reply.Data.Member("compacted").Number("seq"));
        }
        await sending;
        return compactions.Count;
    }

    private static async Task SendAsync(WireClient client, string lines)
    {
        try
        {
            await client.SendBytesAsync(Encoding.UTF8.GetBytes(lines));
        }
        catch (IOException)
        {
            // The daemon was killed with requests unread.
        }
    }

    /// <summary>The last line of a killed daemon may be torn: that is no answer.</summary>
    private static Reply? Parse(string line)
    {
        try
        {
            return new Reply(JsonElement.Parse(line));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What lies on the disk, read without the daemon.</summary>
    private static void ShouldHaveAll(string directory, HashSet<string> answered)
    {
        if (!Directory.Exists(directory))
        {
            answered.ShouldBeEmpty();
            return;
        }
        var (texts, next) = (new HashSet<string>(), 1L);
        foreach (var file in Directory.GetFiles(directory, "*.jsonl").Order(StringComparer.Ordinal))
        {
            foreach (var line in File.ReadAllText(file).Split('\n').SkipLast(1))
            {
                var entry = JsonElement.Parse(line);
                var seq = entry.Number("seq");
                seq.ShouldBeLessThanOrEqualTo(next, $"a gap in {file}");
                next = Math.Max(next, seq + 1);
                if (entry.Text("kind") == "user")
                    texts.Add(entry.Text("text").Split(' ')[0]);
            }
        }
        answered.Except(texts).ShouldBeEmpty();
    }

    private static async Task ShouldOpenAsync(ColibriDaemon daemon, string session, HashSet<string> answered)
    {
        await daemon.StartAgainAsync();
        await using var client = await daemon.ConnectAsync();
        var receipt = await client.DataAsync(new { cmd = "append-session", session_id = session, entry = new { kind = "note", text = "after" } });
        receipt.Number("turns").ShouldBeLessThanOrEqualTo(5);
        var all = (await client.DataAsync(new { cmd = "get-session", session_id = session, all = true })).Items("entries");
        all.Select(entry => entry.Number("seq")).ShouldBe(Enumerable.Range(1, all.Count).Select(seq => (long)seq));
        answered.Except(all.Where(entry => entry.Text("kind") == "user").Select(entry => entry.Text("text").Split(' ')[0])).ShouldBeEmpty();
        Directory.GetFiles(Path.Combine(daemon.SessionsPath, session), "*.tmp").ShouldBeEmpty();
        await daemon.KillAsync();
    }
}
