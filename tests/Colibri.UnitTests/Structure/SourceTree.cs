using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Colibri.UnitTests.Structure;

/// <summary>The product's source as it lies in the repository these tests were built from.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every source file below <c>src/</c> or a part of it, generated ones left out.</summary>
    public static IEnumerable<SourceFile> Files(string part = "") => FilesBelow("src", part);

    /// <summary>Every file of the unit tests.</summary>
    public static IEnumerable<SourceFile> UnitTests() => FilesBelow("tests", "Colibri.UnitTests");

    private static IEnumerable<SourceFile> FilesBelow(string top, string part)
    {
        var directory = Path.Combine(Root, top, part);
        foreach (var path in Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(Path.Combine(Root, top), path);
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

/// <param name="Name">From <c>src/</c> or <c>tests/</c> on.</param>
/// <param name="Lines">Its text.</param>
internal sealed partial record SourceFile(string Name, string[] Lines)
{
    public string Project => Name[..Name.IndexOf('/', StringComparison.Ordinal)];

    public string Folder => Name[..Name.LastIndexOf('/')];

    /// <summary>Its name without <c>.cs</c>.</summary>
    public string Title => Path.GetFileNameWithoutExtension(Name);

    /// <summary>Null for the statements of a program.</summary>
    public string? Namespace => Lines.FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))?["namespace ".Length..^1];

    /// <summary>The types at its top level, in order.</summary>
    public IReadOnlyList<SourceType> Types => field ??= FindTypes();

    /// <summary>Whether it is TYPE.Something.cs.</summary>
    public bool IsPartOf(string type) => Title.StartsWith(type + ".", StringComparison.Ordinal);

    private List<SourceType> FindTypes()
    {
        var types = new List<SourceType>();
        for (var i = 0; i < Lines.Length; i++)
        {
            if (Declaration().Match(Lines[i]) is not { Success: true } declared)
                continue;
            var summary = i;
            while (summary > 0 && (Lines[summary - 1].StartsWith("///", StringComparison.Ordinal) || Lines[summary - 1] is ['[', ..] or ['#', ..]))
                summary--;
            // A type's end is the first brace in the first column after its beginning, or its own line where it has no body.
            var end = i;
            while (end < Lines.Length - 1 && Lines[end] != "}" && !(Lines[end].EndsWith(';') && Lines[end] is not [' ', ..] && !Lines[(end + 1)..].TakeWhile(line => line is not "").Any(line => line is "{")))
                end++;
            types.Add(new SourceType(declared.Groups[1].Value, string.Join('\n', Lines[summary..i]), end - i + 1, Lines[i..end].Count(line => MutableField().IsMatch(line))));
            i = end;
        }
        return types;
    }

    [GeneratedRegex(@"^(?:(?:public|internal|file|static|sealed|abstract|readonly|partial|unsafe|ref) )*(?:class|record struct|record|struct|interface|enum|delegate [\w<>\[\]?]+) (\w+)")]
    private static partial Regex Declaration();

    // A field of the type itself: four spaces, no parenthesis but in its initial value, neither constant nor read-only.
    [GeneratedRegex(@"^    (?:public|private|internal|protected) (?:(?:static|volatile|required) )*(?!const|readonly|static|event|override|partial|class|record|struct)[\w<>\[\], ?.()]+ _?\w+(?: = .*)?;$")]
    private static partial Regex MutableField();
}

/// <param name="Name">Without its type parameters.</param>
/// <param name="Summary">Its doc comment.</param>
/// <param name="Lines">From its declaration to its last brace.</param>
/// <param name="MutableFields">Those of its fields that are neither constant nor read-only.</param>
internal sealed record SourceType(string Name, string Summary, int Lines, int MutableFields);
