using Colibri.Cli.Commands;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Cli.Help;

public sealed class ManualPageTests
{
    [Test]
    public void The_manual_page_has_every_command_with_every_option()
    {
        var page = File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "man", "colibri.1"));
        foreach (var command in CommandTable.All)
        {
            var entry = page.SingleOrDefault(line => line == $".It Cm {command.Name}" || line.StartsWith($".It Cm {command.Name} ", StringComparison.Ordinal));
            entry.ShouldNotBeNull(command.Name);
            if (command.Name == "intake-task")
                continue;
            foreach (var option in command.Options)
                $"{entry} ".ShouldContain($"Fl -{option.Name[2..]} ");
        }
    }

    [Test]
    public void The_manual_page_names_no_command_that_is_not_there() =>
        File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "man", "colibri.1"))
            .Where(line => line.StartsWith(".It Cm ", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[2])
            .ShouldBe(CommandTable.All.Select(c => c.Name), ignoreOrder: true);

    public static List<string> Commands => [.. CommandTable.All.Select(c => c.Name)];

    [Test]
    [MethodDataSource(nameof(Commands))]
    public void The_manual_page_says_of_a_command_what_its_help_says(string name)
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "man", "colibri.1"));
        var summary = CommandTable.Find(name)!.Summary;

        page.Split("\n.It Cm ").Single(entry => entry.Split([' ', '\n'])[0] == name).Split('\n', 2)[1].ReplaceLineEndings(" ")
            .ShouldStartWith($"{char.ToUpperInvariant(summary[0])}{summary[1..]}.");
    }
}
