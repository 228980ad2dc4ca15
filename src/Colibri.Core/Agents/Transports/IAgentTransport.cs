using Colibri.Core.Panes.Dialects;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Transports;

/// <summary>
/// How one long-lived agent is told things on its standard input, and how it is read where that depends on what it was told. Each agent has its
/// own. All methods may be called from any thread; its dialect is read by one at a time.
/// </summary>
internal interface IAgentTransport
{
    /// <summary>How what it prints is read.</summary>
    IDialect Dialect { get; }

    /// <summary>The lines to it.</summary>
    AgentInput Input { get; }

    /// <summary>Says where and how it works, before its process starts.</summary>
    void Prepare(ConversationWish wish);

    /// <summary>Opens the conversation; a second call returns the first one's outcome.</summary>
    /// <returns>Whether it stands, and whether it is the earlier one.</returns>
    Task<Opening> OpenAsync();

    /// <summary>Begins a run with a prompt. Taken means that the agent has it; its work is told by events.</summary>
    Task<RpcReply> PromptAsync(string text);

    /// <summary>Adds words to a run under way.</summary>
    /// <param name="text">The words.</param>
    /// <param name="isAtWork">Its events show it at work.</param>
    Task<RpcReply> AddAsync(string text, bool isAtWork);

    /// <summary>Begins another conversation, in which nothing of the one before is known.</summary>
    /// <param name="model">The model of what comes next; null leaves that to the agent.</param>
    Task<RpcReply> ForgetAsync(string? model);

    /// <summary>Answers a question that was reserved for this answer.</summary>
    /// <returns>False where the agent is gone, or reads nothing.</returns>
    bool TryAnswer(AgentQuestion question, QuestionAnswer answer);

    /// <summary>Asks the agent to leave its run, and waits until it says that it has.</summary>
    /// <param name="limit">The longest wait.</param>
    /// <returns>What it said; null where it said nothing, has no run or knows no such request.</returns>
    Task<string?> CancelAsync(TimeSpan limit);

    /// <summary>The agent has replied to the command of that id.</summary>
    void Replied(string id, string? error);
}

/// <summary>Where an agent's conversation is held, and what it may do there.</summary>
/// <param name="Directory">As the agent sees it; absolute.</param>
public sealed record ConversationWish(string Directory)
{
    /// <summary>The id of an earlier session of its own to go on in; null for a new one.</summary>
    public string? Earlier { get; init; }

    /// <summary>The model to use; null leaves that to the agent.</summary>
    public string? Model { get; init; }

    /// <summary>What its runs may do; null asks a person for everything that the agent asks for.</summary>
    public Access? Access { get; init; }

    /// <summary>The version of the Agent Client Protocol to offer, where it is spoken.</summary>
    public int AcpVersion { get; init; } = AcpTransport.Version;
}

/// <summary>What came of opening a conversation.</summary>
/// <param name="Problem">Why it does not stand, in one line; null where it does.</param>
/// <param name="IsResumed">It is the earlier one.</param>
public sealed record Opening(string? Problem, bool IsResumed = false)
{
    public static Opening New { get; } = new((string?)null);

    /// <summary>The agent has ended: its exit says why, and no words of ours.</summary>
    public bool HasEnded { get; init; }

    /// <summary>What it means for a command that needs the conversation.</summary>
    public RpcReply ToReply() => Problem is null ? RpcReply.Taken : HasEnded ? RpcReply.Unanswered(Problem) with { HasEnded = true } : RpcReply.Refused(Problem);
}

/// <summary>An answer to an agent's question: one of the three.</summary>
/// <param name="Value">Words, or one of the options.</param>
/// <param name="Confirmed">Yes or no.</param>
public sealed record QuestionAnswer(string? Value, bool? Confirmed)
{
    /// <summary>No answer: the agent goes on without.</summary>
    public bool IsCancelled => Value is null && Confirmed is null;

    /// <summary>As the session shows it.</summary>
    public string Words => Confirmed is { } yes ? yes ? "yes" : "no" : Value ?? "cancelled";
}

/// <summary>What a transport needs of the agent that it belongs to.</summary>
internal interface ITransportSite
{
    /// <summary>The version of the client that it talks to.</summary>
    string ClientVersion { get; }

    /// <summary>Reads the events that the dialect has of its own.</summary>
    void Poke();

    /// <summary>Writes a file on the agent's behalf, inside the run's directory.</summary>
    /// <returns>Why it was not written, in one line; null where it was.</returns>
    Task<string?> WriteFileAsync(string path, string text);

    /// <summary>Looks where files lie.</summary>
    /// <param name="paths">Absolute, or relative to the run's directory, as the agent sees them.</param>
    /// <returns>The first that is outside of the run's directory, links followed; null where all are inside.</returns>
    Task<string?> FirstOutsideAsync(IReadOnlyList<string> paths);

    /// <summary>The agent's words without keys, and no longer than an error may be.</summary>
    string Redact(string words);

    /// <summary>Ends the agent, because it does not read what it has asked for.</summary>
    /// <param name="why">In one line.</param>
    void EndUnread(string why);

    /// <summary>Follows work beside its caller: a failure ends the agent.</summary>
    Task Watched(string what, Task work);
}
