using Colibri.Cli.Commands;
using Colibri.Cli.Parsing;
using Colibri.Protocol;

namespace Colibri.UnitTests.Cli.Parsing;

/// <summary>The CLI's commands against those of the protocol.</summary>
public sealed class CommandSpecTests
{
    /// <summary>Those that are more than a request, or none.</summary>
    private static readonly string[] Own = ["schedule", "schedules", "add", "retry", "logs", "agents", "diff", "land", "discard", "wait", "top", "watch", "health", "notify", "prefix-check", "completion", "schema", "metrics", "version", "help"];

    /// <summary>Options that are no field: they change what is printed, or are a part of a field, or one of its values.</summary>
    private static readonly string[] NoField =
    [
        "list-tasks --all", "get-session --full", "follow-session --full", "transition-task --error-code", "transition-task --error-message", "answer --yes", "answer --no", "answer --cancel",
        "append-session --input-tokens", "append-session --output-tokens", "append-session --cache-read-tokens", "append-session --cache-write-tokens",
        "append-session --cost-microcents",
    ];

    public static List<string> Requests => [.. WireCommand.All.Where(command => command != WireCommand.Subscribe).Select(command => command.Name)];

    [Test]
    public void Every_command_of_the_protocol_can_be_typed() =>
        CommandTable.All.Select(command => command.Name).ShouldBe(Requests.Concat(Own), ignoreOrder: true);

    [Test]
    [MethodDataSource(nameof(Requests))]
    public void A_command_has_the_summary_of_the_protocols_table_and_asks_for_what_that_requires(string name)
    {
        var (typed, sent) = (CommandTable.Find(name)!, WireCommand.All.Single(command => command.Name == name));
        var options = typed.Positionals.Select(positional => positional.AsOption()).Concat(typed.Options).ToList();

        typed.Summary.ShouldBe(sent.Summary);
        options.Select(option => $"{name} {option.Name}").Where(option => !NoField.Contains(option)).ShouldBeSubsetOf(sent.Fields.SelectMany(field => SpelledAs(field, name)));
        // The open question is the daemon's to know: `answer` asks for its id first.
        foreach (var field in sent.Fields.Where(field => field.IsRequired && field.Name is not ("entry" or "task") && $"{name} {field.Name}" != "answer request"))
            options.Any(option => SpelledAs(field, name).Contains($"{name} {option.Name}") && option.Required).ShouldBeTrue(field.Name);
    }

    [Test]
    public void What_is_no_field_is_an_option() =>
        NoField.ShouldBeSubsetOf(CommandTable.All.SelectMany(command => command.Options.Select(option => $"{command.Name} {option.Name}")));

    [Test]
    public void The_cli_offers_every_runtime() =>
        CommandTable.Find("spawn-agent")!.Options.Single(option => option.Name == "--runtime").Choices.ShouldBe(Runtimes.All);

    /// <summary>An option that may be repeated has the name of one.</summary>
    private static string[] SpelledAs(WireField field, string command) =>
    [
        $"{command} {OptionSpec.NameOf(field)}", $"{command} {OptionSpec.NameOf(field).Replace("--entry-", "--", StringComparison.Ordinal).Replace("--task-", "--", StringComparison.Ordinal).Replace("capabilities", "capability", StringComparison.Ordinal).Replace("--tags", "--tag", StringComparison.Ordinal).Replace("--agents", "--agent", StringComparison.Ordinal)}",
    ];
}
