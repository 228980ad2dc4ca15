using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Colibri.Web;
using Colibri.Web.Options;
using Colibri.Web.Security;

namespace Colibri.UnitTests.Web.Security;

/// <summary>A server on a port of its own, without a daemon behind it, and requests byte for byte as a test writes them.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-web-").FullName;
    private readonly WebHost _host;

    private WebServer(string[] arguments)
    {
        var options = OptionParser.Parse(["--listen", "127.0.0.1:0", .. arguments]);
        options.Problem.ShouldBeNull();
        Token = AccessToken.Open(Path.Combine(_directory, "token"));
        _host = new WebHost(options, Path.Combine(_directory, "no-daemon.sock"), options.NeedsToken ? Token : null, TimeProvider.System);
    }

    public AccessToken Token { get; }

    public int Port => new Uri(_host.Address).Port;

    public static async Task<WebServer> StartAsync(params string[] arguments)
    {
        var server = new WebServer(arguments);
        await server._host.StartAsync();
        return server;
    }

    /// <summary>A GET of a page with these header lines. PORT stands for the port.</summary>
    public Task<Answer> GetAsync(string path, params string[] headers) => SendAsync($"GET {path} HTTP/1.1", headers, "");

    /// <summary>A POST of an action with these header lines.</summary>
    public Task<Answer> PostAsync(string path, string body, params string[] headers) =>
        SendAsync($"POST {path} HTTP/1.1", [.. headers, $"Content-Length: {Encoding.UTF8.GetByteCount(body).ToString(CultureInfo.InvariantCulture)}"], body);

    public async Task<Answer> SendAsync(string requestLine, string[] headers, string body)
    {
        using var client = new TcpClient();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await client.ConnectAsync("127.0.0.1", Port, deadline.Token);
        var stream = client.GetStream();
        var text = string.Join("\r\n", [requestLine, .. headers, "Connection: close", "", body]).Replace("PORT", Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), deadline.Token);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var answer = await reader.ReadToEndAsync(deadline.Token);
        return new Answer(int.Parse(answer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture), answer);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}

/// <param name="Status">The HTTP status.</param>
/// <param name="Text">Head and body.</param>
internal sealed record Answer(int Status, string Text);
