using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Api;

/// <summary>What the charts show, as numbers.</summary>
internal static class Charts
{
    /// <summary>The most lines by day and profile.</summary>
    public const int MostLines = 1_000;

    private const int MostRuns = 1_000;
    private const double MicrocentsOfDollar = 100_000_000;

    /// <summary>What each day has cost, by profile.</summary>
    public static async Task CostAsync(HttpContext http, DaemonClient daemon)
    {
        var costs = await daemon.AskAsync(new CommandRequest { Cmd = "cost", By = "day-profile", Limit = MostLines }, ProtocolJson.Wire.CostSummary, http.RequestAborted).ConfigureAwait(false);
        await WriteAsync(http, OfCost(costs.Lines)).ConfigureAwait(false);
    }

    /// <summary>How many agents worked at once, over the latest thousand runs.</summary>
    public static async Task AgentsAsync(HttpContext http, DaemonClient daemon, DateTimeOffset now)
    {
        var list = await daemon.AskAsync(new CommandRequest { Cmd = "list-runs", Limit = MostRuns }, ProtocolJson.Wire.RunList, http.RequestAborted).ConfigureAwait(false);
        await WriteAsync(http, OfRuns([.. list.Runs.Select(run => (run.StartedAt, run.EndedAt))], now)).ConfigureAwait(false);
    }

    /// <summary>A series for each of the dearest profiles, the dearest first, and one for the rest; the days in order, every day between the first and the last, a week at the least.</summary>
    public static ChartData OfCost(IReadOnlyList<CostLine> lines)
    {
        var days = CostOfDays.Of(lines);
        return new ChartData([.. days.Days.Select(day => new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).ToUnixTimeSeconds())],
            [.. days.Profiles.Select(profile => new ChartSeries(profile.Name, [.. profile.Microcents.Select(cost => cost / MicrocentsOfDollar)]))]);
    }

    /// <summary>A step at each begin and each end of a run.</summary>
    public static ChartData OfRuns(IReadOnlyList<(DateTimeOffset Start, DateTimeOffset? End)> runs, DateTimeOffset now)
    {
        if (runs.Count == 0)
            return new ChartData([], []);
        var steps = new SortedDictionary<long, int>();
        foreach (var (start, end) in runs)
        {
            Step(start, 1);
            if (end is { } over)
                Step(over, -1);
        }
        Step(now, 0);
        var (times, counts, count) = (new List<long>(steps.Count), new List<double>(steps.Count), 0);
        foreach (var (time, change) in steps)
        {
            times.Add(time);
            counts.Add(count += change);
        }
        return new ChartData([.. times], [new ChartSeries("agents", [.. counts])]);

        void Step(DateTimeOffset at, int change) => steps[at.ToUnixTimeSeconds()] = steps.GetValueOrDefault(at.ToUnixTimeSeconds()) + change;
    }

    private static async Task WriteAsync(HttpContext http, ChartData data)
    {
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(data, WebJson.Default.ChartData), http.RequestAborted).ConfigureAwait(false);
    }
}
