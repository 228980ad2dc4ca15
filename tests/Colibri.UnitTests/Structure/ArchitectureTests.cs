using System.Text.RegularExpressions;

namespace Colibri.UnitTests.Structure;

/// <summary>The arrows between the parts, held against the code.</summary>
public sealed partial class ArchitectureTests
{
    private const int MaxLines = 400;

    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Colibri.Posix"] = [],
        ["Colibri.Jsonl"] = [],
        ["Colibri.Protocol"] = [],
        ["Colibri.Core"] = ["Colibri.Jsonl", "Colibri.Posix", "Colibri.Protocol"],
        ["Colibri.Daemon"] = ["Colibri.Core"],
        ["Colibri.Cli"] = ["Colibri.Protocol"],
        ["Colibri.TestAgent"] = ["Colibri.Posix"],
    };

    /// <summary>The folders of Core, lowest layer first: a folder uses its own layer and those below.</summary>
    private static readonly string[][] CoreLayers =
    [
        ["Configuration", "Logging", "Events"],
        ["Headroom", "Providers"],
        ["Cost", "Sessions", "Prompts", "Board", "Glasspane"],
        ["Agents"],
        ["Spawning"],
        ["Scheduling"],
    ];

    /// <summary>A list of replies or the parts of one reply, a line each: read together or not at all.</summary>
    private static readonly string[] FilesOfOneLineRecords = ["Colibri.Protocol/Wire/Lists.cs", "Colibri.Protocol/Wire/StatusReport.cs"];

    [Test]
    public void Every_project_references_what_its_arrows_allow()
    {
        var found = SourceTree.Projects().ToDictionary(path => Path.GetFileNameWithoutExtension(path), path => SourceTree.ProjectReferences(path).Order().ToArray());
        found.Keys.Order().ShouldBe(Arrows.Keys.Order());
        foreach (var (project, references) in found)
            references.ShouldBe(Arrows[project], project);
    }

    [Test]
    public void No_project_names_another_that_it_may_not_reference()
    {
        foreach (var file in SourceTree.Files())
        {
            var allowed = Reachable(file.Project).Append(file.Project).ToHashSet();
            foreach (var line in file.Lines)
            {
                if (UsedProject().Match(line) is { Success: true } used)
                    allowed.ShouldContain(used.Groups[1].Value, $"{file.Name}: {line}");
            }
        }
    }

    [Test]
    public void Only_posix_calls_into_the_system() =>
        Lines(file => file.Project != "Colibri.Posix", NativeCall()).ShouldBeEmpty();

    [Test]
    public void Nothing_starts_processes_or_looks_into_types_behind_the_compilers_back() =>
        Lines(_ => true, Forbidden()).ShouldBeEmpty();

    [Test]
    public void Text_that_may_hold_a_key_is_cut_by_one_function()
    {
        Lines(file => file.Project is "Colibri.Core" or "Colibri.Daemon" or "Colibri.Protocol", Ellipsis()).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]).Order().ShouldBe(
        [
            // A setting that is wrong: the daemon has no keys yet, and does not start.
            "Colibri.Core/Configuration/EnvironmentReader.cs",
            "Colibri.Core/Providers/Secrets.cs",
            // Of entries that are redacted before.
            "Colibri.Core/Sessions/Generations/CompactionSummary.cs",
            // Answered to the client that sent it.
            "Colibri.Daemon/Server/ParsedRequest.cs",
        ]);
        Lines(file => file.Project is "Colibri.Core" or "Colibri.Daemon", BoundedDecoding()).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]).Order().ShouldBe(
        [
            // Ids that are compared, and what a sidecar makes of a text that is redacted before.
            "Colibri.Core/Glasspane/Fold.cs",
            "Colibri.Core/Headroom/HeadroomClient.cs",
            "Colibri.Core/Headroom/HeadroomClient.cs",
        ]);
    }

    [Test]
    public void The_folders_of_core_are_the_layers_of_the_table() =>
        SourceTree.Files("Colibri.Core").Select(CoreFolder).Distinct().Order().ShouldBe(CoreLayers.SelectMany(layer => layer).Order());

    [Test]
    public void No_layer_of_core_uses_a_higher_one()
    {
        var uses = 0;
        foreach (var file in SourceTree.Files("Colibri.Core"))
        {
            foreach (var used in file.Lines.SelectMany(line => UsedCoreFolder().Matches(line)).Select(match => match.Groups[1].Value))
            {
                LayerOf(used).ShouldBeLessThanOrEqualTo(LayerOf(CoreFolder(file)), $"{file.Name} uses {used}");
                uses++;
            }
        }
        uses.ShouldBeGreaterThan(20);
    }

    [Test]
    public void A_file_has_one_public_type() => SourceTree.Files()
        .Where(file => file.Lines.Count(line => PublicType().IsMatch(line)) > 1)
        .Select(file => file.Name)
        .Order()
        .ShouldBe(FilesOfOneLineRecords);

    [Test]
    public void No_file_is_longer_than_its_limit() =>
        SourceTree.Files().Where(file => file.Lines.Length > MaxLines).Select(file => file.Name).ShouldBeEmpty();

    private static IEnumerable<string> Lines(Func<SourceFile, bool> inFile, Regex pattern) =>
        SourceTree.Files().Where(inFile).SelectMany(file => file.Lines
            .Select(line => line.Trim())
            .Where(line => !line.StartsWith("//", StringComparison.Ordinal) && pattern.IsMatch(line))
            .Select(line => $"{file.Name}: {line}"));

    private static IEnumerable<string> Reachable(string project) =>
        Arrows[project].SelectMany(next => Reachable(next).Append(next));

    private static string CoreFolder(SourceFile file) => file.Name.Split('/')[1];

    private static int LayerOf(string folder)
    {
        var layer = Array.FindIndex(CoreLayers, folders => folders.Contains(folder));
        layer.ShouldBeGreaterThanOrEqualTo(0, $"{folder} has no layer");
        return layer;
    }

    [GeneratedRegex(@"^\s*(?:global )?using (?:static )?(?:\w+ = )?(Colibri\.[A-Z]\w+)")]
    private static partial Regex UsedProject();

    [GeneratedRegex(@"\bColibri\.Core\.([A-Z]\w+)")]
    private static partial Regex UsedCoreFolder();

    [GeneratedRegex("\"…\"|'…'")]
    private static partial Regex Ellipsis();

    [GeneratedRegex(@"\.GetString\(line, ")]
    private static partial Regex BoundedDecoding();

    [GeneratedRegex(@"\b(LibraryImport|DllImport)\b")]
    private static partial Regex NativeCall();

    [GeneratedRegex(@"System\.Diagnostics\.Process\b|\bProcess\.Start\(|\bProcessStartInfo\b|\bSystem\.Reflection\b|\bdynamic \w+ ?[=;,)]|\bActivator\.|\b(?:typeof\([^)]*\)|GetType\(\))\.Get|\.MakeGeneric|\bType\.GetType\(")]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"^public (?:(?:static|sealed|abstract|readonly|partial|unsafe|ref) )*(?:class|record|struct|interface|enum|delegate)\b")]
    private static partial Regex PublicType();
}
