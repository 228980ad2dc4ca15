using System.Text.Json;

namespace Colibri.UnitTests.Structure;

/// <summary>docs/packages.md against the lock files.</summary>
public sealed class PackageListTests
{
    [Test]
    public void Every_package_stands_in_the_list_with_its_version_and_no_other_does()
    {
        var listed = File.ReadLines(Path.Combine(SourceTree.Root, "docs", "packages.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| package", StringComparison.Ordinal) && !line.StartsWith("| ---", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => Named(cells[1], cells[2]));

        listed.ShouldBe(Locked().Distinct(), ignoreOrder: true);
    }

    // The compiler's packs come in the SDK's own version.
    private static string Named(string package, string version) =>
        package.EndsWith("ILCompiler", StringComparison.Ordinal) || package.EndsWith("ILLink.Tasks", StringComparison.Ordinal) ? package : $"{package} {version}";

    private static IEnumerable<string> Locked()
    {
        foreach (var folder in (string[])["src", "tests"])
        {
            foreach (var file in Directory.EnumerateDirectories(Path.Combine(SourceTree.Root, folder)).Select(project => Path.Combine(project, "packages.lock.json")).Where(File.Exists))
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(file));
                foreach (var framework in document.RootElement.GetProperty("dependencies").EnumerateObject())
                {
                    foreach (var package in framework.Value.EnumerateObject().Where(package => package.Value.GetProperty("type").GetString() != "Project"))
                        yield return Named(package.Name, package.Value.GetProperty("resolved").GetString()!);
                }
            }
        }
    }
}
