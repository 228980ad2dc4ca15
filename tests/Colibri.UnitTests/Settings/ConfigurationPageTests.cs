using Colibri.Core.Settings;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Settings;

/// <summary>docs/configuration.md and the example against the tables of keys.</summary>
public sealed class ConfigurationPageTests
{
    [Test]
    public void The_page_has_every_key_with_what_it_may_hold()
    {
        ShouldList("[agents.NAME]", ProfileKeys.All);
        ShouldList("[workspaces.NAME]", WorkspaceKeys.All);
        ShouldList("[groups.NAME]", GroupSettings.Keys);
        ShouldList("[retention]", RetentionKeys.All);
        ShouldList("[notify.NAME]", NotifySettings.Keys);
    }

    [Test]
    public void The_examples_of_the_page_and_of_the_packages_are_read()
    {
        var page = File.ReadAllLines(Path.Combine(SourceTree.Root, "docs/configuration.md"))
            .SkipWhile(line => line != "    [daemon]").TakeWhile(line => line.Length == 0 || line.StartsWith("    ", StringComparison.Ordinal)).ToList();
        page.Count.ShouldBeGreaterThan(8);
        Settings.ReadFile(string.Join('\n', page)).Settings.Workspaces.ShouldHaveSingleItem();

        // A comment of words begins with a blank, and one that shows a line does not.
        var example = File.ReadAllLines(Path.Combine(SourceTree.Root, "packaging/colibri.toml.example")).Where(line => !line.StartsWith("# ", StringComparison.Ordinal)).Select(line => line.TrimStart('#'));
        var reading = Settings.ReadFile(string.Join('\n', example));
        (reading.Settings.Agents.Count, reading.Settings.Workspaces.Count, reading.Settings.Notify.Count, reading.Settings.Retention).ShouldBe((2, 1, 2, new RetentionSettings { StatesMinFree = true }));
        reading.Stated.Count.ShouldBeGreaterThan(15);
    }

    private static void ShouldList<T>(string section, IReadOnlyList<FileKey<T>> keys)
    {
        var rows = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/configuration.md")).Split($"\n## {section}\n")[1].Split("\n## ")[0].Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToList();
        rows.Select(cells => cells[1].Trim('`')).ShouldBe(keys.Select(key => key.Name), section);
        foreach (var (cells, key) in rows.Zip(keys))
            // The kinds are one list, which a command shows.
            cells[2].ShouldStartWith(key.Name == "kind" ? "a kind that `colibri agents` shows" : key.Form, customMessage: key.Name);
    }
}
