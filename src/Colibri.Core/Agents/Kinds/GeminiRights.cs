namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// What Gemini CLI's runs may do, as 0.61 holds it: a tool that it would ask about is not offered to the model, and its tools for files refuse a path
/// outside its directory ("Path not in workspace"), whatever the access.
/// </summary>
internal static class GeminiRights
{
    public static KindRights All { get; } = new()
    {
        Read = new(
            "reads; writes and commands are not offered to the model unless Gemini's own settings of its user or of the repository allow them",
            "--approval-mode=default"),
        Edit = new(
            "writes in its directory alone; commands are not offered to the model unless Gemini's own settings of its user or of the repository allow them",
            "--approval-mode=auto_edit"),
        Full = new("does all that its user may; its tools for files stay in its directory", "--approval-mode=yolo"),
    };
}
