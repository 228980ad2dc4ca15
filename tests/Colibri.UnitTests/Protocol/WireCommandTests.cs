using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Protocol;

/// <summary>The table of commands against the request's type and <c>docs/protocol.md</c>.</summary>
public sealed partial class WireCommandTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "protocol.md"));

    public static List<string> Names => [.. WireCommand.All.Select(command => command.Name)];

    [Test]
    public void Every_command_is_in_the_list_once()
    {
        var declared = typeof(WireCommand).GetProperties(BindingFlags.Public | BindingFlags.Static)
            .Where(property => property.PropertyType == typeof(WireCommand))
            .Select(property => ((WireCommand)property.GetValue(null)!).Name).ToList();

        WireCommand.All.Select(command => command.Name).ShouldBe(declared, ignoreOrder: true);
        declared.ShouldBeUnique();
    }

    [Test]
    [MethodDataSource(nameof(Names))]
    public void A_summary_and_a_fields_help_are_half_a_line(string name)
    {
        var command = Of(name);
        command.Fields.Select(field => field.Name).ShouldBeUnique();
        foreach (var words in command.Fields.Select(field => field.Help).Append(command.Summary))
            words.ShouldMatch(@"^[a-z].{2,70}[^.]$");
        Should.Throw<ArgumentException>(() => command.Field("nothing")).Message.ShouldBe($"{name} has no field nothing");
    }

    [Test]
    public void A_request_has_the_fields_of_the_table_and_no_other()
    {
        Of(ProtocolJson.Wire.CommandRequest).Where(property => property != "cmd").ShouldBe(FieldsOf(""), ignoreOrder: true);
        Of(ProtocolJson.Wire.JailRequest).ShouldBe(FieldsOf("jail."), ignoreOrder: true);
        Of(ProtocolJson.Wire.TaskTemplate).ShouldBe(FieldsOf("task."), ignoreOrder: true);
        // An entry is a reply as well: these two the daemon gives.
        Of(ProtocolJson.Wire.SessionEntry).Except(["seq", "ts"]).ShouldBe(FieldsOf("entry."), ignoreOrder: true);
    }

    [Test]
    public void The_protocols_page_has_every_command_and_no_other() =>
        Sections().Select(section => section.Command).ShouldBe(Names, ignoreOrder: true);

    [Test]
    [MethodDataSource(nameof(Names))]
    public void The_protocols_page_has_the_fields_of_a_command_as_the_table_has_them(string name)
    {
        var told = Fields(Sections().Single(section => section.Command == name).Text);

        told.Select(field => field.Name).ShouldBe(Of(name).Fields.Select(field => field.Name));
        foreach (var (field, said) in Of(name).Fields.Zip(told))
        {
            // Of a jail's fields the page says in two columns what they may hold, one a system.
            if (field.Name.StartsWith("jail.", StringComparison.Ordinal))
                continue;
            said.Default.ShouldBe(field.Default, field.Name);
            said.Form.ShouldMatch($@"^{Regex.Escape(field.Form)}($|[:;,. ])", field.Name);
        }
    }

    [Test]
    public void The_protocols_page_says_which_commands_may_overlap() =>
        Code().Matches(Overlapping().Match(Page).Groups[1].Value).Select(match => match.Groups[1].Value)
            .ShouldBe(WireCommand.All.Where(command => command.MayOverlap).Select(command => command.Name), ignoreOrder: true);

    [Test]
    public void The_protocols_page_says_where_the_runtimes_are_listed() =>
        Fields(Sections().Single(section => section.Command == "spawn-agent").Text).Single(field => field.Name == "runtime").Form
            .ShouldContain(WireCommand.ListKinds.Name);

    private static WireCommand Of(string name) => WireCommand.All.Single(command => command.Name == name);

    private static IEnumerable<string> Of(JsonTypeInfo type) => type.Properties.Select(property => property.Name);

    private static IEnumerable<string> FieldsOf(string prefix) => WireCommand.All
        .SelectMany(command => command.Fields)
        .Select(field => field.Name)
        .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
        .Select(name => name[prefix.Length..])
        .Where(name => !name.Contains('.', StringComparison.Ordinal))
        .Distinct();

    /// <summary>A command's section goes from the line that begins with what it answers to the next such line or heading; a line may begin two.</summary>
    private static List<(string Command, string Text)> Sections()
    {
        List<(string, string)> sections = [];
        foreach (var section in SectionStart().Split(Page).Skip(1))
        {
            var heading = section.Split('\n', 2)[0];
            sections.AddRange(Answers().Matches(heading).Select(match => (match.Groups[1].Value, section.Split("\n## ")[0])));
        }
        return sections;
    }

    /// <summary>The rows of its tables and what follows "Fields:", in their order.</summary>
    private static List<(string Name, string Default, string Form)> Fields(string section)
    {
        List<(string, string, string)> fields = [];
        string? prefix = null;
        foreach (var line in section.Split('\n'))
        {
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            if (FieldsTable().Match(line) is { Success: true } table)
                prefix = table.Groups[1].Success ? table.Groups[1].Value + "." : "";
            else if (cells is not ["", var name, var byDefault, var form, ""])
                prefix = null;
            else if (prefix is not null && name != "---")
                fields.Add((prefix + Plain(name), Plain(byDefault), Plain(form)));
        }
        if (FieldsSentence().Match(section) is { Success: true } sentence)
            fields.InsertRange(0, FieldInWords().Matches(sentence.Groups[1].Value).Select(match => (match.Groups[1].Value, Plain(match.Groups[2].Value), Plain(match.Groups[3].Value))));
        return fields;
    }

    private static string Plain(string text) => text.Replace("`", "", StringComparison.Ordinal).ReplaceLineEndings(" ");

    [GeneratedRegex(@"^(?=`[a-z-]+` → )", RegexOptions.Multiline)]
    private static partial Regex SectionStart();

    [GeneratedRegex(@"(?:^| · )`([a-z-]+)` → ")]
    private static partial Regex Answers();

    [GeneratedRegex(@"^\| field(?: of `(\w+)`)? \|")]
    private static partial Regex FieldsTable();

    [GeneratedRegex(@"\bFields?: ((?:`\w+`\s\([^()]*\)(?:,\s)?)+)")]
    private static partial Regex FieldsSentence();

    [GeneratedRegex(@"`(\w+)`\s\(([^();]*); ([^()]*)\)")]
    private static partial Regex FieldInWords();

    [GeneratedRegex(@"^- (`[^.]*) may overlap", RegexOptions.Multiline)]
    private static partial Regex Overlapping();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Code();
}
