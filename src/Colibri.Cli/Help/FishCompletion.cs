using System.Text;
using Colibri.Cli.Parsing;

namespace Colibri.Cli.Help;

internal static class FishCompletion
{
    public static string Write(IReadOnlyList<CommandSpec> table)
    {
        var script = new StringBuilder();
        script.Append("# fish completion for colibri. To load it: colibri completion fish | source\n");
        script.Append("""
            # What the daemon has, if it answers: a line is a value, a tab, and what it is.
            function __colibri_values
                set -l words (commandline -opc)
                set -l socket
                if set -l at (contains -i -- --socket $words)
                    set socket --socket $words[(math $at + 1)]
                end
                colibri $socket completion --values $argv[1] 2>/dev/null </dev/null
            end

            """);
        script.Append("complete -c colibri -f\n");
        foreach (var option in CommandLine.Everywhere)
            script.Append($"complete -c colibri {Describe(option)}\n");
        script.Append($"complete -c colibri -n __fish_use_subcommand {Describe(CommandLine.Version)}\n");
        foreach (var command in table)
        {
            script.Append($"complete -c colibri -n __fish_use_subcommand -a {command.Name} -d {Quoted(command.Summary)}\n");
            var within = $"-n '__fish_seen_subcommand_from {command.Name}'";
            if (command.Positional is { Choices.Count: > 0 } chosen)
                script.Append($"complete -c colibri {within} -a '{string.Join(' ', chosen.Choices)}' -d {Quoted(chosen.Summary)}\n");
            if (command.Positional is { Offers: { } what })
                script.Append($"complete -c colibri {within} -k -a '(__colibri_values {what})'\n");
            if (command.Positional is { IsPath: true })
                script.Append($"complete -c colibri {within} -F\n");
            foreach (var option in command.Options)
                script.Append($"complete -c colibri {within} {Describe(option)}\n");
        }
        return script.ToString().TrimEnd('\n');
    }

    private static string Describe(OptionSpec option)
    {
        var kind = option switch
        {
            { Value: null } => "",
            { Choices.Count: > 0 } => $" -x -a '{string.Join(' ', option.Choices)}'",
            { Offers: { } what } => $" -x -k -a '(__colibri_values {what})'",
            { IsPath: true } => " -r -F",
            _ => " -x",
        };
        var letter = option.Short is { } s ? $" -s {s[1..]}" : "";
        return $"-l {option.Name[2..]}{letter}{kind} -d {Quoted(option.Summary)}";
    }

    private static string Quoted(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
