namespace Colibri.Core.Agents.Kinds;

/// <summary>The kinds of agent Colibri knows. A new one is a file beside this, a line here, and a recording of what it prints.</summary>
public static class AgentProfiles
{
    private static readonly AgentProfile[] Known = [Pi.Profile, Zot.Profile, Claude.Profile, Codex.Profile, Opencode.Profile];

    /// <summary>Every runtime's name, <c>local</c> included.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(profile => profile.Name), Local.Profile.Name];

    /// <summary>By runtime where a known one is stated, else by the binary's base name, else one that prints Pi's events and has no defaults.</summary>
    /// <param name="runtime">One of <see cref="Names"/>, or null.</param>
    /// <param name="binary">The program's path or name; null where it is not known.</param>
    public static AgentProfile For(string? runtime, string? binary) =>
        runtime == Local.Profile.Name ? Local.Profile : Named(runtime) ?? Named(Path.GetFileName(binary)) ?? Pi.Lookalike;

    /// <summary>Whether a stated runtime is one of <see cref="Names"/>.</summary>
    public static bool IsKnown(string runtime) => Names.Contains(runtime);

    private static AgentProfile? Named(string? name) => Array.Find(Known, profile => profile.Name == name);
}
