using Colibri.Web.Api;
using Colibri.Web.Assets;
using Colibri.Web.Glass;
using Colibri.Web.Pages;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web;

/// <summary>Every address that is served. A new one is a line here.</summary>
internal static class Routes
{
    private static readonly Route[] All =
    [
        Page("/", OverviewPage.BuildAsync),
        Page("/tasks", TasksPage.BuildAsync),
        Page("/tasks/*", TaskPage.BuildAsync),
        Page("/tasks/*/session", SessionPage.BuildAsync),
        Page("/tasks/*/diff", DiffPage.BuildAsync),
        Page("/agents", AgentsPage.BuildAsync),
        Page("/agents/*", AgentsPage.BuildOneAsync),
        Page("/inbox", InboxPage.BuildAsync),
        Page("/cost", CostPage.BuildAsync),
        Page("/providers", ProvidersPage.BuildAsync),
        Page("/schedules", HostPages.SchedulesAsync),
        Page("/hosts", HostPages.HostsAsync),
        new("/events", (http, _, parts) => EventStream.TellAsync(http, parts.Browsers, parts.Stopping)),
        new("/tasks/*/session/follow", (http, values, parts) => EventStream.FollowAsync(http, values[0], parts.Daemon, parts.Stopping)),
        new("/charts/cost.json", (http, _, parts) => Charts.CostAsync(http, parts.Daemon)),
        new("/charts/agents.json", (http, _, parts) => Charts.AgentsAsync(http, parts.Daemon, parts.Clock.GetUtcNow())),
        new("/assets/*/*", (http, _, _) => AssetTable.SendAsync(http)),
        new("/healthz", HealthAsync),
        new("/metrics", (http, _, parts) => MetricsEndpoint.SendAsync(http, parts.Daemon, parts.Spans)),
        new("/api/*", (http, values, parts) => ActionApi.DoAsync(http, values[0], parts.Daemon)),
    ];

    /// <summary>The route of a path and the values of its stars; null where there is none.</summary>
    public static (Route Route, string[] Values)? Find(string path)
    {
        foreach (var route in All)
        {
            if (route.Match(path) is { } values)
                return (route, values);
        }
        return null;
    }

    private static Route Page(string pattern, Func<PageRequest, Task<Page>> build) => new(pattern, (http, values, parts) => PageAnswer.SendAsync(http, values, parts, build));

    private static Task HealthAsync(HttpContext http, string[] values, WebParts parts)
    {
        var isAway = parts.Glass.Away is not null;
        http.Response.StatusCode = isAway ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        return http.Response.WriteAsync(isAway ? "the daemon is away\n" : "ok\n", http.RequestAborted);
    }
}

/// <param name="Pattern">Of segments; <c>*</c> is any one of them.</param>
/// <param name="AnswerAsync">Answers a request with the values of the stars.</param>
internal sealed record Route(string Pattern, Func<HttpContext, string[], WebParts, Task> AnswerAsync)
{
    private const int LongestValue = 256;
    private readonly string[] _segments = Pattern.Split('/');

    /// <returns>The values of the stars; null where the path is another.</returns>
    public string[]? Match(string path)
    {
        var segments = path.Split('/');
        if (segments.Length != _segments.Length)
            return null;
        List<string> values = [];
        for (var i = 0; i < segments.Length; i++)
        {
            if (_segments[i] == "*" && segments[i].Length is > 0 and <= LongestValue)
                values.Add(segments[i]);
            else if (_segments[i] != segments[i])
                return null;
        }
        return [.. values];
    }
}

/// <summary>What the routes work with.</summary>
internal sealed record WebParts(Options.WebOptions Options, DaemonClient Daemon, GlassModel Glass, BrowserHub Browsers, TimeProvider Clock, Traces.SpanQueue? Spans, CancellationToken Stopping);
