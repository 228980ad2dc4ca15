using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Top;

/// <summary><c>colibri top</c> in a real terminal, over a real daemon with agents that ask, work long, fail and change files.</summary>
public sealed class TopTests
{
    private const string Script = """
        case $prompt in
            *Fail*) exec TEST_AGENT --fail --turns 1 "$@" ;;
            *Long*) exec TEST_AGENT --hold-secs 600 --turns 1 "$@" ;;
            *Change*) echo "changed by the agent" >page.txt ;;
        esac
        """;

    private static Task<WorkspaceDaemon> StartAsync() => WorkspaceDaemon.StartAsync(
        Script.Replace("TEST_AGENT", Repository.TestAgent, StringComparison.Ordinal),
        "",
        "",
        $"""
        [agents.asker]
        kind = "pi"
        binary = "{Repository.TestAgent}"
        args = ["--mode", "rpc", "--ask", "--turns", "1"]
        """);

    [Test]
    [Arguments(80, 24)]
    [Arguments(120, 40)]
    public async Task Every_key_does_what_the_help_says_of_it(int width, int height)
    {
        await using var board = await StartAsync();
        await board.RunAsync(new { cmd = "create-task", title = "Change the page", workspace = "site", agent = "pi" }, "done");
        await board.RunAsync(new { cmd = "create-task", title = "Fail at it", cwd = board.Outside, agent = "pi", max_attempts = 1 }, "failed");
        await board.Daemon.DataAsync(new { cmd = "create-task", title = "Held back", hold = true, agent = "pi", cwd = board.Outside });
        await board.RunAsync(new { cmd = "create-task", title = "Change more", workspace = "site", agent = "pi" }, "done");
        await board.Daemon.DataAsync(new { cmd = "create-task", title = "Ask me", agent = "asker" });
        await using var terminal = await TmuxTerminal.OpenAsync(width, height, board.Daemon.SocketPath);
        await terminal.RunAsync($"{Repository.Cli} top");
        await terminal.ShowsAsync("Go on?");
        await terminal.ShowsAsync("ATTENTION 5");

        // What waits, one after the other, and back.
        await terminal.PressAsync("n");
        await terminal.ShowsAsync(screen => Selected(screen).StartsWith("> question", StringComparison.Ordinal), "the question is selected");
        await terminal.PressAsync("n");
        await terminal.ShowsAsync(screen => Selected(screen).StartsWith("> review", StringComparison.Ordinal), "a review is selected");
        await terminal.PressAsync("N");
        await terminal.ShowsAsync(screen => Selected(screen).StartsWith("> question", StringComparison.Ordinal), "the question is selected again");

        // The answer, in place.
        await terminal.PressAsync("a");
        await terminal.ShowsAsync("y yes  n no");
        await terminal.PressAsync("Escape");
        await terminal.ShowsAsync("nothing was done");
        await terminal.PressAsync("a");
        await terminal.ShowsAsync("--yes|--no");
        await terminal.PressAsync("y");
        await terminal.ShowsAsync("has its answer   (colibri answer a");
        await terminal.ShowsAsync("ATTENTION 4");

        // A change: the diff, landing after a no and a yes, discarding.
        await terminal.PressAsync("g");
        await terminal.ShowsAsync(screen => Selected(screen).StartsWith("> review", StringComparison.Ordinal), "a review is the first");
        await terminal.PressAsync("d");
        await terminal.ShowsAsync("> change of task 4");
        await terminal.ShowsAsync("+changed by the agent");
        (await terminal.ColoursAsync()).ShouldContain("\e[32m+changed by the agent");
        // An Escape with a key right behind it would be Alt and that key.
        await terminal.PressAsync("Escape");
        await terminal.ShowsNotAsync("> change of");
        await terminal.PressAsync("L");
        await terminal.ShowsAsync("y yes  n no      colibri land 4");
        await terminal.PressAsync("n");
        await terminal.ShowsAsync("nothing was done");
        await terminal.PressAsync("L");
        await terminal.ShowsAsync("y yes  n no      colibri land 4");
        await terminal.PressAsync("y");
        await terminal.ShowsAsync("task 4 has landed");
        await terminal.ShowsAsync("ATTENTION 3");
        await terminal.PressAsync("g", "D");
        await terminal.ShowsAsync("y yes  n no      colibri discard 1");
        await terminal.PressAsync("y");
        await terminal.ShowsAsync("the change of task 1 is discarded");
        await terminal.ShowsAsync("ATTENTION 2");

        // A failure is tried again with words, and fails again.
        await terminal.PressAsync("g");
        await terminal.ShowsAsync(screen => Selected(screen).StartsWith("> failed", StringComparison.Ordinal), "the failure is selected");
        await terminal.PressAsync("r");
        await terminal.ShowsAsync("Queue task 2 once more");
        await terminal.TypeAsync("be careful");
        await terminal.ShowsAsync("--feedback 'be careful'");
        await terminal.PressAsync("Enter");
        await terminal.ShowsAsync("(colibri retry 2 --feedback 'be careful')");
        (await board.Daemon.DataAsync(new { cmd = "get-task", task_id = 2 })).Text("feedback").ShouldBe("be careful");
        await EndedAsync(board, 2, "failed");

        // The queue: paused, so that what is released stays where it can be held.
        await terminal.PressAsync("p");
        await terminal.ShowsAsync("the queue is paused   (colibri pause-queue)");
        await terminal.ShowsAsync("! paused: the whole queue");
        await terminal.PressAsync("Tab", "Tab");
        await terminal.ShowsAsync("> QUEUE");
        await terminal.PressAsync("g", "R");
        await terminal.ShowsAsync("task 3 is queued   (colibri release-task 3)");
        await terminal.ShowsAsync("#3     queued");
        await terminal.PressAsync("R");
        await terminal.ShowsAsync("task 3 is held   (colibri hold-task 3)");
        await terminal.PressAsync("p");
        await terminal.ShowsAsync("the queue goes on   (colibri resume-queue)");

        // An agent: its page, its log as it is written, its end.
        await board.Daemon.DataAsync(new { cmd = "create-task", title = "Long work 修正 🐦", cwd = board.Outside, agent = "pi", max_attempts = 1 });
        await terminal.ShowsAsync("Long work 修正 🐦");
        await terminal.PressAsync("BTab");
        await terminal.ShowsAsync("> AGENTS");
        await terminal.PressAsync("G", "g", "Down", "Up", "j", "k", "NPage", "PPage", "End", "Home");
        await terminal.ShowsAsync(screen => Selected(screen).Contains("#6", StringComparison.Ordinal), "the living agent is selected");
        await terminal.PressAsync("Enter");
        await terminal.ShowsAsync(", task 6   lines 1 to");
        await terminal.PressAsync("G");
        await terminal.ShowsAsync("#1 user");
        await terminal.PressAsync("l");
        await terminal.ShowsAsync(", following");
        await terminal.ShowsAsync("Done: \"Long work");
        await terminal.PressAsync("Escape");
        await terminal.ShowsNotAsync(", following");
        await terminal.PressAsync("q");
        await terminal.ShowsAsync("> AGENTS");
        await terminal.PressAsync("/");
        await terminal.TypeAsync("nothing like it");
        await terminal.ShowsAsync("none fits the filter");
        await terminal.PressAsync("Escape");
        await terminal.ShowsNotAsync("none fits the filter");
        await terminal.PressAsync("s");
        await terminal.ShowsAsync("y yes  n no      colibri stop-agent a");
        await terminal.PressAsync("y");
        await terminal.ShowsAsync("(colibri stop-agent a");
        await EndedAsync(board, 6, "failed");

        await terminal.PressAsync("?");
        await terminal.ShowsAsync("colibri pause-queue, resume-queue");
        await terminal.PressAsync("Escape");
        await terminal.ShowsAsync("> AGENTS");
        await terminal.PressAsync("C-l", "q");
        await LeftCleanAsync(terminal);
    }

    [Test]
    public async Task A_killed_daemon_is_said_and_taken_up_again()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.DataAsync(new { cmd = "create-task", title = "Before the kill" });
        await using var terminal = await TmuxTerminal.OpenAsync(80, 24, daemon.SocketPath);
        await terminal.RunAsync($"{Repository.Cli} top");
        await terminal.ShowsAsync("Before the kill");

        await daemon.KillAsync();
        await terminal.ShowsAsync(screen => screen.Split('\n')[1].StartsWith("! nobody listens on ", StringComparison.Ordinal), "the daemon is said to be gone");
        await terminal.ShowsAsync("Before the kill");
        await daemon.StartAgainAsync();
        await terminal.ShowsAsync("in order");

        await daemon.DataAsync(new { cmd = "create-task", title = "After the kill" });
        await terminal.ShowsAsync("After the kill");
        await terminal.PressAsync("q");
        await LeftCleanAsync(terminal);
    }

    [Test]
    public async Task Ctrl_Z_gives_the_terminal_back_and_fg_takes_it_again()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var terminal = await TmuxTerminal.OpenAsync(80, 24, daemon.SocketPath);
        await terminal.RunAsync($"{Repository.Cli} top");
        await terminal.ShowsAsync("> AGENTS none runs");

        await terminal.PressAsync("C-z");
        await terminal.ShowsAsync("Stopped");
        await LeftCleanAsync(terminal);
        await terminal.RunAsync("fg");
        await terminal.ShowsAsync("> AGENTS none runs");
        await terminal.PressAsync("Tab");
        await terminal.ShowsAsync("> QUEUE");

        await terminal.ResizeAsync(40, 10);
        await terminal.ShowsAsync("colibri top needs 60x14");
        await terminal.ResizeAsync(120, 40);
        await terminal.ShowsAsync("L land  D discard  p pause  q quit");
        await terminal.PressAsync("C-c");
        await LeftCleanAsync(terminal);
    }

    [Test]
    [Arguments("TERM")]
    [Arguments("HUP")]
    [Arguments("QUIT")]
    public async Task A_signal_leaves_the_terminal_clean(string signal)
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var terminal = await TmuxTerminal.OpenAsync(80, 24, daemon.SocketPath);
        await terminal.RunAsync($"sh -c 'echo $$ >{daemon.DirectoryPath}/pid; exec {Repository.Cli} top'");
        await terminal.ShowsAsync("> AGENTS none runs");

        await Launch.SignalAsync(int.Parse(await File.ReadAllTextAsync($"{daemon.DirectoryPath}/pid"), System.Globalization.CultureInfo.InvariantCulture), signal);
        await LeftCleanAsync(terminal);
    }

    [Test]
    public async Task Without_colour_or_without_a_screen_it_goes_by_what_the_environment_says()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.DataAsync(new { cmd = "create-task", title = "Held back", hold = true });
        await using var terminal = await TmuxTerminal.OpenAsync(80, 24, daemon.SocketPath, "NO_COLOR=1");
        await terminal.RunAsync($"{Repository.Cli} top");
        await terminal.ShowsAsync("ATTENTION 1");
        (await terminal.ColoursAsync()).ShouldNotMatch("\\x1b\\[[0-9;]*3[0-7]m");
        await terminal.PressAsync("q");
        await LeftCleanAsync(terminal);
        await terminal.RunAsync($"clear; TERM=dumb {Repository.Cli} top; echo status $?");
        await terminal.ShowsAsync("status 2");
        (await terminal.ScreenAsync()).ShouldContain("this terminal cannot show a screen");

        var once = await daemon.CliAsync("top", "--once");
        (once.ExitCode, once.Stderr).ShouldBe((0, ""));
        once.Stdout.ShouldContain("- ATTENTION 1\n  held       #1");
        once.Stdout.ShouldNotContain("\e");
        var refused = await daemon.CliAsync("top");
        (refused.ExitCode, refused.Stdout).ShouldBe((2, ""));
        refused.Stderr.ShouldContain("colibri top --once");
    }

    private static string Selected(string screen) => screen.Split('\n').Skip(3).FirstOrDefault(line => line.StartsWith('>') && !line.StartsWith("> AGENTS", StringComparison.Ordinal) && !line.StartsWith("> QUEUE", StringComparison.Ordinal)) ?? "";

    /// <summary>The shell's screen is back, its line is edited and echoed, and the cursor is there.</summary>
    private static async Task LeftCleanAsync(TmuxTerminal terminal)
    {
        await terminal.ShowsAsync("shell:");
        await terminal.ShowsNotAsync("AGENTS");
        await terminal.RunAsync("stty -a | grep -c -e '-icanon' -e '-echo ' -e '-icrnl' -e '-ixon' | sed 's/^/raw=/'");
        await terminal.ShowsAsync("raw=0");
    }

    private static async Task EndedAsync(WorkspaceDaemon board, int number, string status)
    {
        var id = (await board.Daemon.DataAsync(new { cmd = "get-task", task_id = number })).Text("id");
        await using var client = await board.Daemon.ConnectAsync();
        await client.TaskEndedAsync(id, status);
    }
}
