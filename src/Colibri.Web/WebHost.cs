using System.Net.Sockets;
using System.Text;
using Colibri.Protocol.Client;
using Colibri.Web.Api;
using Colibri.Web.Glass;
using Colibri.Web.Options;
using Colibri.Web.Pages;
using Colibri.Web.Security;
using Colibri.Web.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Colibri.Web;

/// <summary>The server: Kestrel, the rules in front of everything, the routes, and the one subscription behind them.</summary>
internal sealed class WebHost : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly DaemonClient _daemon;
    private readonly CancellationTokenSource _stopping = new();
    private readonly RequestGuard _guard;
    private readonly WebParts _parts;
    private readonly TraceParts? _traces;
    private Task _work = Task.CompletedTask;

    public WebHost(WebOptions options, string daemonSocket, AccessToken? token, TimeProvider clock, TraceOptions? traces = null)
    {
        // Empty: neither the environment nor an appsettings.json of the current directory has a say.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.CreateBoundListenSocket = endPoint => ListenSocket.Bind(endPoint));
        builder.Services.Configure<KestrelServerOptions>(kestrel => Configure(kestrel, options));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTime);
        _app = builder.Build();
        _daemon = new DaemonClient(daemonSocket);
        var browsers = new BrowserHub();
        _guard = new RequestGuard(options, token);
        _traces = traces is null ? null : new TraceParts(traces, _daemon, clock);
        _parts = new WebParts(options, _daemon, new GlassModel(_daemon, browsers), browsers, clock, _traces?.Queue, _stopping.Token);
        _app.Run(AnswerAsync);
        _app.Lifetime.ApplicationStopping.Register(_stopping.Cancel);
    }

    /// <summary>Where it listens, with the port that the system has chosen.</summary>
    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <exception cref="IOException">The address cannot be had.</exception>
    public async Task StartAsync()
    {
        await _app.StartAsync().ConfigureAwait(false);
        var feed = new DaemonFeed(_daemon, _parts.Glass, _traces?.Runs);
        List<Task> work = [Task.Run(() => feed.RunAsync(_stopping.Token)), Task.Run(() => _parts.Glass.RefreshLoopAsync(_stopping.Token))];
        if (_traces is { } traces)
            work.AddRange([Task.Run(() => traces.Runs.RunAsync(_stopping.Token)), Task.Run(() => traces.Sender.RunAsync(_stopping.Token))]);
        _work = EndTogetherAsync(work);
    }

    /// <summary>Serves until it is asked to stop, or what it follows the daemon with has failed.</summary>
    public async Task RunToEndAsync()
    {
        var shutdown = _app.WaitForShutdownAsync();
        await Task.WhenAny(shutdown, _work).ConfigureAwait(false);
        if (_work.IsFaulted)
            await _work.ConfigureAwait(false);
        await shutdown.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _app.StopAsync().ConfigureAwait(false);
        try
        {
            await _work.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // As it was asked to.
        }
        await _app.DisposeAsync().ConfigureAwait(false);
        _parts.Glass.Dispose();
        _traces?.Dispose();
        _daemon.Dispose();
        _stopping.Dispose();
    }

    // None of them ends by itself: the first that does has failed, and the server ends with it.
    private async Task EndTogetherAsync(List<Task> work)
    {
        try
        {
            await (await Task.WhenAny(work).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Configure(KestrelServerOptions kestrel, WebOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = 256;
        kestrel.Limits.MaxRequestBodySize = ActionApi.MaxBodyBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        if (options.Listen.UnixPath is { } path)
            kestrel.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http1);
        else
            kestrel.Listen(options.Listen.EndPoint!, listen => listen.Protocols = HttpProtocols.Http1);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        ResponseRules.Apply(http.Response.Headers);
        if (_guard.Check(http.Request) is { } refusal)
        {
            await RefuseAsync(http, refusal).ConfigureAwait(false);
            return;
        }
        try
        {
            if (Routes.Find(http.Request.Path.Value ?? "/") is { } found)
                await found.Route.AnswerAsync(http, found.Values, _parts).ConfigureAwait(false);
            else
                await PageAnswer.SendAsync(http, [], _parts, _ => Task.FromResult(PageAnswer.Failed(StatusCodes.Status404NotFound, "Not found", "There is no such page."))).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RefusedException or DaemonUnreachableException && !http.Response.HasStarted)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await http.Response.WriteAsync("the daemon does not answer this\n").ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The browser has gone.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            // A defect: whoever runs the program must hear of it, and the browser must not show an empty page.
            await Console.Error.WriteLineAsync($"colibri-web: {http.Request.Path.ToUriComponent()} could not be made: {string.Concat(e.Message.Where(letter => !char.IsControl(letter)))}").ConfigureAwait(false);
            http.Response.Clear();
            ResponseRules.Apply(http.Response.Headers);
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            await http.Response.WriteAsync("this page could not be made; the messages of colibri-web say why\n").ConfigureAwait(false);
        }
    }

    private static async Task RefuseAsync(HttpContext http, Refusal refusal)
    {
        http.Response.StatusCode = refusal.Status;
        var wantsPage = refusal.Status == StatusCodes.Status401Unauthorized && http.Request.Method == "GET" && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);
        if (http.Request.Path.StartsWithSegments("/api"))
        {
            await ActionApi.AnswerAsync(http, refusal.Status, new ActionReply(false, refusal.Code, refusal.Message)).ConfigureAwait(false);
            return;
        }
        http.Response.ContentType = wantsPage ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(wantsPage ? Layout.WriteShell() : refusal.Message + "\n"), http.RequestAborted).ConfigureAwait(false);
    }
}
