using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Pages;

/// <summary>Sends a page, or the parts of it that <c>?_parts=</c> asks for. What the daemon refuses becomes a page as well.</summary>
internal static class PageAnswer
{
    public static async Task SendAsync(HttpContext http, string[] values, WebParts parts, Func<PageRequest, Task<Page>> build)
    {
        var request = new PageRequest(parts.Glass, parts.Daemon, parts.Options, values, http.Request.Query, parts.Clock.GetUtcNow(), http.RequestAborted);
        Page page;
        try
        {
            page = await build(request).ConfigureAwait(false);
        }
        catch (RefusedException e)
        {
            page = Failed(e.Error.Code == ErrorCodes.NotFound ? StatusCodes.Status404NotFound : StatusCodes.Status400BadRequest, e.Error.Code == ErrorCodes.NotFound ? "Not found" : "Refused", e.Message);
        }
        catch (DaemonUnreachableException e)
        {
            page = Failed(StatusCodes.Status503ServiceUnavailable, "The daemon is away", e.Message);
        }
        http.Response.StatusCode = page.Status;
        http.Response.ContentType = "text/html; charset=utf-8";
        var wanted = http.Request.Query["_parts"].ToString();
        await http.Response.WriteAsync(wanted.Length > 0 ? Layout.WriteParts(page, parts.Glass, wanted.Split(',')) : Layout.Write(page, parts.Glass, parts.Options), http.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>A page that says why there is none.</summary>
    public static Page Failed(int status, string title, string message) =>
        new(title, "", [Part.Of("failure", [Topics.Daemon], html => html.Element("p", message, ("class", "words bad")))]) { Status = status };
}
