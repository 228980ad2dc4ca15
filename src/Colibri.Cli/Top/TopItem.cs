using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top;

/// <summary>One thing that happened, for the one loop that owns screen and model.</summary>
internal abstract record TopItem
{
    public sealed record Typed(Key Key) : TopItem;

    /// <summary>The terminal has another size, or the process goes on after a stop.</summary>
    public sealed record Redraw(bool Anew) : TopItem;

    /// <summary>SIGTSTP.</summary>
    public sealed record Suspend : TopItem;

    /// <summary>A signal to end, or the terminal is gone.</summary>
    public sealed record End : TopItem;

    /// <summary>The time that was asked for is there.</summary>
    public sealed record Tick : TopItem;

    public sealed record Change(Event Event) : TopItem;

    /// <summary>Answers of the daemon; null for what was not asked.</summary>
    public sealed record Report(Snapshot? Snapshot, IReadOnlyList<BoardTask>? Tasks, long MoreTasks, IReadOnlyList<BoardTask>? Renewed, InboxReport? Inbox, StatusReport? Status, BudgetState? Budget) : TopItem;

    public sealed record Away(string Why) : TopItem;

    /// <summary>What became of an action.</summary>
    public sealed record Done(string Words, bool IsWrong) : TopItem;

    /// <summary>Lines of a page that was asked for.</summary>
    /// <param name="Page">Which one: an answer that comes after its page was left changes nothing.</param>
    /// <param name="Lines">All of it, or the lines to append.</param>
    /// <param name="Appends">Whether they go behind what is there.</param>
    public sealed record PageLines(int Page, IReadOnlyList<StyledLine> Lines, bool Appends) : TopItem;
}
