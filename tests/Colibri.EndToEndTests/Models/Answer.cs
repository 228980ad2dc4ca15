namespace Colibri.EndToEndTests.Models;

/// <summary>One answer of a model, in no API's terms.</summary>
/// <param name="Number">Tells it from all others.</param>
/// <param name="Model">The model that was asked.</param>
/// <param name="Words">The text, in the pieces it comes in.</param>
internal sealed record Answer(int Number, string Model, params string[] Words)
{
    public IReadOnlyList<ToolCall> Calls { get; init; } = [];

    /// <summary>The tools that the request offers.</summary>
    public IReadOnlyList<OfferedTool> Offered { get; init; } = [];

    public Ending Ending { get; init; } = Ending.Stop;

    /// <summary>Tokens sent, cached ones included.</summary>
    public int Prompt { get; init; } = 1300;

    /// <summary>Of those, read from the cache.</summary>
    public int Cached { get; init; } = 1152;

    /// <summary>Tokens answered, reasoning included.</summary>
    public int Completion { get; init; } = 12;

    /// <summary>Of those, reasoning.</summary>
    public int Reasoning { get; init; }

    /// <summary>A call as the agent's own tools have it, by their names: that of the shell, or of the writing of a file.</summary>
    public (string Name, Dictionary<string, object> Arguments) CallOf(ToolCall call)
    {
        if (call.Command is { } command && !command.StartsWith('>'))
        {
            var shell = Offered.FirstOrDefault(tool => Shells.Contains(tool.Name)) ?? new OfferedTool(DefaultShell, []);
            return (shell.Name, shell.Name switch
            {
                // The model itself says how risky its command is.
                "Execute" => new Dictionary<string, object> { ["summary"] = "a command", ["command"] = command, ["riskLevelReason"] = "a test", ["riskLevel"] = "low" },
                "run_commands" => new Dictionary<string, object> { ["commands"] = new[] { command } },
                _ when shell.Required.Contains("description") => new Dictionary<string, object> { ["command"] = command, ["description"] = "say hi" },
                _ => new Dictionary<string, object> { ["command"] = command },
            });
        }
        var writer = Offered.FirstOrDefault(tool => Writers.ContainsKey(tool.Name))?.Name ?? DefaultWriter;
        var (file, content) = Writers[writer];
        return (writer, new Dictionary<string, object> { [file] = call.Command?[1..].Trim() ?? "out.txt", [content] = call.Command is null ? "hello\n" : "made\n" });
    }

    /// <summary>What an agent's shell is called where it offers none.</summary>
    public string DefaultShell { get; init; } = "bash";

    /// <summary>What its tool for writing files is called where it offers none.</summary>
    public string DefaultWriter { get; init; } = "write";

    private static readonly string[] Shells = ["bash", "Bash", "shell", "run_shell_command", "Execute", "run_commands"];

    // The names of the arguments for the file and for its text.
    private static readonly Dictionary<string, (string File, string Content)> Writers = new()
    {
        ["write"] = ("path", "content"),
        ["Write"] = ("file_path", "content"),
        ["create"] = ("path", "file_text"),
        ["Create"] = ("file_path", "content"),
        ["write_file"] = ("file_path", "content"),
        ["editor"] = ("path", "new_text"),
    };

    /// <summary>The same, asking for tools.</summary>
    public Answer Calling(params ToolCall[] calls) =>
        this with { Calls = calls, Ending = Ending.Tools, Prompt = 1200, Cached = 1024, Completion = 40, Reasoning = 8 };
}

internal enum Ending
{
    Stop,
    Tools,
    Length,

    /// <summary>The usage is told and the end is not.</summary>
    Missing,
}

/// <param name="Id">The call's own id.</param>
/// <param name="Command">For the shell; <c>&gt; PATH</c> for the writing of that file by a tool, null for that of <c>out.txt</c>.</param>
/// <param name="InBackground">The shell is to go on with it in the background.</param>
internal sealed record ToolCall(string Id, string? Command, bool InBackground = false);
