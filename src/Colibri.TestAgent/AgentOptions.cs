using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Colibri.TestAgent;

/// <summary>What the command line asks for; <see cref="HelpText"/> says what each option does.</summary>
internal sealed record AgentOptions
{
    public string SessionId { get; init; } = Guid.CreateVersion7().ToString();
    public string WorkingDirectory { get; init; } = Environment.CurrentDirectory;
    public int Turns { get; init; } = 2;
    public TimeSpan Step { get; init; }
    public TimeSpan Hold { get; init; }
    public TokenUsage Usage { get; init; }
    public string Provider { get; init; } = "test";
    public string Model { get; init; } = "test-1";
    public string Prompt { get; init; } = "";
    public bool Rpc { get; init; }
    public bool Ask { get; init; }
    public bool Retry { get; init; }
    public bool Fail { get; init; }
    public int ExitCode { get; init; }
    public int? CrashAfter { get; init; }
    public bool IgnoreTerm { get; init; }
    public int Children { get; init; }
    public int Malformed { get; init; }
    public long? FloodBytes { get; init; }
    public bool Stall { get; init; }

    /// <summary>Set in the processes that <see cref="Children"/> starts: do nothing but be there.</summary>
    public bool Linger { get; init; }
    public bool ShowHelp { get; init; }
    public bool ShowVersion { get; init; }

    /// <summary>Options up to the first word that is none; the rest is the prompt. "--" ends the options too.</summary>
    public static bool TryParse(ReadOnlySpan<string> args, out AgentOptions options, [NotNullWhen(false)] out string? error)
    {
        options = new AgentOptions();
        error = null;
        while (!args.IsEmpty && args[0].StartsWith('-'))
        {
            var name = args[0];
            args = args[1..];
            if (name == "--")
                break;
            if (options.WithFlag(name) is { } flagged)
            {
                options = flagged;
                continue;
            }
            if (!TakesValue(name))
            {
                error = $"unknown option {name}";
                return false;
            }
            if (args.IsEmpty)
            {
                error = $"{name} needs a value";
                return false;
            }
            if (options.WithValue(name, args[0]) is not { } valued)
            {
                error = $"{name} {args[0]}: not a value it takes";
                return false;
            }
            options = valued;
            args = args[1..];
        }
        options = options with { Prompt = string.Join(' ', args!) };
        return true;
    }

    private static bool TakesValue(string name) => name is "--session-id" or "--cwd" or "--turns" or "--step-ms" or "--hold-secs" or "--usage"
        or "--exit" or "--crash-after" or "--children" or "--malformed" or "--flood" or "--mode" or "--provider" or "--model";

    private AgentOptions? WithFlag(string name) => name switch
    {
        "--emit-usage" => this with { Usage = Usage == default ? TokenUsage.Example : Usage },
        "--rpc" => this with { Rpc = true },
        "--ask" => this with { Ask = true },
        "--retry" => this with { Retry = true },
        "--fail" => this with { Fail = true },
        "--ignore-term" => this with { IgnoreTerm = true },
        "--stall" => this with { Stall = true },
        "--linger" => this with { Linger = true },
        "--no-session" or "-p" => this,
        "--help" or "-h" => this with { ShowHelp = true },
        "--version" => this with { ShowVersion = true },
        _ => null,
    };

    private AgentOptions? WithValue(string name, string value) => name switch
    {
        "--session-id" => this with { SessionId = value },
        "--cwd" => this with { WorkingDirectory = value },
        "--provider" => this with { Provider = value },
        "--model" => this with { Model = value },
        "--mode" => value is "json" or "rpc" ? this with { Rpc = value == "rpc" } : null,
        "--usage" => TokenUsage.TryParse(value, out var usage) ? this with { Usage = usage } : null,
        _ => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? WithNumber(name, number) : null,
    };

    private AgentOptions? WithNumber(string name, long number) => (name, number) switch
    {
        ("--flood", _) => this with { FloodBytes = number },
        (_, > int.MaxValue) => null,
        ("--turns", >= 1) => this with { Turns = (int)number },
        ("--step-ms", _) => this with { Step = TimeSpan.FromMilliseconds(number) },
        ("--hold-secs", _) => this with { Hold = TimeSpan.FromSeconds(number) },
        ("--exit", <= 255) => this with { ExitCode = (int)number },
        ("--crash-after", _) => this with { CrashAfter = (int)number },
        ("--children", <= 1000) => this with { Children = (int)number },
        ("--malformed", _) => this with { Malformed = (int)number },
        _ => null,
    };
}
