using ConsoleAppFramework;

namespace Colibri.TestAgent;

/// <summary>
/// The one place of the test agent that knows ConsoleAppFramework, which converts the values. The method bound only gathers them, so that nothing
/// runs inside the framework: it would take every exception and the exit code to itself.
/// </summary>
internal sealed class OptionBinder
{
    private const string WrongOption = "Argument '";
    private const string WrongValue = "' failed to parse, provided value: ";

    // Of the whole process, and the same for every run of it: thrown in the run that went wrong.
    static OptionBinder() => ConsoleApp.LogError = static message => throw new BindingException(message);

    // Read before the framework runs: it would say of a directory that is gone that an option is wrong.
    private readonly string _currentDirectory = Environment.CurrentDirectory;
    private AgentOptions? _bound;

    /// <returns>The options, or null where the error says which value is wrong.</returns>
    public static AgentOptions? Bind(List<string> words, string prompt, out string? error)
    {
        var binder = new OptionBinder();
        error = null;
        try
        {
            // The framework looks for its own --help up to the first "--", among values too: so that stands first.
            ConsoleApp.Run(["--mark", "--", .. words, "--prompt", prompt], binder.Take);
        }
        catch (BindingException e)
        {
            error = Explained(e.Message);
        }
        return binder._bound;
    }

    private static string Explained(string message) =>
        message.StartsWith(WrongOption, StringComparison.Ordinal) && message.Split(WrongValue, 2) is [var start, var value]
            ? $"--{start.AsSpan(WrongOption.Length)} {value}: not a value it takes"
            : message;

    private void Take(string mark, string prompt,
        string? sessionId = null, string? cwd = null, string provider = "test", string model = "test-1", [Mode] string mode = "json",
        [Turns] int turns = 2, [Number] int stepMs = 0, [Number] int holdSecs = 0, bool emitUsage = false, [Usage] TokenUsage? usage = null,
        bool ask = false, bool retry = false, bool fail = false, bool ignoreTerm = false, bool stall = false, bool linger = false,
        [ExitCode] int exit = 0, [Number] int crashAfter = -1, [Children] int children = 0, [Number] int malformed = 0, [Number] long flood = -1,
        bool showHelp = false, bool version = false) => _bound = new AgentOptions
        {
            SessionId = sessionId ?? Guid.CreateVersion7().ToString(),
            WorkingDirectory = cwd ?? _currentDirectory,
            Turns = turns,
            Step = TimeSpan.FromMilliseconds(stepMs),
            Hold = TimeSpan.FromSeconds(holdSecs),
            Usage = usage ?? (emitUsage ? TokenUsage.Example : default),
            Provider = provider,
            Model = model,
            Prompt = prompt,
            Rpc = mode == "rpc",
            Ask = ask,
            Retry = retry,
            Fail = fail,
            ExitCode = exit,
            CrashAfter = crashAfter < 0 ? null : crashAfter,
            IgnoreTerm = ignoreTerm,
            Children = children,
            Malformed = malformed,
            FloodBytes = flood < 0 ? null : flood,
            Stall = stall,
            Linger = linger,
            ShowHelp = showHelp,
            ShowVersion = version,
        };

    private sealed class BindingException(string message) : Exception(message);
}
