using System.Globalization;
using System.Text.Json;
using Colibri.Protocol;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Api;

/// <summary>What the charts show, as numbers.</summary>
internal static class Charts
{
    private const int MostLines = 1_000;
    private const int MostRuns = 1_000;
    private const int MostSeries = 8;

    // Less than a week is hard to read, and a single day is no line.
    private const int LeastDays = 7;
    private const double MicrocentsOfDollar = 100_000_000;
    private const string Others = "others";

    /// <summary>What each day has cost, by profile where the daemon tells that.</summary>
    public static async Task CostAsync(HttpContext http, DaemonClient daemon)
    {
        ProfileCosts costs;
        try
        {
            costs = await daemon.AskAsync(new CommandRequest { Cmd = "cost", By = "day-profile", Limit = MostLines }, WebJson.Default.ProfileCosts, http.RequestAborted).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Error.Code == ErrorCodes.BadRequest)
        {
            costs = await daemon.AskAsync(new CommandRequest { Cmd = "cost", By = "day", Limit = MostLines }, WebJson.Default.ProfileCosts, http.RequestAborted).ConfigureAwait(false);
        }
        await WriteAsync(http, OfCost(costs.Lines)).ConfigureAwait(false);
    }

    /// <summary>How many agents worked at once, over the latest runs; nothing where the daemon does not list runs.</summary>
    public static async Task AgentsAsync(HttpContext http, DaemonClient daemon, DateTimeOffset now)
    {
        var runs = new RunSpans([]);
        try
        {
            runs = await daemon.AskAsync(new CommandRequest { Cmd = "list-runs", Limit = MostRuns }, WebJson.Default.RunSpans, http.RequestAborted).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Error.Code == ErrorCodes.UnknownCommand)
        {
            // An older daemon.
        }
        await WriteAsync(http, OfRuns(runs.Runs, now)).ConfigureAwait(false);
    }

    /// <summary>A series for each of the dearest profiles, and one for the rest; the days in order, every day between the first and the last, a week at the least.</summary>
    public static ChartData OfCost(IReadOnlyList<ProfileCost> lines)
    {
        var known = lines.Where(line => line.Day is not null).ToList();
        if (known.Count == 0)
            return new ChartData([], []);
        var (first, last) = (DayOf(known.Min(line => line.Day)!), DayOf(known.Max(line => line.Day)!));
        if (last.DayNumber - first.DayNumber < LeastDays - 1)
            first = last.AddDays(1 - LeastDays);
        var days = Enumerable.Range(0, last.DayNumber - first.DayNumber + 1).Select(first.AddDays).ToList();
        var dearest = known.GroupBy(NameOf).OrderByDescending(group => group.Sum(line => line.Usage.CostMicrocents)).Take(MostSeries).Select(group => group.Key).ToList();
        var series = known.GroupBy(line => dearest.Contains(NameOf(line)) ? NameOf(line) : Others)
            .Select(group => new ChartSeries(group.Key, [.. days.Select(day => group.Where(line => DayOf(line.Day!) == day).Sum(line => line.Usage.CostMicrocents) / MicrocentsOfDollar)]))
            .OrderByDescending(each => each.Values.Sum());
        return new ChartData([.. days.Select(day => new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).ToUnixTimeSeconds())], [.. series]);
    }

    /// <summary>A step at each begin and each end of a run.</summary>
    public static ChartData OfRuns(IReadOnlyList<RunSpan> runs, DateTimeOffset now)
    {
        if (runs.Count == 0)
            return new ChartData([], []);
        var steps = new SortedDictionary<long, int>();
        foreach (var run in runs)
        {
            Step(run.StartedAt, 1);
            if (run.EndedAt is { } end)
                Step(end, -1);
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

    private static string NameOf(ProfileCost line) => line.Profile ?? "without a profile";

    private static DateOnly DayOf(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static async Task WriteAsync(HttpContext http, ChartData data)
    {
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(data, WebJson.Default.ChartData), http.RequestAborted).ConfigureAwait(false);
    }
}

/// <summary>Of the answer to <c>cost</c> what a chart needs.</summary>
internal sealed record ProfileCosts(IReadOnlyList<ProfileCost> Lines);

/// <param name="Day">In UTC.</param>
/// <param name="Profile">Absent of agents without one.</param>
/// <param name="Usage">What it cost.</param>
internal sealed record ProfileCost(string? Day, string? Profile, Usage Usage);

/// <summary>Of the answer to <c>list-runs</c> what a chart needs.</summary>
internal sealed record RunSpans(IReadOnlyList<RunSpan> Runs);

/// <param name="StartedAt">When it began.</param>
/// <param name="EndedAt">Absent while it runs.</param>
internal sealed record RunSpan(DateTimeOffset StartedAt, DateTimeOffset? EndedAt);
