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
}
