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

    /// <summary>What the assistant said or the tool answered: a string, or an array of content blocks.</summary>
    public JsonValue Text { get; set; }

    /// <summary>Tells turns apart where an agent repeats a turn's start; without one each start counts.</summary>
    public JsonValue TurnId { get; set; }

    public JsonValue ToolId { get; set; }

    public JsonValue ToolName { get; set; }

    /// <summary>The tool's name where the dialect supplies it.</summary>
    public string? ToolLabel { get; set; }

    /// <summary>Of a tool's end: the tool failed.</summary>
    public bool IsError { get; set; }

    /// <summary>Of a tool's end: no start need have come before, so it may stand for the call itself.</summary>
    public bool MayBeUnannounced { get; set; }

    /// <summary>Of a <see cref="EventKind.Noted"/>: the agent has refused the prompt that a run was to begin with.</summary>
    public bool IsPromptRefusal { get; set; }

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

    /// <summary>The usage is that of the whole session so far and replaces what was counted.</summary>
    public bool UsageIsCumulative { get; set; }
}
