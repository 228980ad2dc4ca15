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
    public (string Name, Dictionary<string, string> Arguments) CallOf(ToolCall call)
    {
        if (call.Command is { } command && !command.StartsWith('>'))
        {
            var shell = Offered.FirstOrDefault(tool => tool.Name is "bash" or "run_shell_command") ?? new OfferedTool("run_shell_command", []);
            var run = new Dictionary<string, string> { ["command"] = command };
            if (shell.Required.Contains("description"))
                run["description"] = "say hi";
            return (shell.Name, run);
        }
        var path = call.Command?[1..].Trim() ?? "out.txt";
        var (name, file, content) = Offered.Any(tool => tool.Name == "create") ? ("create", "path", "file_text") : ("write_file", "file_path", "content");
        return (name, new Dictionary<string, string> { [file] = path, [content] = "made\n" });
    }

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
