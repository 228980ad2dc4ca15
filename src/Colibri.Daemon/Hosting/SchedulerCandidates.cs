using System.Runtime.InteropServices;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;

namespace Colibri.Daemon.Hosting;

/// <summary>The agents that the configuration lets the scheduler start.</summary>
internal static class SchedulerCandidates
{
    private static readonly string[] Always = ["os", "shell", "code"];

    /// <summary>The candidates; empty if no agent is configured: tasks then wait for a claimant.</summary>
    /// <param name="configuration">Names the agent.</param>
    /// <param name="programs">Finds what it can use.</param>
    /// <param name="probed">What the host's own probe says; empty for the built-in list.</param>
    public static IReadOnlyList<AgentCandidate> From(DaemonConfiguration configuration, ProgramPath programs, IReadOnlyList<string> probed) =>
        configuration.AgentBinary is { } binary ? [Of(binary, configuration.AgentArguments, programs, probed)] : [];

    /// <summary>The resident agent: kept whether there are tasks or not.</summary>
    public static SpawnRequest Resident(DaemonConfiguration configuration, ProgramPath programs, IReadOnlyList<string> probed) =>
        Of(configuration.AutospawnBinary, configuration.AutospawnArguments, programs, probed).Template with { Prompt = configuration.AutospawnRpcPrompt, IsKept = true };

    private static AgentCandidate Of(string binary, IReadOnlyList<string> arguments, ProgramPath programs, IReadOnlyList<string> probed)
    {
        var name = Path.GetFileName(binary);
        string[] capabilities = [.. probed.Count > 0 ? probed : Always, OperatingSystem.IsFreeBSD() ? "freebsd" : "linux", Architecture(), name];
        return new AgentCandidate(
            name,
            Offers,
            new SpawnRequest
            {
                Binary = binary,
                Arguments = arguments,
                Capabilities = capabilities,
                Offers = Offers,
                TakesTasks = true,
            });

        // An agent can use every program on the PATH.
        bool Offers(string capability) =>
            capabilities.Contains(capability, StringComparer.OrdinalIgnoreCase) || IsInstalled(capability, programs);
    }

    private static bool IsInstalled(string capability, ProgramPath programs) => !capability.Contains('/') && programs.Find(capability) is not null;

    private static string Architecture() => RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
}
