namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// What Qwen Code's runs may do, as 0.24 holds it: a tool that it would ask about is not offered to the model, and a call of one is refused. Its tools for
/// files write wherever its user may.
/// </summary>
internal static class QwenRights
{
    public static KindRights All { get; } = new()
    {
        Read = new(
            "reads; writes and commands are not offered to the model unless Qwen's own settings of its user or of the repository allow them",
            "--approval-mode=default"),
        Edit = new(
            "cannot be held: its tools write outside its directory as well, and only its commands are refused; confine it",
            "--approval-mode=auto-edit")
        {
            IsHeld = false,
        },
        Full = new("does all that its user may", "--approval-mode=yolo"),
    };
}
