using System.Globalization;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Top;

/// <summary>A terminal of a tmux server of its own, with a shell in it.</summary>
internal sealed class TmuxTerminal : IAsyncDisposable
{
    private const string Tmux = "/usr/bin/tmux";
    private readonly TempDirectory _directory = new();

    private TmuxTerminal()
    {
    }

    public static async Task<TmuxTerminal> OpenAsync(int width, int height, string socketPath, string environment = "")
    {
        Skip.Unless(File.Exists(Tmux), "no tmux at /usr/bin/tmux");
        var terminal = new TmuxTerminal();
        await terminal.DoAsync("-f", "/dev/null", "new-session", "-d", "-x", Number(width), "-y", Number(height),
            $"exec env {environment} COLIBRI_DAEMON_SOCKET={socketPath} PS1='shell: ' sh");
        await terminal.ShowsAsync("shell:");
        return terminal;
    }

    /// <summary>Keys by tmux's names for them: <c>j</c>, <c>Enter</c>, <c>C-z</c>.</summary>
    public Task PressAsync(params string[] keys) => DoAsync(["send-keys", .. keys]);

    /// <summary>Text as it is typed.</summary>
    public Task TypeAsync(string text) => DoAsync("send-keys", "-l", text);

    public async Task RunAsync(string command)
    {
        await TypeAsync(command);
        await PressAsync("Enter");
    }

    public Task ResizeAsync(int width, int height) => DoAsync("resize-window", "-x", Number(width), "-y", Number(height));

    public async Task<string> ScreenAsync() => (await DoAsync("capture-pane", "-p")).Stdout;

    /// <summary>The same with the sequences for colours.</summary>
    public async Task<string> ColoursAsync() => (await DoAsync("capture-pane", "-p", "-e")).Stdout;

    public Task<string> ShowsAsync(string text) => ShowsAsync(screen => screen.Contains(text, StringComparison.Ordinal), $"'{text}' is there");

    public Task ShowsNotAsync(string text) => ShowsAsync(screen => !screen.Contains(text, StringComparison.Ordinal), $"'{text}' is gone");

    public async Task<string> ShowsAsync(Func<string, bool> holds, string what)
    {
        var screen = "";
        await Eventually.HoldsAsync(async () => holds(screen = await ScreenAsync()), () => $"{what}; the screen:\n{screen}");
        return screen;
    }

    public async ValueTask DisposeAsync()
    {
        await Launch.ToEndAsync(Tmux, ["-S", _directory.File("t"), "kill-server"]);
        _directory.Dispose();
    }

    private async Task<Finished> DoAsync(params string[] arguments)
    {
        var done = await Launch.ToEndAsync(Tmux, ["-u", "-S", _directory.File("t"), .. arguments], new Dictionary<string, string?> { ["HOME"] = _directory.Path, ["TERM"] = "xterm", ["SHELL"] = "/bin/sh" });
        return done.ExitCode == 0 ? done : throw new InvalidOperationException($"tmux {string.Join(' ', arguments)}: {done}");
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
