namespace Colibri.Protocol;

/// <summary>One kind of agent.</summary>
/// <param name="Name">The value of <c>runtime</c> and of a profile's <c>kind</c>.</param>
/// <param name="Title">What people call it.</param>
public sealed record AgentKind(string Name, string Title)
{
    /// <summary>Its program's name.</summary>
    public string Program { get; init; } = Name;

    /// <summary>Its rows come from its documents alone: nobody has seen it run under Colibri.</summary>
    public bool IsDocumentedOnly { get; init; }
}

/// <summary>The kinds of agent: every value of <c>runtime</c>. Core has a profile for each.</summary>
public static class Runtimes
{
    public static IReadOnlyList<AgentKind> Kinds { get; } =
    [
        new("pi", "Pi"),
        new("zot", "zot") { IsDocumentedOnly = true },
        new("claude", "Claude Code"),
        new("codex", "Codex"),
        new("opencode", "opencode"),
        new("cline", "Cline"),
        new("goose", "goose"),
        new("droid", "Factory droid"),
        new("cursor", "Cursor") { Program = "cursor-agent", IsDocumentedOnly = true },
        new("amp", "Amp") { IsDocumentedOnly = true },
        new("local", "any program"),
    ];

    public static IReadOnlyList<string> All { get; } = [.. Kinds.Select(kind => kind.Name)];

    /// <summary>The name of a kind's program; of a name that is none of theirs, the name.</summary>
    public static string ProgramOf(string kind) => Kinds.FirstOrDefault(known => known.Name == kind)?.Program ?? kind;
}
