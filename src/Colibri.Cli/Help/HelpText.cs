using Colibri.Cli.Commands;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;

namespace Colibri.Cli.Help;

/// <summary><c>--help</c>, of the program and of each command, made from the command table.</summary>
internal static class HelpText
{
    private const int Indent = 2;
    private const int WidestLabel = 28;

    private static readonly (CommandGroup Group, string Heading)[] Headings =
    [
        (CommandGroup.Tasks, "Tasks"),
        (CommandGroup.Agents, "Agents"),
        (CommandGroup.Sessions, "Sessions and cost"),
        (CommandGroup.Registry, "Skills and tenants"),
        (CommandGroup.Daemon, "Daemon"),
    ];

    public static void Write(Screen screen, CommandSpec? command)
    {
        if (command is null)
            WriteProgram(screen);
        else
            WriteCommand(screen, command);
    }

    /// <summary>How a command is written: <c>spawn-agent BINARY [options] [-- ARGS…]</c>.</summary>
    public static string Synopsis(CommandSpec command)
    {
        var words = command.Name;
        foreach (var positional in command.Positionals)
        {
            var value = positional.Many ? $"{positional.Value}…" : positional.Value;
            words += positional.Optional ? $" [{value}]" : $" {value}";
        }
        foreach (var option in command.Options.Where(o => o.Required))
            words += $" {option.Name} {option.Value}";
        if (command.Options.Any(o => !o.Required))
            words += " [options]";
        return command.TakesRest ? words + " [-- ARGS…]" : words;
    }

    private static void WriteProgram(Screen screen)
    {
        screen.Line("colibri: give a Colibri daemon's agents their tasks, and see what they do");
        screen.Line();
        screen.Line("  colibri COMMAND [options]        colibri COMMAND --help says more");
        foreach (var (group, heading) in Headings)
        {
            var often = CommandTable.All.Where(c => c.Group == group && !c.IsSeldom).ToList();
            if (often.Count == 0)
                continue;
            screen.Line();
            screen.Line(screen.Paint(heading, Tone.Strong));
            Items(screen, often.Select(c => (c.Name, c.Summary)));
        }
        screen.Line();
        screen.Line(screen.Paint("More, mostly for scripts and programs", Tone.Strong));
        screen.Prose([string.Join(", ", CommandTable.All.Where(c => c.IsSeldom).Select(c => c.Name))], Indent);
        screen.Line();
        screen.Line(screen.Paint("Options, before or after the command", Tone.Strong));
        Items(screen, CommandLine.Everywhere.Select(o => (Label(o), o.Summary)).Append((Label(CommandLine.Version), $"{CommandLine.Version.Summary}; without a command")));
        screen.Line("Exit status: 0 done, 1 the daemon said no, 2 usage, 3 no daemon there");
    }

    private static void WriteCommand(Screen screen, CommandSpec command)
    {
        screen.Line($"colibri {command.Name}: {command.Summary}");
        screen.Line();
        screen.Field("  colibri ", Synopsis(command), "  colibri ".Length);
        List<(string, string)> items = [];
        items.AddRange(command.Positionals.Select(p => (p.Value, Summary(p.Summary, p.Choices))));
        items.AddRange(command.Options.Select(o => (Label(o), Summary(o.Summary, o.Choices))));
        if (command.TakesRest)
            items.Add(("-- ARGS…", "its own arguments, as they are"));
        items.AddRange(CommandLine.Everywhere.Where(o => o != CommandLine.Help).Select(o => (Label(o), o.Summary)));
        screen.Line();
        Items(screen, items);
        if (command.Note is { } note)
        {
            screen.Line();
            screen.Prose([note], 0);
        }
        screen.Line();
        screen.Field("Example: ", $"colibri {command.Example}", "Example: ".Length);
    }

    private static void Items(Screen screen, IEnumerable<(string Label, string Summary)> items)
    {
        var all = items.ToList();
        var width = Indent + Math.Min(WidestLabel, all.Max(i => i.Label.Length)) + 2;
        foreach (var (label, summary) in all)
            screen.Field(new string(' ', Indent) + label, summary, width);
    }

    private static string Label(OptionSpec option) =>
        $"{(option.Short is { } letter ? letter + ", " : "")}{option.Name}{(option.Value is null ? "" : " " + option.Value)}";

    private static string Summary(string summary, IReadOnlyList<string> choices) =>
        choices.Count == 0 ? summary : $"{summary}: {string.Join(", ", choices)}";
}
