using Colibri.Cli.Commands;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Cli.Help;

public sealed class CompletionTests
{
    [Test]
    [Arguments("colibri list-t", "list-tasks list-tenants")]
    [Arguments("colibri --json list-s", "list-schedules list-sessions list-skills")]
    [Arguments("colibri --socket /x get-s", "get-session")]
    [Arguments("colibri list-tasks --status ", "queued claimed started done failed cancelled held")]
    [Arguments("colibri list-tasks --status f", "failed")]
    [Arguments("colibri list-tasks --status = f", "failed")]
    [Arguments("colibri list-tasks --l", "--limit")]
    [Arguments("colibri set-cost-mode s", "smart")]
    [Arguments("colibri completion ", "bash zsh fish --values --socket --json --help")]
    [Arguments("colibri create-task --title ", "")]
    [Arguments("colibri spawn-agent pi -- --l", "")]
    [Arguments("colibri --", "--socket --json --help --version")]
    public async Task Bash_completes(string typed, string offered)
    {
        var script = (await CliRun.OfAsync(["completion", "bash"])).Out;
        var words = typed.Split(' ');
        var quoted = string.Join(' ', words.Select(w => $"'{w}'"));

        var said = await BashAsync($"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={words.Length - 1}; _colibri; echo \"${{COMPREPLY[*]}}\"");

        said.ShouldBe(offered + "\n");
    }

    /// <summary>What the daemon has, as the program would print it; of anything but tasks, the words that it was called with.</summary>
    [Test]
    [Arguments("colibri get-task 1", "12 130")]
    [Arguments("colibri get-task ", "--socket --json --help 12 130")]
    [Arguments("colibri get-task -", "--socket --json --help")]
    [Arguments("colibri wait 12 13", "130")]
    [Arguments("colibri add Fix --after ", "12 130")]
    [Arguments("colibri add Fix --agent ", "completion_--values_profiles")]
    [Arguments("colibri list-tasks --workspace = c", "completion_--values_workspaces")]
    [Arguments("colibri list-tasks -w ", "completion_--values_workspaces")]
    [Arguments("colibri stop-agent c", "completion_--values_agents")]
    [Arguments("colibri --socket /x add --workspace ", "--socket_/x_completion_--values_workspaces")]
    [Arguments("colibri --socket = /x add --workspace ", "--socket_/x_completion_--values_workspaces")]
    public async Task Bash_completes_what_the_daemon_has(string typed, string offered)
    {
        var script = (await CliRun.OfAsync(["completion", "bash"])).Out;
        var words = typed.Split(' ');
        var quoted = string.Join(' ', words.Select(w => $"'{w}'"));
        const string Program = """colibri() { case "$*" in *tasks) printf '12\tqueued: Fix it\n130\tdone: That\n' ;; *) local said="$*"; printf '%s\n' "${said// /_}" ;; esac; }""";

        var said = await BashAsync($"{script}\n{Program}\nCOMP_WORDS=({quoted}); COMP_CWORD={words.Length - 1}; _colibri; echo \"${{COMPREPLY[*]}}\"");

        said.ShouldBe(offered + "\n");
    }

    [Test]
    [Arguments("zsh", "'1:TASK_ID: _colibri_values tasks'", "'*:TASK_ID: _colibri_values tasks'", "'(--workspace)-w[only those of this workspace]:NAME: _colibri_values workspaces'", "'(-f)--follow[")]
    [Arguments("fish", "get-task' -k -a '(__colibri_values tasks)'", "-l agent -x -k -a '(__colibri_values profiles)'", "-l workspace -s w -x -k -a '(__colibri_values workspaces)'")]
    public async Task The_other_shells_ask_for_them_too(string shell, params string[] asked)
    {
        var script = (await CliRun.OfAsync(["completion", shell])).Out;

        foreach (var one in asked)
            script.ShouldContain(one);
    }

    [Test]
    public async Task Bash_knows_every_command_and_every_option_of_it()
    {
        var script = (await CliRun.OfAsync(["completion", "bash"])).Out;
        foreach (var command in CommandTable.All)
        {
            script.ShouldContain($"\n        {command.Name}) ");
            foreach (var option in command.Options)
                script.ShouldContain(option.Name);
        }
        (await BashAsync(script + "\ncomplete -p colibri")).ShouldBe("complete -F _colibri colibri\n");
    }

    [Test]
    [Arguments("zsh", "#compdef colibri\n")]
    [Arguments("fish", "# fish completion")]
    public async Task The_other_shells_get_every_command_too(string shell, string start)
    {
        var script = (await CliRun.OfAsync(["completion", shell])).Out;

        script.ShouldStartWith(start);
        foreach (var command in CommandTable.All)
            script.ShouldContain(command.Name);
    }

    // By the children that every test shares: the class library would wait for a process that they reap, for ever.
    private static async Task<string> BashAsync(string script)
    {
        var (exit, words) = await Shell.Run(Shell.Options("") with { Path = File.Exists("/usr/bin/bash") ? "/usr/bin/bash" : "/bin/bash", Arguments = ["--norc", "-u", "-c", script] });
        exit.ShouldBe(new ExitStatus(0, null), words);
        return words;
    }
}
