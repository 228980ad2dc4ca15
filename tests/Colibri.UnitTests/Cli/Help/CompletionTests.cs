using Colibri.Cli.Commands;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Cli.Help;

public sealed class CompletionTests
{
    [Test]
    [Arguments("colibri list-t", "list-tasks list-tenants")]
    [Arguments("colibri --json list-s", "list-sessions list-skills")]
    [Arguments("colibri --socket /x get-s", "get-session")]
    [Arguments("colibri list-tasks --status ", "queued claimed started done failed cancelled held")]
    [Arguments("colibri list-tasks --status f", "failed")]
    [Arguments("colibri list-tasks --status = f", "failed")]
    [Arguments("colibri list-tasks --l", "--limit")]
    [Arguments("colibri set-cost-mode s", "smart")]
    [Arguments("colibri completion ", "bash zsh fish --socket --json --help")]
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
