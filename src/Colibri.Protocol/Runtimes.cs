namespace Colibri.Protocol;

/// <summary>The kinds of agent: every value of <c>runtime</c>. Core has a profile for each.</summary>
public static class Runtimes
{
    public static IReadOnlyList<string> All { get; } = ["pi", "zot", "claude", "codex", "opencode", "local"];
}
