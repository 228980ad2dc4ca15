using System.Text;
using System.Text.Json;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;
using Colibri.Web.Pages;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Api;

/// <summary>Server-sent events: which topics have changed, at most four times a second for each page; and the entries of a session as they are written.</summary>
internal static class EventStream
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>Sessions that pages follow at once. Each is a connection to the daemon.</summary>
    private static readonly SemaphoreSlim Followers = new(MaxFollowers, MaxFollowers);
    public const int MaxFollowers = 16;
    private const string ContentType = "text/event-stream";

    /// <summary><c>/events?on=TOPIC,TOPIC</c>.</summary>
    public static async Task TellAsync(HttpContext http, BrowserHub browsers, CancellationToken stopping)
    {
        if (http.Request.Method == "HEAD")
        {
            // There is nothing to follow without a body, and so no place of a page is taken.
            http.Response.ContentType = ContentType;
            return;
        }
        var topics = http.Request.Query["on"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries).Take(Browser.MaxTopics).ToHashSet();
        if (browsers.TryJoin(topics) is not { } browser)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            await BeginAsync(http, ended.Token).ConfigureAwait(false);
            while (true)
            {
                if (await IsWokenAsync(browser, ended.Token).ConfigureAwait(false))
                {
                    var (isAll, changed) = browser.Take();
                    await WriteAsync(http, "changed", JsonSerializer.Serialize(new Happened(isAll, changed), WebJson.Default.Happened), ended.Token).ConfigureAwait(false);
                    await Task.Delay(Gap, ended.Token).ConfigureAwait(false);
                }
                else
                {
                    await WriteRawAsync(http, ":\n\n", ended.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The page was closed.
        }
        finally
        {
            browsers.Leave(browser);
        }
    }

    /// <summary><c>/tasks/NUMBER/session/follow?from=SEQ</c>: each entry as the HTML that its page shows.</summary>
    public static async Task FollowAsync(HttpContext http, string task, DaemonClient daemon, CancellationToken stopping)
    {
        if (http.Request.Method == "HEAD")
        {
            http.Response.ContentType = ContentType;
            return;
        }
        if (!Followers.Wait(0, CancellationToken.None))
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, ended.Token).ConfigureAwait(false);
            var from = long.TryParse(http.Request.Query["from"].ToString(), out var said) && said > 0 ? said : 1;
            var reply = await client.SendAsync(new CommandRequest { Cmd = "follow-session", TaskId = task, From = from }, null, ended.Token).ConfigureAwait(false);
            if (!reply.Ok)
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }
            await BeginAsync(http, ended.Token).ConfigureAwait(false);
            await foreach (var line in client.ReadEventsAsync(ended.Token).ConfigureAwait(false))
            {
                if (line.Entry is not { } entry)
                    continue;
                var html = new HtmlWriter();
                SessionPage.Entry(html, entry);
                await WriteAsync(http, "entry", html.Written, ended.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or DaemonUnreachableException)
        {
            // The page was closed, or the daemon has ended: the page takes the stream up again.
        }
        finally
        {
            Followers.Release();
        }
    }

    private static async Task<bool> IsWokenAsync(Browser browser, CancellationToken cancellation)
    {
        try
        {
            await browser.Woken.WaitAsync(Heartbeat, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task BeginAsync(HttpContext http, CancellationToken cancellation)
    {
        http.Response.ContentType = ContentType;
        http.Response.Headers["X-Accel-Buffering"] = "no";
        await WriteRawAsync(http, ":\n\n", cancellation).ConfigureAwait(false);
    }

    private static Task WriteAsync(HttpContext http, string name, string data, CancellationToken cancellation)
    {
        var message = new StringBuilder("event: ").Append(name).Append('\n');
        foreach (var line in data.Split('\n'))
            message.Append("data: ").Append(line).Append('\n');
        return WriteRawAsync(http, message.Append('\n').ToString(), cancellation);
    }

    private static async Task WriteRawAsync(HttpContext http, string text, CancellationToken cancellation)
    {
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation).ConfigureAwait(false);
        await http.Response.Body.FlushAsync(cancellation).ConfigureAwait(false);
    }
}
