using Colibri.Core.Agents.Kinds;
using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Transports;

/// <summary>What differs between the agents that speak the Agent Client Protocol, as seen in recordings of them.</summary>
public sealed record AcpManners
{
    /// <summary>
    /// How the text of a message begins that tells a failure, where the agent answers the prompt well even so. Compared with the text as it stands in the line.
    /// </summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    /// <summary>How the text of a message begins that announces another try. It is said by the agent and not by its model.</summary>
    public IReadOnlyList<string> Retries { get; init; } = [];

    /// <summary>How the text of a message begins that the agent says of itself, before its model has answered.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>It does not tell that a call has ended well: its next words, and the end of its turn, say so.</summary>
    public bool OmitsEnds { get; init; }

    /// <summary>Of the usage of a prompt: the input includes what was read from the cache.</summary>
    public bool CountsCached { get; init; }

    /// <summary>The usage of a prompt is that of its last request alone, so it is less than was used.</summary>
    public bool TellsLastRequestAlone { get; init; }

    /// <summary>Under which names, from <c>_meta</c> of a call inwards, it tells what the tool is called; empty where it tells that nowhere.</summary>
    public IReadOnlyList<string> ToolName { get; init; } = [];

    /// <summary>It was seen to ask before it acts, so that an access holds.</summary>
    public bool Asks { get; init; }

    /// <summary>What a tool does that the agent gives no kind, by its name.</summary>
    public Func<string, ToolNature> NatureOf { get; init; } = static _ => ToolNature.Other;

    /// <summary>In which variable the program that speaks for it looks for the kind's own program; null where it is its own.</summary>
    public string? ProgramVariable { get; init; }

    /// <summary>It tells what its session has cost so far.</summary>
    public bool TellsCost { get; init; }

    /// <summary>It tells that the token limit cut an answer.</summary>
    public bool TellsTokenLimit { get; init; }

    /// <summary>When it tells its usage.</summary>
    public UsageReporting Usage { get; init; } = UsageReporting.AtItsEnd;

    /// <summary>The history of a session that it takes up may come after it has said that it did; the list of its commands follows.</summary>
    public bool ReplaysLate { get; init; }

    /// <summary>A way to sign in that has to be tried before a session is made, whatever comes of it; null where none has to be.</summary>
    public string? AuthMethod { get; init; }

    /// <summary>The mode in which it asks, for a run whose access is not full; null where it asks anyway.</summary>
    public string? AskingMode { get; init; }

    /// <summary>The model is chosen by an argument; else by a request.</summary>
    public bool ModelByArgument { get; init; }

    /// <summary>What it calls a provider's model; null where the model's own name will do. The first may be null.</summary>
    public Func<string?, string, string>? ModelName { get; init; }

    /// <summary>What it calls a model; null for none.</summary>
    public string? NameOf(string? provider, string? model) => model is null ? null : ModelName?.Invoke(provider, model) ?? model;

    /// <summary>Variables that have it ask, by access.</summary>
    public Func<Access, IReadOnlyDictionary<string, string>>? Environment { get; init; }
}
