using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>What an agent traces stands below its run: it is told the run's trace.</summary>
public sealed class TraceTests
{
    [Test]
    public async Task An_agent_is_told_the_trace_that_its_run_has_on_the_board()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo \"$TRACEPARENT $TRACESTATE\" > told", "", "", ("TRACEPARENT", "00-of-the-daemon"), ("TRACESTATE", "of=the-daemon"));
        List<string> told = [];
        foreach (var name in (string[])["one", "two"])
        {
            var directory = Directory.CreateDirectory(Path.Combine(site.Outside, name)).FullName;
            await site.RunAsync(new { cmd = "create-task", title = name, cwd = directory }, "done");
            told.Add((await File.ReadAllTextAsync(Path.Combine(directory, "told"))).Trim());
        }

        var runs = (await site.Daemon.DataAsync(new { cmd = "list-runs" })).Items("runs");
        runs.Select(run => $"00-{run.Text("trace_id")}-{run.Text("span_id")}-01").Reverse().ShouldBe(told);
        told.ShouldBeUnique();
        told.ShouldAllBe(parent => System.Text.RegularExpressions.Regex.IsMatch(parent, "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"));
    }
}
