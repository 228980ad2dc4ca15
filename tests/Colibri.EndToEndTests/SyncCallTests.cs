using System.Text.RegularExpressions;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>By which system calls the daemon and the SQLite in it make things durable, and when, as strace sees it.</summary>
public sealed partial class SyncCallTests
{
    // SQLite's file format: the log begins with 32 bytes, each page in it with 24.
    private const int LogHeader = 32;
    private const int FrameHeader = 24;

    [Test]
    [Arguments(null, "fdatasync", "fsync")]
    [Arguments("FreeBSD 15.1-RELEASE-p1 releng/15.1-n281018 GENERIC", "fsync", "fdatasync")]
    public async Task Every_answer_follows_a_sync_that_began_after_its_commit(string? kernel, string sync, string other)
    {
        using var folder = new TempDirectory();
        var trace = folder.File("trace");
        await using var daemon = await ColibriDaemon.StartThroughAsync(
            Strace.Command(trace, "fsync,fdatasync,pwrite64,sendto,sendmsg", kernel), ("COLIBRI_LOG_LEVEL", "warning"));
        await BoardLife.LiveAsync(daemon);
        var pid = daemon.Pid;
        (await daemon.TerminateAsync()).ShouldBe(0);
        var calls = await Strace.ReadAsync(trace, pid);

        var (board, log, directory) = (daemon.DatabasePath, daemon.DatabasePath + "-wal", daemon.DirectoryPath);
        var session = Path.Combine(daemon.SessionsPath, "s");
        string[] ofBoard = [board, log, directory], ofSession = [Path.Combine(session, "0001.jsonl"), Path.Combine(session, "0002.jsonl.tmp"), session];
        ofBoard.Except(Synced(sync)).ShouldBeEmpty();
        Synced(other).ShouldNotContain(board);
        Synced(other).ShouldNotContain(log);
        // On FreeBSD there is none at all. What .NET syncs, and directories of ours, are fsync everywhere.
        ofSession.Except(Synced("fsync")).ShouldBeEmpty();
        if (kernel is not null)
            calls.ShouldNotContain(call => call.Name == "fdatasync");

        var commits = Commits(calls, log);
        var syncs = calls.Where(call => call.Name == sync && call.Path == log && call.Succeeded).ToList();
        var told = new HashSet<string>();
        foreach (var answer in calls.Where(call => call.Name is "sendto" or "sendmsg"))
        {
            foreach (Match task in Task().Matches(answer.Arguments))
            {
                var (id, isNew) = (task.Groups["id"].Value, task.Groups["status"].Value == "queued");
                // What a client is told of one after the other is the last commit there is; what was pipelined, the first that has the task.
                var commit = isNew ? commits.First(one => one.Text.Contains(id)) : commits.Last(one => one.Ended < answer.Begun);
                syncs.ShouldContain(one => one.Begun > commit.Ended && one.Ended < answer.Begun,
                    $"the answer of task {id}, {task.Groups["status"].Value}, at line {answer.Begun}; its commit ended at line {commit.Ended}");
                told.Add(id);
            }
        }
        told.Count.ShouldBe(BoardLife.Tasks);
        // One header of the log at each start, and one at least where a checkpoint had it begin anew.
        calls.Count(call => call.Name == "pwrite64" && call.Path == log && SizeOf(call) == LogHeader).ShouldBeGreaterThan(2, "there was a checkpoint");

        IEnumerable<string> Synced(string name) => calls.Where(call => call.Name == name && call.Succeeded).Select(call => call.Path).Distinct();
    }

    /// <summary>Transactions in the log: all that was written until a frame whose header says that it commits (a size of the database, not 0).</summary>
    private static List<(string Text, int Ended)> Commits(List<TracedCall> calls, string log)
    {
        var commits = new List<(string Text, int Ended)>();
        var (pages, isLast) = (new List<string>(), false);
        foreach (var write in calls.Where(call => call.Name == "pwrite64" && call.Path == log))
        {
            var size = SizeOf(write);
            if (size == FrameHeader)
                isLast = write.Bytes(8)[4..].Any(one => one != 0);
            if (size <= LogHeader)
                continue;
            pages.Add(write.Arguments);
            if (!isLast)
                continue;
            commits.Add((string.Concat(pages), write.Ended));
            pages.Clear();
        }
        return commits;
    }

    private static int SizeOf(TracedCall write) => int.Parse(Size().Match(write.Arguments).Groups[1].Value);

    // As strace quotes it.
    [GeneratedRegex(@"\{\\""id\\"":\\""(?<id>[0-9a-f-]{36})\\"",\\""number\\"":[0-9]+,\\""title\\"".*?\\""status\\"":\\""(?<status>[a-z]+)\\""")]
    private static partial Regex Task();

    [GeneratedRegex(@", ([0-9]+), [0-9]+(\)| <unfinished)", RegexOptions.RightToLeft)]
    private static partial Regex Size();
}
