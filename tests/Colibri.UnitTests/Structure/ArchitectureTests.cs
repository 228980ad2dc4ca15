using System.Text.RegularExpressions;

namespace Colibri.UnitTests.Structure;

/// <summary>The arrows between the parts, held against the code.</summary>
public sealed partial class ArchitectureTests
{
    private const int MaxTypeLines = 400;
    private const int MaxMutableFields = 12;

    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Colibri.Posix"] = [],
        ["Colibri.Jsonl"] = [],
        ["Colibri.Protocol"] = [],
        ["Colibri.Core"] = ["Colibri.Jsonl", "Colibri.Posix", "Colibri.Protocol"],
        ["Colibri.Daemon"] = ["Colibri.Core"],
        ["Colibri.Cli"] = ["Colibri.Posix", "Colibri.Protocol"],
        ["Colibri.Mcp"] = ["Colibri.Posix", "Colibri.Protocol"],
        ["Colibri.TestAgent"] = ["Colibri.Posix"],
        ["Colibri.Web"] = ["Colibri.Protocol"],
    };

    /// <summary>The namespaces of Core below Colibri.Core, lowest layer first: one uses its own layer and those below.</summary>
    private static readonly string[][] CoreLayers =
    [
        ["Settings", "Logging", "Events"],
        ["Providers"],
        ["Cost", "Sessions", "Board", "Panes"],
        ["Processes", "Agents.Kinds", "Agents.Transports", "Workspaces", "Retention"],
        ["Agents.Launch", "Agents.Confinement"],
        ["Runs"],
        ["Agents"],
        ["Scheduling", "Schedules", "Landing", "Notices"],
        ["Doctor"],
    ];

    /// <summary>A list of replies, the parts of one reply, or the kernel's structs, a few lines each: read together or not at all.</summary>
    private static readonly string[] FilesOfManyEqualTypes =
    [
        "Colibri.Protocol/Wire/Lists.cs", "Colibri.Protocol/Wire/Session.cs", "Colibri.Protocol/Wire/Cost.cs", "Colibri.Protocol/Wire/Registry.cs", "Colibri.Protocol/Wire/Notice.cs",
        "Colibri.Protocol/Json/Converters.cs", "Colibri.Posix/Interop/Structs.cs", "Colibri.TestAgent/ValueParsers.cs", "Colibri.TestAgent/FrameworkConsole.cs",
        "Colibri.Cli/Parsing/ValueParsers.cs",
    ];

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

    /// <summary>The class library's hashes, random numbers and TLS load OpenSSL at run time, which ends a statically linked process.</summary>
    [Test]
    public void Nothing_needs_a_library_that_a_static_executable_cannot_load() =>
        Lines(_ => true, OpenSsl()).ShouldBeEmpty();

    [Test]
    public void Text_that_may_hold_a_key_is_cut_by_one_function()
    {
        Lines(file => file.Project is "Colibri.Core" or "Colibri.Daemon" or "Colibri.Protocol", Ellipsis()).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]).Order().ShouldBe(
        [
            "Colibri.Core/Providers/Secrets.cs",
            // Of entries that are redacted before.
            "Colibri.Core/Sessions/Generations/CompactionSummary.cs",
            // A setting that is wrong: the daemon has no keys yet, and does not start.
            "Colibri.Core/Settings/EnvironmentReader.cs",
            // Answered to the client that sent it.
            "Colibri.Daemon/Server/ParsedRequest.cs",
        ]);
        Lines(file => file.Project is "Colibri.Core" or "Colibri.Daemon", BoundedDecoding()).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]).Order().ShouldBe(
        [
            // Ids that are compared, and what a sidecar makes of a text that is redacted before.
            "Colibri.Core/Panes/PaneFold.cs",
            "Colibri.Core/Sessions/Headroom/HeadroomClient.cs",
            "Colibri.Core/Sessions/Headroom/HeadroomClient.cs",
        ]);
    }

    [Test]
    public void No_concurrent_dictionary_is_counted_since_that_takes_all_its_locks()
    {
        foreach (var file in SourceTree.Files())
        {
            foreach (var line in file.Lines)
            {
                if (ConcurrentField().Match(line) is { Success: true } field)
                    file.Lines.ShouldNotContain(other => other.Contains($"{field.Groups[1].Value}.Count", StringComparison.Ordinal), $"{file.Project} {field.Groups[1].Value}");
            }
        }
    }

    [Test]
    public void Every_folder_of_core_has_a_layer() =>
        SourceTree.Files("Colibri.Core").Select(CoreLayer).Distinct().Order().ShouldBe(Enumerable.Range(0, CoreLayers.Length));

    [Test]
    public void No_layer_of_core_uses_a_higher_one()
    {
        var uses = 0;
        foreach (var file in SourceTree.Files("Colibri.Core"))
        {
            foreach (var used in file.Lines.SelectMany(line => UsedCoreNamespace().Matches(line)).Select(match => match.Groups[1].Value))
            {
                LayerOf(used).ShouldBeLessThanOrEqualTo(CoreLayer(file), $"{file.Name} uses {used}");
                uses++;
            }
        }
        uses.ShouldBeGreaterThan(20);
    }

    [Test]
    public void A_namespace_is_its_folder() => SourceTree.Files().Concat(SourceTree.UnitTests())
        .Where(file => file.Namespace is { } name && name != file.Folder.Replace('/', '.'))
        .Select(file => $"{file.Name}: {file.Namespace}")
        .ShouldBeEmpty();

    [Test]
    public void A_file_bears_the_name_of_one_of_its_types() => SourceTree.Files()
        .Where(file => file.Types.Count > 0 && !file.Types.Any(type => type.Name == file.Title || file.IsPartOf(type.Name)))
        .Where(file => !FilesOfManyEqualTypes.Contains(file.Name))
        .Select(file => $"{file.Name}: {file.Types[0].Name}")
        .ShouldBeEmpty();

    /// <summary>Tests of a type lie where the type lies: below tests/Colibri.UnitTests, its folder without the name of its project, or with it where that is not Core.</summary>
    [Test]
    public void Tests_lie_in_the_folder_of_what_they_test()
    {
        var folders = SourceTree.Files().SelectMany(file => file.Types.Select(type => (type.Name, Folder: TestFolder(file)))).ToLookup(type => type.Name, type => type.Folder);
        var known = SourceTree.Files().Select(TestFolder).Append("Structure").Append("").ToHashSet();
        foreach (var file in SourceTree.UnitTests())
        {
            var folder = file.Folder["Colibri.UnitTests".Length..].TrimStart('/');
            known.ShouldContain(folder, file.Name);
            var tested = file.Title.EndsWith("Tests", StringComparison.Ordinal) ? folders[file.Title[..^5]].ToList() : [];
            if (tested.Count > 0)
                tested.ShouldContain(folder, file.Name);
        }
    }

    /// <summary>A type above a limit says in its summary why ("because").</summary>
    [Test]
    public void No_type_is_longer_or_has_more_state_than_it_can_say_why() => SourceTree.Files()
        .SelectMany(file => file.Types.Select(type => (file, type)))
        .Where(pair => (pair.type.Lines > MaxTypeLines || pair.type.MutableFields > MaxMutableFields) && !pair.type.Summary.Contains("because", StringComparison.Ordinal))
        .Select(pair => $"{pair.file.Name}: {pair.type.Name} has {pair.type.Lines} lines and {pair.type.MutableFields} mutable fields")
        .ShouldBeEmpty();

    /// <summary>A part is generated code's other half, or the constants of one system.</summary>
    [Test]
    public void No_type_is_cut_into_files() => SourceTree.Files()
        .Where(file => file.Title.Contains('.') && !file.Title.StartsWith("AbiConstants.", StringComparison.Ordinal))
        .Select(file => file.Name)
        .ShouldBeEmpty();

    private static IEnumerable<string> Lines(Func<SourceFile, bool> inFile, Regex pattern) =>
        SourceTree.Files().Where(inFile).SelectMany(file => file.Lines
            .Select(line => line.Trim())
            .Where(line => !line.StartsWith("//", StringComparison.Ordinal) && pattern.IsMatch(line))
            .Select(line => $"{file.Name}: {line}"));

    private static IEnumerable<string> Reachable(string project) =>
        Arrows[project].SelectMany(next => Reachable(next).Append(next));

    private static int CoreLayer(SourceFile file) =>
        file.Folder == "Colibri.Core" ? file.Title is "Engine" ? LayerOf("Scheduling") : 0 : LayerOf(file.Folder["Colibri.Core/".Length..].Replace('/', '.'));

    private static int LayerOf(string name)
    {
        for (var rest = name; ; rest = rest[..rest.LastIndexOf('.')])
        {
            if (Array.FindIndex(CoreLayers, names => names.Contains(rest)) is >= 0 and var layer)
                return layer;
            rest.ShouldContain(".", customMessage: $"{name} has no layer");
        }
    }

    private static string TestFolder(SourceFile file)
    {
        var folder = file.Folder["Colibri.".Length..];
        return folder == "Core" ? "" : folder.StartsWith("Core/", StringComparison.Ordinal) ? folder["Core/".Length..] : folder;
    }

    [GeneratedRegex(@"^\s*(?:global )?using (?:static )?(?:\w+ = )?(Colibri\.[A-Z]\w+)")]
    private static partial Regex UsedProject();

    [GeneratedRegex(@"\busing Colibri\.Core\.([A-Z][\w.]+);")]
    private static partial Regex UsedCoreNamespace();

    [GeneratedRegex("\"…\"|'…'")]
    private static partial Regex Ellipsis();

    [GeneratedRegex(@"\.GetString\(line, ")]
    private static partial Regex BoundedDecoding();

    [GeneratedRegex(@"\b(LibraryImport|DllImport)\b")]
    private static partial Regex NativeCall();

    [GeneratedRegex(@"ConcurrentDictionary<.*>\s+(_\w+)")]
    private static partial Regex ConcurrentField();

    [GeneratedRegex(@"\b(?:SHA(?:1|256|384|512)|MD5|HMACSHA\d+|RandomNumberGenerator|Rfc2898DeriveBytes|Aes|RSA|ECDsa|SslStream|X509Certificate2?)\b\.?\w*\(|\bRandomNumberGenerator\.|\bHMACSHA\d+\b")]
    private static partial Regex OpenSsl();

    [GeneratedRegex(@"System\.Diagnostics\.Process\b|\bProcess\.Start\(|\bProcessStartInfo\b|\bSystem\.Reflection\b|\bdynamic \w+ ?[=;,)]|\bActivator\.|\b(?:typeof\([^)]*\)|GetType\(\))\.Get|\.MakeGeneric|\bType\.GetType\(")]
    private static partial Regex Forbidden();
}
