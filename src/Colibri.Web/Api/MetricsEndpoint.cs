using System.Globalization;
using System.Text;
using Colibri.Protocol.Client;
using Colibri.Protocol.Metrics;
using Colibri.Web.Glass;
using Colibri.Web.Traces;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Api;

/// <summary>The daemon's metrics for a scraper, in the form that it asks for, and behind them those of the traces where there are any.</summary>
internal static class MetricsEndpoint
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <exception cref="DaemonUnreachableException">There is no answer.</exception>
    /// <exception cref="RefusedException">The daemon said no.</exception>
    public static async Task SendAsync(HttpContext http, DaemonClient daemon, SpanQueue? spans)
    {
        var isOpen = http.Request.Headers.Accept.ToString().Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        var readings = await MetricsReadings.ReadAsync(async request =>
        {
            var reply = await daemon.DoAsync(request, Timeout, http.RequestAborted).ConfigureAwait(false);
            return reply.Ok ? reply : throw new RefusedException(reply.Error!);
        }).ConfigureAwait(false);
        http.Response.ContentType = isOpen ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
        var text = MetricsText.Of(readings, isOpen);
        await http.Response.WriteAsync(spans is null ? text : With(text, spans, isOpen), http.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>The exposition with the counters of traces, before its end where it has one.</summary>
    public static string With(string text, SpanQueue spans, bool isOpen)
    {
        const string end = "# EOF\n";
        var total = isOpen ? "" : "_total";
        var own = new StringBuilder(isOpen && text.EndsWith(end, StringComparison.Ordinal) ? text[..^end.Length] : text);
        own.Append(CultureInfo.InvariantCulture, $"# HELP colibri_web_spans_sent{total} Spans that the collector has taken.\n# TYPE colibri_web_spans_sent{total} counter\ncolibri_web_spans_sent_total {spans.Sent}\n");
        own.Append(CultureInfo.InvariantCulture, $"# HELP colibri_web_spans_dropped{total} Spans that were not sent, by the reason.\n# TYPE colibri_web_spans_dropped{total} counter\n");
        foreach (var (reason, word) in (ReadOnlySpan<(DropReason, string)>)[(DropReason.QueueFull, "queue_full"), (DropReason.Refused, "refused"), (DropReason.Unanswered, "unanswered"), (DropReason.ManyTools, "many_tools")])
            own.Append(CultureInfo.InvariantCulture, $"colibri_web_spans_dropped_total{{reason=\"{word}\"}} {spans.Dropped(reason)}\n");
        return own.Append(isOpen ? end : "").ToString();
    }
}
