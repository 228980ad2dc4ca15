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
            var specs = CompletionScript.OptionsOf(command).Select(Spec);
            if (command.Positional is { } positional)
                specs = specs.Append($"'1:{positional.Value}:{Action(positional.Choices, positional.IsPath)}'");
            if (command.TakesRest)
                specs = specs.Append("'*:argument:_files'");
            cases.Append($"        {command.Name}) _arguments {string.Join(' ', specs)} ;;\n");
        }
        return $$"""
            #compdef colibri
            # zsh completion for colibri. Put it on your fpath as _colibri, or: source <(colibri completion zsh)
            _colibri()
            {
                local curcontext=$curcontext state line
                local -a commands
                commands=(
            {{names.ToString().TrimEnd('\n')}}
                )
                _arguments -C {{string.Join(' ', CommandLine.Everywhere.Append(CommandLine.Version).Select(Spec))}} '1:command:->command' '*::argument:->argument'
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

    private static string Spec(OptionSpec option)
    {
        var text = option.Name + (option.Value is null ? "" : "=") + $"[{Escaped(option.Summary)}]";
        if (option.Value is { } value)
            text += $":{value}:{Action(option.Choices, option.IsPath)}";
        return Quoted(option.Repeatable ? "*" + text : text);
    }

    private static string Action(IReadOnlyList<string> choices, bool isPath) =>
        choices.Count > 0 ? $"({string.Join(' ', choices)})" : isPath ? "_files" : "";

    private static string Escaped(string text) =>
        text.Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
