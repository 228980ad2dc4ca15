namespace Colibri.Protocol;

/// <summary>One kind of agent.</summary>
/// <param name="Name">The value of <c>runtime</c> and of a profile's <c>kind</c>.</param>
/// <param name="Title">What people call it.</param>
public sealed record AgentKind(string Name, string Title)
{
    /// <summary>How its agents can be told things, the way that is taken by default first: the values of <c>transport</c>.</summary>
    public IReadOnlyList<string> Transports { get; init; } = ["print"];

    /// <summary>Its program's name.</summary>
    public string Program { get; init; } = Name;

    /// <summary>It stands for any program, so a profile of it names one.</summary>
    public bool NeedsBinary { get; init; }

    /// <summary>Its rows come from its documents alone: nobody has seen it run under Colibri.</summary>
    public bool IsDocumentedOnly { get; init; }
}

/// <summary>The kinds of agent: every value of <c>runtime</c>. Core has a profile for each.</summary>
public static class Runtimes
{
    public static IReadOnlyList<AgentKind> Kinds { get; } =
    [
        new("pi", "Pi") { Transports = ["print", "rpc"] },
        new("zot", "zot") { Transports = ["rpc"], IsDocumentedOnly = true },
        new("claude", "Claude Code") { Transports = ["print", "duplex", "acp"] },
        new("codex", "Codex") { Transports = ["print", "acp"] },
        new("opencode", "opencode") { Transports = ["print", "acp"] },
        new("gemini", "Gemini CLI") { Transports = ["print", "acp"] },
        new("qwen", "Qwen Code") { Transports = ["print", "duplex", "acp"] },
        new("copilot", "Copilot CLI") { Transports = ["print", "acp"] },
        new("cline", "Cline") { Transports = ["print", "acp"] },
        new("goose", "goose") { Transports = ["print", "acp"] },
        new("droid", "Factory droid") { Transports = ["print", "acp"] },
        new("cursor", "Cursor") { Program = "cursor-agent", Transports = ["print", "acp"], IsDocumentedOnly = true },
        new("amp", "Amp") { IsDocumentedOnly = true },
        new("acp", "any program that speaks the Agent Client Protocol") { Transports = ["acp"], NeedsBinary = true },
        new("local", "any program") { NeedsBinary = true },
    ];

    /// <summary>Every value of <c>transport</c>, whatever the kind.</summary>
    public static IReadOnlyList<string> Transports { get; } = ["print", "rpc", "duplex", "acp"];

    public static IReadOnlyList<string> All { get; } = [.. Kinds.Select(kind => kind.Name)];

    /// <summary>The name of a kind's program; of a name that is none of theirs, the name.</summary>
    public static string ProgramOf(string kind) => Kinds.FirstOrDefault(known => known.Name == kind)?.Program ?? kind;
}
