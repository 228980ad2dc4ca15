using System.Diagnostics;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Web;

/// <summary>A native colibri-web of its own in front of a daemon.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly BoundedText _errors = new(4 * 1024);
    private readonly Process _process;

    private WebServer(string daemonSocket, string[] arguments)
    {
        string[] all = ["--listen", "127.0.0.1:0", "--socket", daemonSocket, "--token-file", TokenPath, .. arguments];
        _process = Process.Start(Launch.Prepare(Repository.Binary("colibri-web"), all, new Dictionary<string, string?> { ["HOME"] = _directory.Path }))!;
        _process.StandardInput.Close();
        _process.ErrorDataReceived += (_, line) => _errors.AppendLine(line.Data);
        _process.BeginErrorReadLine();
    }

    public string Url { get; private set; } = "";

    public int Pid => _process.Id;

    public string Token => File.ReadAllText(TokenPath).Trim();

    private string TokenPath => _directory.File("token");

    public static async Task<WebServer> StartAsync(string daemonSocket, params string[] arguments)
    {
        var server = new WebServer(daemonSocket, arguments);
        try
        {
            var line = await Eventually.WithinAsync(server._process.StandardOutput.ReadLineAsync(), "colibri-web says where it listens");
            // colibri-web: http://127.0.0.1:40123/ (...)
            server.Url = line?.Split(' ') is [_, ['h', 't', 't', 'p', ..] url, ..] ? url.TrimEnd('/') : throw new InvalidOperationException($"colibri-web said {line}, and {server._errors}");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _directory.Dispose();
    }
}
