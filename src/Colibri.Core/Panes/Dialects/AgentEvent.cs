using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes.Dialects;

/// <summary>One event of an agent in Colibri's terms. Its values are slices of the line it came from and live no longer than that.</summary>
public record struct AgentEvent
{
    public EventKind Kind { get; set; }

    /// <summary>The agent's own name for it, where the dialect knows the name; else it is in <see cref="UnknownName"/>.</summary>
    public string? Name { get; set; }

    public JsonValue UnknownName { get; set; }

    /// <summary>Of a message's end, or of a run's end that says so itself.</summary>
    public StopReason Stop { get; set; }

    /// <summary>The agent's own words about what went wrong.</summary>
    public JsonValue Error { get; set; }

    /// <summary>How the provider refused, where the agent has fields for that.</summary>
    public ProviderRefusal? Refusal { get; set; }

    /// <summary>The id the agent gave its session.</summary>
    public JsonValue SessionId { get; set; }

    public JsonValue Cwd { get; set; }

    /// <summary>What the assistant said, the run came to or the tool answered: a string, or an array of content blocks.</summary>
    public JsonValue Text { get; set; }

    /// <summary>
    /// Of a message's end: the words are one piece of a message whose other pieces come in lines of their own. It is whole once an event of another kind comes.
    /// </summary>
    public bool IsPiece { get; set; }

    /// <summary>Tells turns apart where an agent repeats a turn's start; without one each start counts.</summary>
    public JsonValue TurnId { get; set; }

    /// <summary>How far the agent's plan has come, where it has told one; its words are not redacted yet.</summary>
    public PlanProgress? Plan { get; set; }

    public JsonValue ToolId { get; set; }

    public JsonValue ToolName { get; set; }

    /// <summary>The tool's name where the dialect supplies it.</summary>
    public string? ToolLabel { get; set; }

    /// <summary>
    /// What the tool was called with: of its start, of <see cref="EventKind.ToolCalled"/>, and of an end that may stand for the whole call. JSON, or a string
    /// that is a command line.
    /// </summary>
    public JsonValue Arguments { get; set; }

    /// <summary>Of a tool's start: its arguments are told later, whole, by <see cref="EventKind.ToolCalled"/> or by its end.</summary>
    public bool ArgumentsFollow { get; set; }

    /// <summary>Of a tool's end: the tool failed.</summary>
    public bool IsError { get; set; }

    /// <summary>Of a tool's end: the call was refused; why is in <see cref="Text"/>.</summary>
    public bool IsDenied { get; set; }

    /// <summary>Of a tool's end: the agent has stopped waiting for a call that may still be at work.</summary>
    public bool IsUnfinished { get; set; }

    /// <summary>Of a tool's start: another call waits for it, so its end need not be told. Of a message's end: the words are a sub-agent's.</summary>
    public bool IsNested { get; set; }

    /// <summary>Of a tool's start or end: what the call does to work in the background.</summary>
    public BackgroundStep Background { get; set; }

    /// <summary>It is known without its text that the assistant has said words, or may have in what a line too long to keep lacks.</summary>
    public bool HasWords { get; set; }

    /// <summary>What was left out of a line too long to keep may show that work went on, or that calls have ended.</summary>
    public bool IsPartial { get; set; }

    /// <summary>Of a tool's end: there may have been no start event, so this event may stand for the whole call.</summary>
    public bool MayBeUnannounced { get; set; }

    /// <summary>Of a <see cref="EventKind.Noted"/>, and of a run's end before anything else of it: the agent has refused the prompt that the run was to begin with.</summary>
    public bool IsPromptRefusal { get; set; }

    /// <summary>The model has answered, and nothing else in the event shows it: its words, of a kind that tells calls and tokens once they are over.</summary>
    public bool IsAnswer { get; set; }

    /// <summary>Whose model answered, where the agent says.</summary>
    public JsonValue Provider { get; set; }

    public JsonValue Model { get; set; }

    /// <summary>Of a response to a command: the id that the command bore.</summary>
    public JsonValue ResponseId { get; set; }

    /// <summary>Of a response: the command was taken. Why it was not is in <see cref="Error"/>.</summary>
    public bool Succeeded { get; set; }

    /// <summary>Of an <see cref="EventKind.Asked"/>: the question, where it can be answered.</summary>
    public AgentQuestion? Question { get; set; }

    public UsageReport? Usage { get; set; }

    /// <summary>Which numbers of the usage are those of the whole session so far, and not of this report alone.</summary>
    public UsageTotals Totals { get; set; }

    /// <summary>The message of which the usage is, where later reports of it repeat or raise its numbers.</summary>
    public JsonValue UsageId { get; set; }

    /// <summary>The model of which the usage is, where that need not be the one at work.</summary>
    public JsonValue UsageModel { get; set; }

    /// <summary>How the message or the turn ended was left out of a line too long to keep: until another one ends, no run counts as done.</summary>
    public bool IsCut { get; set; }

    /// <summary>Of a run's end in error: the agent announces another try, and waits for it.</summary>
    public bool WillRetry { get; set; }

    /// <summary>Of an error or a retry: how long the agent says that it waits before it asks again, in milliseconds; 0 where it does not say.</summary>
    public long WaitMs { get; set; }

    /// <summary>Of a run's end: how many turns it had, where the agent tells them there alone.</summary>
    public long Turns { get; set; }

    /// <summary>How many tasks the agent has open in the background; null where the event does not say.</summary>
    public long? BackgroundTasks { get; set; }

    /// <summary>
    /// What the first of them is about. Of a call that starts work: what that is about, at the call's start, and the agent's id for it at its end.
    /// Of a call that ends work, and of <see cref="EventKind.BackgroundEnded"/>: the id.
    /// </summary>
    public JsonValue BackgroundTask { get; set; }
}

/// <summary>What a tool call does to work in the background.</summary>
public enum BackgroundStep
{
    Nothing,
    Starts,
    Stops,
}

/// <summary>Which numbers of a report of usage are totals of the session so far.</summary>
public enum UsageTotals
{
    /// <summary>None: all are added to those before.</summary>
    None,

    /// <summary>The cost alone.</summary>
    Cost,

    /// <summary>The tokens and the cost.</summary>
    All,

    /// <summary>None: the tokens of one message so far. The next report with <see cref="Cost"/> includes them.</summary>
    Message,

    /// <summary>All, those of one model. The report with <see cref="Cost"/> that follows closes the list.</summary>
    Model,

    /// <summary>What <see cref="Model"/> was before this process took up the session.</summary>
    Base,
}

/// <summary>Why the assistant stopped. From <see cref="Length"/> on, the run it ends has failed.</summary>
public enum StopReason
{
    None,

    /// <summary>It finished its answer, or goes on after a tool.</summary>
    Stop,

    /// <summary>Cut by the token limit.</summary>
    Length,
    Error,
    Aborted,
}

/// <summary>How a provider refused a request, from fields that the agent has for it and never from text.</summary>
/// <param name="Status">The HTTP status; 0 where there was no answer, null where the event says nothing about that.</param>
/// <param name="ResumeAt">When the provider says it can be asked again, in seconds since 1970; 0 where it does not.</param>
/// <param name="ResumeIn">The same in milliseconds from the event on; 0 where it does not.</param>
public readonly record struct ProviderRefusal(int? Status, long ResumeAt = 0, long ResumeIn = 0)
{
    /// <summary>The longest wait that is accepted: the longest period of a plan's limits is a week (Claude Code's <c>seven_day</c>).</summary>
    public static TimeSpan LongestWait { get; } = TimeSpan.FromDays(7);

    /// <summary>When the provider can be asked again; null where it does not say or that time has passed.</summary>
    /// <param name="now">When the event came.</param>
    public DateTimeOffset? ResumesAfter(DateTimeOffset now)
    {
        var longest = (long)LongestWait.TotalMilliseconds;
        var wait = Math.Clamp(ResumeIn, 0, longest);
        if (ResumeAt > 0)
            wait = Math.Max(wait, Math.Min(Math.Min(ResumeAt, long.MaxValue / 1000) * 1000 - now.ToUnixTimeMilliseconds(), longest));
        return wait > 0 ? now.AddMilliseconds(wait) : null;
    }
}
