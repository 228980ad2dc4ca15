using System.Runtime.InteropServices;
using Colibri.Core.Configuration;
using Colibri.Core.Scheduling;
using Colibri.Core.Spawning;

namespace Colibri.Daemon.Hosting;

/// <summary>The agents that the configuration lets the scheduler start.</summary>
internal static class SchedulerCandidates
{
    private static readonly string[] Always = ["os", "shell", "code"];

    /// <summary>None where no agent is configured: tasks then wait for a claimant.</summary>
    public static IReadOnlyList<AgentCandidate> From(DaemonConfiguration configuration, ProgramPath programs)
    {
        if (configuration.AgentBinary is not { } binary)
            return [];
        var name = Path.GetFileName(binary);
        string[] capabilities = [.. Always, OperatingSystem.IsFreeBSD() ? "freebsd" : "linux", Architecture(), name];
        return
        [
            new AgentCandidate(
                name,
                Offers,
                new SpawnRequest
                {
                    Binary = binary, Arguments = configuration.AgentArguments, Capabilities = capabilities, Offers = Offers, TakesTasks = true,
                }),
        ];

        // What is on the PATH, the agent can use.
        bool Offers(string capability) =>
            capabilities.Contains(capability, StringComparer.OrdinalIgnoreCase) || IsInstalled(capability, programs);
    }

    private static bool IsInstalled(string capability, ProgramPath programs) => !capability.Contains('/') && programs.Find(capability) is not null;

    private static string Architecture() => RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
}
