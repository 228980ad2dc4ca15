using System.Diagnostics.CodeAnalysis;

namespace Colibri.TestAgent;

/// <summary>What the command line asks for; <see cref="HelpText"/> says what each option does, <see cref="OptionBinder"/> what holds without it.</summary>
internal sealed record AgentOptions
{
    public required string SessionId { get; init; }
    public required string WorkingDirectory { get; init; }
    public required int Turns { get; init; }
    public required TimeSpan Step { get; init; }
    public required TimeSpan Hold { get; init; }
    public required TokenUsage Usage { get; init; }
    public required string Provider { get; init; }
    public required string Model { get; init; }
    public required string Prompt { get; init; }
    public required bool Rpc { get; init; }
    public required bool Ask { get; init; }
    public required bool Retry { get; init; }
    public required bool Fail { get; init; }
    public required int ExitCode { get; init; }
    public required int? CrashAfter { get; init; }
    public required bool IgnoreTerm { get; init; }
    public required int Children { get; init; }
    public required int Malformed { get; init; }
    public required long? FloodBytes { get; init; }
    public required bool Stall { get; init; }

    /// <summary>Set in the processes that <see cref="Children"/> starts: do nothing but be there.</summary>
    public required bool Linger { get; init; }
    public required bool ShowHelp { get; init; }
    public required bool ShowVersion { get; init; }

    /// <summary>Options up to the first word that is none; the rest is the prompt. "--" ends the options too.</summary>
    public static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out AgentOptions? options, [NotNullWhen(false)] out string? error)
    {
        // A value that is wrong stands before the option that ended the pass, and is the one to be told.
        List<string> words = [];
        var problem = FindProblem(ref args, words);
        options = OptionBinder.Bind(words, string.Join(' ', args!), out error);
        error ??= problem;
        return error is null;
    }

    /// <summary>
    /// The pre-pass: moves the options to the words that ConsoleAppFramework takes, and leaves the prompt. It knows them by their names alone, and
    /// does what the framework does not: words that are no option, <c>--</c>, a forgotten value, names in one spelling alone, other names.
    /// </summary>
    private static string? FindProblem(ref ReadOnlySpan<string> args, List<string> words)
    {
        while (!args.IsEmpty && args[0].StartsWith('-'))
        {
            var name = args[0];
            args = args[1..];
            if (name == "--")
                break;
            if (WordsOfFlag(name) is { } flag)
            {
                words.AddRange(flag);
                continue;
            }
            if (!TakesValue(name))
                return $"unknown option {name}";
            if (args.IsEmpty)
                return $"{name} needs a value";
            // Pi's own word for a session that is taken up.
            words.AddRange(name == "--session" ? "--session-id" : name, args[0]);
            args = args[1..];
        }
        return null;
    }

    private static bool TakesValue(string name) => name is "--session-id" or "--session" or "--cwd" or "--turns" or "--step-ms" or "--hold-secs" or "--usage"
        or "--exit" or "--crash-after" or "--children" or "--malformed" or "--flood" or "--mode" or "--provider" or "--model";

    private static string[]? WordsOfFlag(string name) => name switch
    {
        "--emit-usage" or "--ask" or "--retry" or "--fail" or "--ignore-term" or "--stall" or "--linger" or "--version" => [name],
        "--help" or "-h" => ["--show-help"],
        "--rpc" => ["--mode", "rpc"],
        "--no-session" or "-p" => [],
        _ => null,
    };
}
