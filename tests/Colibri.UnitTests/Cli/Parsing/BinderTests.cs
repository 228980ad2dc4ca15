extern alias cli;
using System.Text.RegularExpressions;
using cli::ConsoleAppFramework;
using Colibri.Cli;
using Colibri.Cli.Commands;
using Colibri.Cli.Parsing;
using Colibri.UnitTests.Protocol.Client;

namespace Colibri.UnitTests.Cli.Parsing;

/// <summary>The command table against the methods that are bound.</summary>
public sealed partial class BinderTests
{
    /// <summary>What these change stands in no first request; FollowingTests and ViewTests have them.</summary>
    private static readonly string[] InNoRequest =
    [
        "list-tasks --all", "metrics --openmetrics", "get-session --full", "follow-session --full", "logs --full", "logs --follow", "wait --task-id", "wait --any", "wait --timeout", "wait --reconnect",
        "watch --reconnect", "agents --verbose", "notify --action", "notify --name", "top --once",
    ];

    [Test]
    public void The_framework_has_the_commands_of_the_table() =>
        BoundCommands().Matches(WhatTheFrameworkSays()).Select(m => m.Groups[1].Value)
            .ShouldBe(CommandTable.All.Select(c => c.Name), ignoreOrder: true);

    public static List<string> Commands => [.. CommandTable.All.Select(c => c.Name)];

    [Test]
    [MethodDataSource(nameof(Commands))]
    public void The_framework_binds_the_options_of_the_table(string name)
    {
        var bound = BoundOptions().Matches(WhatTheFrameworkSays(name, "--help")).Select(m => Shape(
            m.Groups[1].Value, m.Groups[2].Success, m.Groups[2].Value.StartsWith("string[]", StringComparison.Ordinal)
                || m.Groups[2].Value.StartsWith("Dictionary", StringComparison.Ordinal), m.Groups[3].Value == "Required"));

        bound.ShouldBe(OptionsOf(CommandTable.Find(name)!).Select(o => Shape(o.Name, o.Value is not null, o.Repeatable, o.Required)), ignoreOrder: true);
    }

    public static List<(string, string)> Options =>
    [
        .. from command in CommandTable.All
           where command.Name is not ("prefix-check" or "completion" or "version" or "help")
           from option in OptionsOf(command)
           where !InNoRequest.Contains($"{command.Name} {option.Name}")
           select (command.Name, option.Name),
    ];

    [Test]
    [MethodDataSource(nameof(Options))]
    public async Task A_value_arrives_where_it_was_said(string name, string option)
    {
        var command = CommandTable.Find(name)!;
        var spec = OptionsOf(command).Single(o => o.Name == option);
        var others = OptionsOf(command).Where(o => o.Required && o != spec).SelectMany(o => Said(o, "other")).ToList();
        if (name == "answer" && option is "--agent-id" or "--request")
            others.Add("--yes");
        // Without the question it asks for that first.
        if (name == "answer" && option != "--request")
            others.AddRange(["--request", "other"]);
        // Without a place it asks for the workspaces first.
        if ((name is "add" or "schedule") && option is not ("--workspace" or "--cwd"))
            others.AddRange(["--cwd", "/there"]);
        // It needs one of these two.
        var isWhichToRetry = name == "retry" && option is "--task-id" or "--failed";
        if (name == "retry" && !isWhichToRetry)
            others.AddRange(["--task-id", "other"]);

        var without = spec.Required || isWhichToRetry || name == "answer" ? "" : await RequestOfAsync([name, .. others]);
        var with = await RequestOfAsync([name, .. others, .. Said(spec, "this one")]);

        with.ShouldNotBe(without);
        if (spec.Value is not null)
            with.ShouldContain(ValueOf(spec, "this one").Split('=')[^1]);
    }

    [Test]
    [MethodDataSource(nameof(Commands))]
    public async Task What_a_command_needs_it_asks_for(string name)
    {
        var command = CommandTable.Find(name)!;
        foreach (var option in OptionsOf(command).Where(o => o.Required))
        {
            var others = OptionsOf(command).Where(o => o.Required && o != option).SelectMany(o => Said(o, "other"));

            var run = await CliRun.OfAsync([name, .. others]);

            run.ExitCode.ShouldBe(ExitCodes.Usage);
            run.Error.ShouldStartWith($"colibri: {name} needs {(command.Options.Contains(option) ? $"{option.Name} {option.Value}" : option.Value)}");
        }
    }

    [Test]
    [MethodDataSource(nameof(Commands))]
    public async Task Of_words_to_choose_from_each_binds_and_no_other(string name)
    {
        var command = CommandTable.Find(name)!;
        foreach (var option in OptionsOf(command).Where(o => o.Choices.Count > 0))
        {
            var others = OptionsOf(command).Where(o => o.Required && o != option).SelectMany(o => Said(o, "other")).ToList();
            // A test needs the sink.
            if (name == "notify")
                others.AddRange(["--name", "ops"]);
            foreach (var choice in option.Choices)
                (await CliRun.OfAsync(["--socket", "/nowhere/s", name, .. others, option.Name, choice])).ExitCode.ShouldNotBe(ExitCodes.Usage, choice);
            (await CliRun.OfAsync([name, .. others, option.Name, option.Choices[0] + "s"])).Error.ShouldContain($"is none of {string.Join(", ", option.Choices)} ");
        }
    }

    private static IEnumerable<OptionSpec> OptionsOf(CommandSpec command) => command.Positionals.Select(p => p.AsOption()).Concat(command.Options);

    private static string Shape(string name, bool hasValue, bool isRepeatable, bool isRequired) =>
        name + (hasValue ? " VALUE" : "") + (isRepeatable ? " repeated" : "") + (isRequired ? " required" : "");

    private static string ValueOf(OptionSpec option, string text) => option switch
    {
        { Choices.Count: > 0 } => option.Choices[^1],
        { Form: "a whole number" or "a number of seconds" } => "731",
        { Repeatable: true, Form: not null } => $"NAME={text}",
        { Value: "TIME" } => "2026-11-27T22:00:00.000Z",
        _ => text,
    };

    private static string[] Said(OptionSpec option, string text) => option.Value is null ? [option.Name] : [option.Name, ValueOf(option, text)];

    private static async Task<string> RequestOfAsync(string[] words)
    {
        await using var daemon = FakeDaemon.Answering("""{"ok":false,"error":{"code":"conflict","message":"not now"}}""");
        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, .. words]);
        run.ExitCode.ShouldBe(ExitCodes.Refused, run.Error);
        return daemon.Requests.ShouldHaveSingleItem();
    }

    // The framework's own help is nowhere shown; of what it has bound it says most.
    private static string WhatTheFrameworkSays(params string[] words)
    {
        var host = new CliHost { Stdin = TextReader.Null, Stdout = Stream.Null, Stderr = TextWriter.Null, Environment = _ => null };
        lock (InNoRequest)
        {
            var (before, said) = (ConsoleApp.Log, "");
            try
            {
                ConsoleApp.Log = text => said += text;
                Binder.Register(new BoundCommand("", [], host)).Run(words);
                return said;
            }
            finally
            {
                ConsoleApp.Log = before;
            }
        }
    }

    [GeneratedRegex(@"^  ([a-z-]+)\s*$", RegexOptions.Multiline)]
    private static partial Regex BoundCommands();

    [GeneratedRegex(@"^  (--[a-z0-9-]+)(?: <(.+)>)?(?: +\[(Required|[^\]]*)\])?\s*$", RegexOptions.Multiline)]
    private static partial Regex BoundOptions();
}
