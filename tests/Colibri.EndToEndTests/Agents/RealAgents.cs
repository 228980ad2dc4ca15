using System.Collections.Concurrent;

namespace Colibri.EndToEndTests.Agents;

/// <summary>The real agents, each fetched once when the first test asks for it; they are large.</summary>
public sealed class RealAgents
{
    private static readonly AgentHome[] Homes = [new CodexHome(), new ClaudeHome(), new OpencodeHome(), new GeminiHome(), new QwenHome(), new CopilotHome(), new DroidHome(), new GooseHome(), new ClineHome(), new PiAgentHome()];

    private readonly ConcurrentDictionary<string, Lazy<Task<Installation>>> _found = new();

    internal static AgentHome HomeOf(string kind) => Homes.Single(home => home.Kind == kind);

    /// <summary>Path of the program. Skips the test when it cannot be had.</summary>
    internal async Task<string> ExecutableAsync(string kind)
    {
        if (HomeOf(kind).OnDemand is { } reason)
            Skip.Unless(Environment.GetEnvironmentVariable("COLIBRI_TEST_ALL_AGENTS") == "1", $"{reason}: set COLIBRI_TEST_ALL_AGENTS=1 to test it too");
        var fetched = _found.GetOrAdd(kind, _ => new Lazy<Task<Installation>>(() => Installation.FetchAsync($"real_{kind}")));
        return (await fetched.Value).Required(kind);
    }
}
