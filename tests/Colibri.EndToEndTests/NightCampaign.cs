using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests;

/// <summary>
/// A night of thirty tasks for two kinds of real agents, and a provider that is away for ten minutes of it. A campaign of a quarter of an hour, not a test of
/// every run: <c>scripts/night.sh</c> starts it, and it prints what it saw.
/// </summary>
[ClassDataSource<PiInstallation, RealAgents>(Shared = [SharedType.PerTestSession, SharedType.PerTestSession])]
[NotInParallel]
public sealed class NightCampaign(PiInstallation pi, RealAgents agents)
{
    private const int TasksOfAKind = 15;
    private const int DoneBefore = 3;

    private static readonly TimeSpan Outage = TimeSpan.FromMinutes(10);

    // The longest wait between two tries is 10 min.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(25);
    private static readonly string[] Scenarios = ["tool", "two", "plain"];

    [Test, Explicit]
    [Timeout(60 * 60 * 1000)]
    public async Task Thirty_tasks_outlast_a_provider_that_is_away_for_ten_minutes(CancellationToken stopping)
    {
        await using var model = new ModelStandIn();
        await using var claude = await RealAgents.HomeOf("claude").StartDaemonAsync(await agents.ExecutableAsync("claude"), model, ("COLIBRI_PROVIDERS", null));
        await using var pis = await StartPiAsync(model);
        ColibriDaemon[] daemons = [claude, pis];
        var ids = daemons.ToDictionary(daemon => daemon, _ => new List<string>());
        foreach (var daemon in daemons)
        {
            for (var n = 0; n < TasksOfAKind; n++)
                ids[daemon].Add((await daemon.DataAsync(new { cmd = "create-task", title = $"task {n} SCENARIO:{Scenarios[n % Scenarios.Length]}" })).Text("id"));
        }
        foreach (var daemon in daemons)
            await Eventually.HoldsAsync(async () => await DoneAsync(daemon) >= DoneBefore, () => $"some are done before; the log:\n{daemon.Log}", Patience);

        await model.LeaveAsync();
        await Task.Delay(Outage, stopping);
        var startsInTheOutage = new List<string>();
        foreach (var daemon in daemons)
            startsInTheOutage.Add($"{(await daemon.CliAsync("status")).Stdout}");
        model.Return();
        var since = Stopwatch.StartNew();

        foreach (var daemon in daemons)
        {
            var name = daemon == claude ? "claude" : "pi";
            await Eventually.HoldsAsync(
                async () => await DoneAsync(daemon) == TasksOfAKind, () => $"all tasks of {name} are done; the log:\n{daemon.Log}", Patience);
            var starts = 0;
            foreach (var id in ids[daemon])
            {
                var task = await daemon.DataAsync(new { cmd = "get-task", task_id = id });
                (task.Text("status"), task.Number("attempts")).ShouldBe(("done", 1));
                starts += task.Items("runs").Count;
            }
            Console.WriteLine($"{name}: {TasksOfAKind} of {TasksOfAKind} tasks done, {starts} starts, all done {since.Elapsed.TotalSeconds:0} s after the outage's end");
        }
        foreach (var status in startsInTheOutage)
            Console.WriteLine(status);
    }

    private static async Task<long> DoneAsync(ColibriDaemon daemon) => (await daemon.DataAsync(new { cmd = "status" })).Member("tasks").Number("done");

    private Task<ColibriDaemon> StartPiAsync(ModelStandIn model)
    {
        var daemon = ColibriDaemon.Prepared(
            ("COLIBRI_AGENT_BINARY", pi.Executable), ("MOCK_API_KEY", "sk-mock-0123456789"), ("COLIBRI_AGENT_ARGS", string.Join(' ', PiHome.Arguments)));
        foreach (var (name, value) in PiHome.Furnish(daemon.Environment["HOME"]!, model.Port))
            daemon.Change(name, value);
        return daemon.StartedAsync();
    }
}
