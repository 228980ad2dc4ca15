using System.Text;
using Colibri.Cli.Parsing;

namespace Colibri.Cli.Help;

internal static class BashCompletion
{
    public static string Write(IReadOnlyList<CommandSpec> table)
    {
        var values = new StringBuilder();
        var words = new StringBuilder();
        values.Append("        *:--socket) compopt -o default 2>/dev/null; return ;;\n");
        foreach (var command in table)
        {
            foreach (var option in command.Options.Where(o => o.Value is not null))
                values.Append($"        {command.Name}:{option.Name}{(option.Short is { } letter ? $"|{command.Name}:{letter}" : "")}) {ValueOf(option)}; return ;;\n");
            var positional = command.Positional?.Choices ?? [];
            var all = string.Join(' ', positional.Concat(CompletionScript.OptionsOf(command).Select(o => o.Name)));
            var files = command.Positional is { IsPath: true } ? "compopt -o default 2>/dev/null; " : "";
            var offers = command.Positional?.Offers is { } what ? $"values={what}; " : "";
            words.Append($"        {command.Name}) {files}{offers}words='{all}' ;;\n");
        }
        var commands = string.Join(' ', table.Select(c => c.Name).Concat(CommandLine.Everywhere.Append(CommandLine.Version).Select(o => o.Name)));
        return $$"""
            # bash completion for colibri. To load it: source <(colibri completion bash)
            # What the daemon has, if it answers: a line is a value, a tab, and what it is.
            _colibri_values()
            {
                local value rest
                while IFS=$'\t' read -r value rest; do
                    [[ $value == "$current"* ]] && COMPREPLY+=("$value")
                done < <(colibri ${socket:+--socket "$socket"} completion --values "$1" 2>/dev/null </dev/null)
            }
            _colibri()
            {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' words='' values='' socket='' i
                COMPREPLY=()
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case ${COMP_WORDS[i]} in
                        --) compopt -o default 2>/dev/null; return ;;
                        --socket)
                            [[ ${COMP_WORDS[i+1]-} == = ]] && ((i++))
                            ((i++))
                            socket=${COMP_WORDS[i]-} ;;
                        -*) ;;
                        *) [[ $command ]] || command=${COMP_WORDS[i]} ;;
                    esac
                done
                # bash splits --status=queued at the equals sign.
                if [[ $current == = ]]; then
                    current=''
                elif [[ $previous == = ]]; then
                    previous=${COMP_WORDS[COMP_CWORD-2]}
                fi
                case $command:$previous in
            {{values.ToString().TrimEnd('\n')}}
                esac
                case $command in
                    '') words='{{commands}}' ;;
            {{words.ToString().TrimEnd('\n')}}
                esac
                COMPREPLY=($(compgen -W "$words" -- "$current"))
                [[ $values && $current != -* ]] && _colibri_values "$values"
            }
            complete -F _colibri colibri
            """;
    }

    private static string ValueOf(OptionSpec option) => option switch
    {
        { Choices.Count: > 0 } => $"COMPREPLY=($(compgen -W '{string.Join(' ', option.Choices)}' -- \"$current\"))",
        { Offers: { } what } => $"_colibri_values {what}",
        { IsPath: true } => "compopt -o default 2>/dev/null",
        _ => ":",
    };
}
