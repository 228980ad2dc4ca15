using Colibri.Web.Options;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Colibri.Web.Security;

/// <summary>
/// Which requests are served. A page of another site can make a browser send anything to this machine, so being on loopback proves nothing: each
/// request passes every rule here before anything else sees it.
/// </summary>
internal sealed class RequestGuard(WebOptions options, AccessToken? token)
{
    /// <summary>Where actions are sent.</summary>
    public const string ActionPath = "/api/";

    private const string Bearer = "Bearer ";

    /// <summary>The answer to a request that has no right to be served; null for one that has.</summary>
    public Refusal? Check(HttpRequest request) =>
        HostIsOurs(request) ?? OriginIsOurs(request) ?? FetchIsOurs(request) ?? MethodIsKnown(request) ?? BodyIsJson(request)
        ?? ReaderHasToken(request) ?? WriterHasToken(request);

    /// <summary>A name of somebody else that resolves to this machine (DNS rebinding) is in the Host header. A request without the header is refused too.</summary>
    private Refusal? HostIsOurs(HttpRequest request)
    {
        var hosts = request.Headers.Host;
        return hosts.Count == 1 && hosts[0] is { Length: > 0 } host && IsOurs(request, host)
            ? null
            : new Refusal(StatusCodes.Status421MisdirectedRequest, "host", "this server does not answer under that name (see: colibri-web --help, --allow-host)");
    }

    /// <summary>A script of another origin is at work. That the header is absent proves nothing, and other rules look further.</summary>
    private Refusal? OriginIsOurs(HttpRequest request)
    {
        var origins = request.Headers.Origin;
        if (origins.Count == 0)
            return null;
        var host = request.Headers.Host.ToString().ToLowerInvariant();
        var isOurs = origins.Count == 1 && SchemesOf(host).Any(scheme => origins[0] == $"{scheme}://{host}");
        return isOurs ? null : new Refusal(StatusCodes.Status403Forbidden, "origin", "a page of another origin has no access");
    }

    /// <summary>The browser itself says that another site has asked, be it by a link.</summary>
    private static Refusal? FetchIsOurs(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"];
        return site.Count == 0 || site is ["same-origin" or "none"]
            ? null
            : new Refusal(StatusCodes.Status403Forbidden, "fetch-site", "another site has no access (a link from one is refused too: type the address)");
    }

    private static Refusal? MethodIsKnown(HttpRequest request)
    {
        var isAction = IsAction(request);
        return request.Method switch
        {
            "GET" or "HEAD" when !isAction => null,
            "POST" when isAction => null,
            _ => new Refusal(StatusCodes.Status405MethodNotAllowed, "method", "pages take GET, and actions take POST"),
        };
    }

    /// <summary>A form, or text/plain, is sent to any site without being asked for; application/json is not.</summary>
    private static Refusal? BodyIsJson(HttpRequest request)
    {
        if (!IsAction(request))
            return request.ContentLength is > 0 || request.Headers.ContainsKey(HeaderNames.TransferEncoding)
                ? new Refusal(StatusCodes.Status400BadRequest, "body", "a page takes no body")
                : null;
        var types = request.Headers.ContentType;
        return types.Count == 1 && MediaTypeHeaderValue.TryParse(types[0], out var type) && type.MediaType == "application/json"
            && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            ? null
            : new Refusal(StatusCodes.Status415UnsupportedMediaType, "content-type", "an action takes application/json alone");
    }

    private Refusal? ReaderHasToken(HttpRequest request) =>
        !options.ReadsNeedToken || IsAction(request) || IsOpen(request) || HasToken(request) ? null : NoToken;

    private Refusal? WriterHasToken(HttpRequest request)
    {
        if (!IsAction(request))
            return null;
        if (!options.Write)
            return new Refusal(StatusCodes.Status403Forbidden, "read-only", "this server is read-only (start it with --write)");
        return HasToken(request) ? null : NoToken;
    }

    private static Refusal NoToken => new(StatusCodes.Status401Unauthorized, "token", "the token is missing or wrong (it is in the file of --token-file)");

    private bool HasToken(HttpRequest request) =>
        token is not null && request.Headers.Authorization is [{ } given] && given.StartsWith(Bearer, StringComparison.Ordinal) && token.Is(given.AsSpan(Bearer.Length));

    // Scripts, styles and whether it lives: nothing of the daemon is in them.
    private static bool IsOpen(HttpRequest request) => request.Path.StartsWithSegments("/assets") || request.Path == "/healthz";

    private static bool IsAction(HttpRequest request) => request.Path.StartsWithSegments("/api");

    private bool IsOurs(HttpRequest request, string host)
    {
        host = host.ToLowerInvariant();
        if (host == options.BehindProxy?.Text || options.AllowedHosts.Any(allowed => allowed.Text == host))
            return true;
        // Over a Unix socket, which ssh -L may have given any port on the other side, the port is not ours to know.
        return options.Listen.UnixPath is null ? IsLoopback(host, request.HttpContext.Connection.LocalPort) : IsLoopback(host, port: null);
    }

    private static bool IsLoopback(string host, int? port)
    {
        var name = host.LastIndexOf(':') is > 0 and var colon && !host.EndsWith(']') ? host[..colon] : host;
        if (name is not ("localhost" or "127.0.0.1" or "[::1]"))
            return false;
        var said = host.Length == name.Length ? 80 : int.TryParse(host.AsSpan(name.Length + 1), System.Globalization.NumberStyles.None, null, out var number) ? number : -1;
        return said > 0 && (port is null || said == port);
    }

    private IEnumerable<string> SchemesOf(string host) =>
        host == options.BehindProxy?.Text ? ["https"] : options.AllowedHosts.Any(allowed => allowed.Text == host) ? ["https", "http"] : ["http"];
}

/// <summary>Why a request is not served.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The rule, for programs.</param>
/// <param name="Message">One line for a person. Nothing of the request is in it.</param>
internal sealed record Refusal(int Status, string Code, string Message);
