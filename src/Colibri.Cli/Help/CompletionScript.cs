using Colibri.Cli.Parsing;

namespace Colibri.Cli.Help;

/// <summary>A shell's completion script: static text made from the command table. For the values that the daemon alone knows it calls <see cref="CompletionValues"/>.</summary>
internal static class CompletionScript
{
    /// <param name="shell"><c>bash</c>, <c>zsh</c> or <c>fish</c>.</param>
    public static string For(string shell, IReadOnlyList<CommandSpec> table) => shell switch
    {
        "bash" => BashCompletion.Write(table),
        "zsh" => ZshCompletion.Write(table),
        _ => FishCompletion.Write(table),
    };

    /// <summary>The options a command takes, the ones every command takes included.</summary>
    public static IEnumerable<OptionSpec> OptionsOf(CommandSpec command) => command.Options.Concat(CommandLine.Everywhere);
}
