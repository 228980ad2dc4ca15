namespace Colibri.Cli.Commands;

/// <summary>Words the wire knows, for help, completion, the binder and errors that name them.</summary>
internal static class Choices
{
    public static readonly string[] TaskStates = ["queued", "claimed", "started", "done", "failed", "cancelled"];
    /// <summary>What a list of tasks is filtered by; a held task is a queued one.</summary>
    public static readonly string[] TaskFilters = [.. TaskStates, "held"];
    public static readonly string[] Orders = ["newest", "oldest"];
    public static readonly string[] CostModes = ["fast", "smart", "max"];

    /// <summary>The kinds that a client may append; the other two only the daemon writes.</summary>
    public static readonly string[] EntryKinds = ["user", "assistant", "tool_call", "tool_result", "question", "answer", "usage", "note"];
    public static readonly string[] Topics = ["tasks", "panes", "cost", "notices"];
    public static readonly string[] CostGroupings = ["task", "session", "provider", "profile", "day", "day-profile"];
    public static readonly string[] BudgetActions = ["lift"];

    public static readonly string[] NotifyActions = ["test", "retry"];
    public static readonly string[] OnFailed = ["hold", "fail", "run"];
    public static readonly string[] Overlaps = ["skip", "queue", "replace"];
    public static readonly string[] MissedRuns = ["none", "once", "all"];
    public static readonly string[] Accesses = ["read", "edit", "full"];
    public static readonly string[] Shells = ["bash", "zsh", "fish"];

    /// <summary>Whether <paramref name="said"/> is one of these, to the letter.</summary>
    public static bool TryTake(IReadOnlyList<string> choices, ReadOnlySpan<char> said, out string choice)
    {
        choice = said.ToString();
        return choices.Contains(choice);
    }
}
