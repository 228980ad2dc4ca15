using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Web;

/// <summary>A scenario of <c>browser.mjs</c> under way in a real browser.</summary>
internal sealed class BrowserRun : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly BoundedText _errors = new(8 * 1024);

    private BrowserRun(Process process)
    {
        _process = process;
        _process.ErrorDataReceived += (_, line) => _errors.AppendLine(line.Data);
        _process.BeginErrorReadLine();
    }

    /// <summary>Where the screenshots are kept.</summary>
    public static string Shots { get; } = Directory.CreateDirectory(Path.Combine(Repository.Root, ".cache", "web-screenshots")).FullName;

    public static async Task<BrowserRun> StartAsync(string scenario, ColibriDaemon daemon, WebServer web, long? task = null, bool isReadOnly = false)
    {
        Skip.Unless(File.Exists(Chromium), $"there is no {Chromium} (try: apt-get install chromium)");
        var playwright = (await Installation.FetchAsync("real_playwright")).Required("playwright-core");
        var axe = (await Installation.FetchAsync("real_axe")).Required("axe-core");
        var node = (await Installation.FetchAsync("real_node")).Required("node");
        var start = Launch.Prepare(node, [Path.Combine(Repository.Root, "tests", "Colibri.EndToEndTests", "Web", "browser.mjs"), scenario], new Dictionary<string, string?>
        {
            ["HOME"] = daemon.Environment["HOME"],
            ["TMPDIR"] = daemon.Environment["TMPDIR"],
            ["PLAYWRIGHT"] = playwright,
            ["AXE"] = axe,
            ["CHROMIUM"] = Chromium,
            ["URL"] = web.Url,
            ["TOKEN"] = isReadOnly ? null : web.Token,
            ["SOCKET"] = daemon.SocketPath,
            ["SHOTS"] = Shots,
            ["AGENT"] = Repository.TestAgent,
            ["TASK"] = task?.ToString(System.Globalization.CultureInfo.InvariantCulture),
        });
        return new BrowserRun(Process.Start(start)!);
    }

    public Task SayAsync(string word) => _process.StandardInput.WriteLineAsync(word);

    /// <summary>The next line that the scenario prints. One that failed fails the test.</summary>
    public async Task<JsonElement> NextAsync()
    {
        var line = await Eventually.WithinAsync(_process.StandardOutput.ReadLineAsync(), "the scenario says something", Longest)
            ?? throw new InvalidOperationException($"the browser ended without a word: {_errors}");
        var said = JsonElement.Parse(line);
        return said.TryGetProperty("failed", out _) ? throw new ShouldAssertException($"{line}\n{_errors}") : said;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
