using Colibri.Cli;
using Colibri.Cli.Commands;

namespace Colibri.UnitTests.Cli.Parsing;

public sealed class CommandUsageTests
{
    [Test]
    [Arguments("", "no command given (see: colibri --help)")]
    [Arguments("list-tsks", "unknown command 'list-tsks', did you mean list-tasks? (see: colibri --help)")]
    [Arguments("stop a1", "unknown command 'stop', did you mean stop-agent? (see: colibri --help)")]
    [Arguments("cancel 3", "unknown command 'cancel', did you mean cancel-task? (see: colibri --help)")]
    [Arguments("show 3", "unknown command 'show', did you mean get-task? (see: colibri --help)")]
    [Arguments("kinds", "unknown command 'kinds', did you mean agents? (see: colibri --help)")]
    [Arguments("help tasks", "unknown command 'tasks', did you mean list-tasks? (see: colibri --help)")]
    [Arguments("frobnicate", "unknown command 'frobnicate' (see: colibri --help)")]
    [Arguments("--jsn status", "unknown option '--jsn', did you mean --json? (see: colibri status --help)")]
    [Arguments("status extra", "status has no use for 'extra' (see: colibri status --help)")]
    [Arguments("get-task", "get-task needs TASK_ID: colibri get-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 (see: colibri get-task --help)")]
    [Arguments("get-task a b", "get-task has no use for 'b' (see: colibri get-task --help)")]
    [Arguments("get-task a --task-id b", "TASK_ID is given twice: 'a' and 'b' (see: colibri get-task --help)")]
    [Arguments("get-task --tsk-id b", "unknown option '--tsk-id' (see: colibri get-task --help)")]
    [Arguments("create-task", "create-task needs --title TEXT (see: colibri create-task --help)")]
    [Arguments("create-task --titel x", "unknown option '--titel', did you mean --title? (see: colibri create-task --help)")]
    [Arguments("create-task --title", "--title needs a value: --title TEXT (see: colibri create-task --help)")]
    [Arguments("create-task --title --key", "--title needs a value; one that starts with dashes is written --title=--key (see: colibri create-task --help)")]
    [Arguments("create-task --title --desciption", "--title needs a value; one that starts with dashes is written --title=--desciption (see: colibri create-task --help)")]
    [Arguments("create-task --title a --title b", "--title is given 2 times (see: colibri create-task --help)")]
    [Arguments("create-task --title x --priority high", "--priority 'high' is not a whole number (see: colibri create-task --help)")]
    [Arguments("list-tasks --status quued", "--status 'quued' is none of queued, claimed, started, done, failed, cancelled, held (see: colibri list-tasks --help)")]
    [Arguments("set-cost-mode turbo", "MODE 'turbo' is none of fast, smart, max (see: colibri set-cost-mode --help)")]
    [Arguments("spawn-agent pi --env NOVALUE", "--env 'NOVALUE' is not NAME=VALUE (see: colibri spawn-agent --help)")]
    [Arguments("spawn-agent pi stray", "spawn-agent has no use for 'stray' (see: colibri spawn-agent --help)")]
    [Arguments("spawn-agent -- pi", "spawn-agent needs BINARY: colibri spawn-agent pi --task-id 019a8b1c-… -- --mode json (see: colibri spawn-agent --help)")]
    [Arguments("wait t --timeout soon", "--timeout 'soon' is not a number of seconds (see: colibri wait --help)")]
    [Arguments("watch --topic weather", "--topic 'weather' is none of tasks, panes, cost, notices (see: colibri watch --help)")]
    [Arguments("help crate-task", "unknown command 'crate-task', did you mean create-task? (see: colibri --help)")]
    [Arguments("create-task --title=", "--title needs a value: --title TEXT (see: colibri create-task --help)")]
    [Arguments("status --socket=", "--socket needs a value: --socket PATH (see: colibri status --help)")]
    [Arguments("--limit:3 list-tasks", "--limit stands after its command: colibri list-tasks --limit NUMBER (see: colibri list-tasks --help)")]
    [Arguments("create-task --title= x", "--title needs a value: --title TEXT (see: colibri create-task --help)")]
    [Arguments("create-task --title x --key= k", "--key needs a value: --key TEXT (see: colibri create-task --help)")]
    [Arguments("create-task --title a --title b --title c", "--title is given 3 times (see: colibri create-task --help)")]
    [Arguments("get-task --task-id a --task-id a", "--task-id is given 2 times (see: colibri get-task --help)")]
    [Arguments("--socket a ping --socket b", "--socket is given 2 times (see: colibri ping --help)")]
    [Arguments("--title x create-task", "--title stands after its command: colibri create-task --title TEXT (see: colibri create-task --help)")]
    [Arguments("--all list-tasks", "--all stands after its command: colibri list-tasks --all (see: colibri list-tasks --help)")]
    [Arguments("ping --version", "unknown option '--version' (see: colibri ping --help)")]
    [Arguments("ping --json=true", "ping has no use for 'true' (see: colibri ping --help)")]
    [Arguments("ping -- --json", "ping has no use for '--json' (see: colibri ping --help)")]
    [Arguments("pin list-tasks", "unknown command 'pin', did you mean ping? (see: colibri --help)")]
    [Arguments("--socket ping", "no command given (see: colibri --help)")]
    [Arguments("get-task -t1", "unknown option '-t1' (see: colibri get-task --help)")]
    [Arguments("spawn-agent pi --env A=1 --env =2", "--env '=2' is not NAME=VALUE (see: colibri spawn-agent --help)")]
    [Arguments("watch --topic tasks --topic weather", "--topic 'weather' is none of tasks, panes, cost, notices (see: colibri watch --help)")]
    [Arguments("watch --topic Tasks", "--topic 'Tasks' is none of tasks, panes, cost, notices (see: colibri watch --help)")]
    [Arguments("append-session s --kind compaction", "--kind 'compaction' is none of user, assistant, tool_call, tool_result, question, answer, usage, note (see: colibri append-session --help)")]
    [Arguments("append-session s --kind usage --input-tokens many", "--input-tokens 'many' is not a whole number (see: colibri append-session --help)")]
    [Arguments("cost --by 3", "--by '3' is none of task, session, provider, profile, day, day-profile (see: colibri cost --help)")]
    [Arguments("stop-agent a --grace-ms 1.5", "--grace-ms '1.5' is not a whole number (see: colibri stop-agent --help)")]
    [Arguments("wait t --timeout 2592001", "--timeout '2592001' is not a number of seconds (see: colibri wait --help)")]
    public async Task A_wrong_command_line_is_one_line_that_names_the_value_and_the_help(string commandLine, string message)
    {
        var run = await CliRun.OfAsync(commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        run.ShouldBe(new CliRun(ExitCodes.Usage, "", $"colibri: {message}\n"));
    }

    [Test]
    [Arguments("create-task --bogus --help", "create-task")]
    [Arguments("get-task a b c -h", "get-task")]
    [Arguments("nope --help", null)]
    public async Task Help_is_given_whatever_else_is_wrong(string commandLine, string? command)
    {
        var run = await CliRun.OfAsync(commandLine.Split(' '));

        run.ShouldBe(await CliRun.OfAsync(command is null ? ["help"] : ["help", command]));
        run.ExitCode.ShouldBe(ExitCodes.Done);
    }

    [Test]
    public async Task Wrong_command_lines_at_the_same_time_each_hear_of_their_own()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => CliRun.OfAsync(["list-tasks", "--limit", $"n{i}"]))));

        runs.Select(run => run.Error).ShouldBe(Enumerable.Range(0, 64).Select(i =>
            $"colibri: --limit 'n{i}' is not a whole number (see: colibri list-tasks --help)\n"));
    }

    [Test]
    public async Task A_file_without_a_name_is_refused_in_one_line() =>
        (await CliRun.OfAsync(["prefix-check", "--stream", ""])).ShouldBe(
            new CliRun(ExitCodes.Usage, "", "colibri: --stream '' is no path (see: colibri prefix-check --help)\n"));

    [Test]
    public async Task No_daemon_is_exit_status_3_and_says_what_to_try()
    {
        var run = await CliRun.OfAsync(["--socket", "/nowhere/colibri.sock", "status"]);

        run.ExitCode.ShouldBe(ExitCodes.NoDaemon);
        run.Out.ShouldBeEmpty();
        run.Error.ShouldStartWith("colibri: no daemon at /nowhere/colibri.sock (is it running? try: ");
    }

    [Test]
    public async Task Words_of_the_command_line_cannot_drive_the_terminal()
    {
        var run = await CliRun.OfAsync(["\e[2Jx"]);

        run.Error.ShouldBe("colibri: unknown command '\\x1b[2Jx' (see: colibri --help)\n");
    }

    [Test]
    public async Task The_help_names_every_command_and_fits_80_columns_and_one_page()
    {
        var run = await CliRun.OfAsync(["--help"]);

        run.ExitCode.ShouldBe(ExitCodes.Done);
        var lines = run.Out.Split('\n');
        lines.Max(l => l.Length).ShouldBeLessThanOrEqualTo(80);
        // A printed page has 66 lines.
        lines.Length.ShouldBeLessThanOrEqualTo(66);
        foreach (var command in CommandTable.All.Where(command => !command.IsSeldom))
            lines.ShouldContain(l => l.StartsWith($"  {command.Name} ", StringComparison.Ordinal));
        var more = string.Join(' ', lines.SkipWhile(l => !l.StartsWith("More,", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l.Length > 0).Select(l => l.Trim()));
        more.Split(", ").ShouldBe(CommandTable.All.Where(command => command.IsSeldom).Select(command => command.Name));
    }

    public static List<string> Commands => [.. CommandTable.All.Select(c => c.Name)];

    [Test]
    [MethodDataSource(nameof(Commands))]
    public async Task The_help_of_a_command_fits_80_columns_and_shows_an_example_the_parser_takes(string name)
    {
        var run = await CliRun.OfAsync([name, "--help"]);
        var named = await CliRun.OfAsync(["help", name]);

        run.ExitCode.ShouldBe(ExitCodes.Done);
        named.ShouldBe(run);
        run.Out.Split('\n').Max(l => l.Length).ShouldBeLessThanOrEqualTo(80);
        var example = CommandTable.Find(name)!.Example;
        example.Split(' ')[0].ShouldBe(name);
        var words = example.Split(['<', '>', '|'])[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var tried = await CliRun.OfAsync(["--socket", "/nowhere/s", .. Unquoted(words)]);
        // The file that the example names is not here.
        if (tried.Error.Contains("cannot read requests.jsonl", StringComparison.Ordinal))
            return;
        tried.ExitCode.ShouldBeOneOf(ExitCodes.NoDaemon, ExitCodes.Done);
    }

    [Test]
    [Arguments("version")]
    [Arguments("--version")]
    public async Task The_version_is_one_line(string word)
    {
        var run = await CliRun.OfAsync([word]);

        run.ExitCode.ShouldBe(ExitCodes.Done);
        run.Out.ShouldMatch("^colibri [0-9]+\\.[0-9]+\\.[0-9]+[^\n]*\n$");
    }

    private static IEnumerable<string> Unquoted(string[] words)
    {
        var joined = "";
        foreach (var word in words)
        {
            joined = joined.Length > 0 ? $"{joined} {word}" : word;
            if (joined.Count(c => c == '\'') % 2 != 0)
                continue;
            yield return joined.Replace("'", "", StringComparison.Ordinal);
            joined = "";
        }
    }
}
