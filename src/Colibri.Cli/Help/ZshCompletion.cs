using System.Text;
using Colibri.Cli.Parsing;

namespace Colibri.Cli.Help;

internal static class ZshCompletion
{
    public static string Write(IReadOnlyList<CommandSpec> table)
    {
        var names = new StringBuilder();
        var cases = new StringBuilder();
        foreach (var command in table)
        {
            names.Append($"        {Quoted($"{command.Name}:{command.Summary}")}\n");
            var specs = CompletionScript.OptionsOf(command).SelectMany(Specs);
            if (command.Positional is { } positional)
                specs = specs.Append($"'{(positional.Many ? "*" : "1")}:{positional.Value}:{Action(positional.AsOption())}'");
            if (command.TakesRest)
                specs = specs.Append("'*:argument:_files'");
            cases.Append($"        {command.Name}) _arguments {string.Join(' ', specs)} ;;\n");
        }
        return $$"""
            #compdef colibri
            # zsh completion for colibri. Put it on your fpath as _colibri, or: source <(colibri completion zsh)
            # What the daemon has, if it answers: a line is a value, a tab, and what it is.
            _colibri_values()
            {
                local -a values
                values=(${(f)"$(colibri $_colibri_socket completion --values $1 2>/dev/null </dev/null)"})
                values=("${(@)values//:/\\:}")
                values=("${(@)values/$'\t'/:}")
                _describe -V $1 values
            }
            _colibri()
            {
                local curcontext=$curcontext state line
                local -A opt_args
                local -a commands _colibri_socket
                commands=(
            {{names.ToString().TrimEnd('\n')}}
                )
                _arguments -C {{string.Join(' ', CommandLine.Everywhere.Append(CommandLine.Version).SelectMany(Specs))}} '1:command:->command' '*::argument:->argument'
                (( $+opt_args[--socket] )) && _colibri_socket=(--socket $opt_args[--socket])
                case $state in
                    command) _describe command commands ;;
                    argument)
                        case $line[1] in
            {{cases.ToString().TrimEnd('\n')}}
                        esac ;;
                esac
            }
            if [[ $funcstack[1] == _colibri ]]; then
                _colibri "$@"
            else
                compdef _colibri colibri
            fi
            """;
    }

    private static IEnumerable<string> Specs(OptionSpec option)
    {
        var rest = $"[{Escaped(option.Summary)}]" + (option.Value is { } value ? $":{value}:{Action(option)}" : "");
        if (option.Short is { } letter)
            yield return Quoted($"({option.Name}){letter}{rest}");
        yield return Quoted($"{(option.Repeatable ? "*" : option.Short is { } other ? $"({other})" : "")}{option.Name}{(option.Value is null ? "" : "=")}{rest}");
    }

    // A blank at its beginning: zsh calls the function with these words and no others.
    private static string Action(OptionSpec option) => option switch
    {
        { Choices.Count: > 0 } => $"({string.Join(' ', option.Choices)})",
        { Offers: { } what } => $" _colibri_values {what}",
        { IsPath: true } => "_files",
        _ => "",
    };

    private static string Escaped(string text) =>
        text.Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
