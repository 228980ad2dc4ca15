using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Colibri.UnitTests.Structure;

/// <summary>The product's source as it lies in the repository these tests were built from.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every source file below <c>src/</c> or a part of it, generated ones left out.</summary>
    public static IEnumerable<SourceFile> Files(string part = "")
    {
        var directory = Path.Combine(Root, "src", part);
        foreach (var path in Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(Path.Combine(Root, "src"), path);
            if (!relative.Split('/').Any(folder => folder is "obj" or "bin"))
                yield return new SourceFile(relative, File.ReadAllLines(path));
        }
    }

    public static IEnumerable<string> Projects() =>
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories);

    public static IEnumerable<string> ProjectReferences(string project) => XDocument.Load(project)
        .Descendants("ProjectReference")
        .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        var directory = Path.GetDirectoryName(here);
        while (directory is not null && !File.Exists(Path.Combine(directory, "colibri.slnx")))
            directory = Path.GetDirectoryName(directory);
        return directory.ShouldNotBeNull($"{here} lies in no repository");
    }
}

/// <param name="Name">From <c>src/</c> on.</param>
/// <param name="Lines">Its text.</param>
internal sealed record SourceFile(string Name, string[] Lines)
{
    public string Project => Name[..Name.IndexOf('/', StringComparison.Ordinal)];
}
