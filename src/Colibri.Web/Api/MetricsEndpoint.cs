using Colibri.Protocol.Client;
using Colibri.Protocol.Metrics;
using Colibri.Web.Glass;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Api;

/// <summary>The daemon's metrics for a scraper, in the form that it asks for.</summary>
internal static class MetricsEndpoint
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <exception cref="DaemonUnreachableException">There is no answer.</exception>
    /// <exception cref="RefusedException">The daemon said no.</exception>
    public static async Task SendAsync(HttpContext http, DaemonClient daemon)
    {
        var isOpen = http.Request.Headers.Accept.ToString().Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        var readings = await MetricsReadings.ReadAsync(async request =>
        {
            var reply = await daemon.DoAsync(request, Timeout, http.RequestAborted).ConfigureAwait(false);
            return reply.Ok ? reply : throw new RefusedException(reply.Error!);
        }).ConfigureAwait(false);
        http.Response.ContentType = isOpen ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
        await http.Response.WriteAsync(MetricsText.Of(readings, isOpen), http.RequestAborted).ConfigureAwait(false);
    }
}
