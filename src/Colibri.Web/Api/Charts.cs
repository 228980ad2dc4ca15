using System.Globalization;
using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Api;

/// <summary>What the charts show, as numbers.</summary>
internal static class Charts
{
    private const int MostDays = 90;
    private const double MicrocentsOfDollar = 100_000_000;

    /// <summary>What each day has cost.</summary>
    public static async Task CostAsync(HttpContext http, DaemonClient daemon)
    {
        var cost = await daemon.AskAsync(new CommandRequest { Cmd = "cost", By = "day", Limit = MostDays }, ProtocolJson.Wire.CostSummary, http.RequestAborted).ConfigureAwait(false);
        await WriteAsync(http, OfCost(cost.Lines)).ConfigureAwait(false);
    }

    /// <summary>A series, the days in order.</summary>
    public static ChartData OfCost(IReadOnlyList<CostLine> lines)
    {
        var days = lines.Where(line => line.Day is not null).OrderBy(line => line.Day, StringComparer.Ordinal).ToList();
        return new ChartData([.. days.Select(line => SecondsOf(line.Day!))], [new ChartSeries("cost", [.. days.Select(line => line.Usage.CostMicrocents / MicrocentsOfDollar)])]);
    }

    private static long SecondsOf(string day) =>
        new DateTimeOffset(DateTime.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal), TimeSpan.Zero).ToUnixTimeSeconds();

    private static async Task WriteAsync(HttpContext http, ChartData data)
    {
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(data, WebJson.Default.ChartData), http.RequestAborted).ConfigureAwait(false);
    }
}
