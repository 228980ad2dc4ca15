using System.Collections;
using System.Runtime.InteropServices;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Hosting;

/// <summary>The agents that the configuration lets the scheduler start, as it is now: its profiles, else the agent of <c>COLIBRI_AGENT_BINARY</c>.</summary>
/// <param name="settings">The configuration.</param>
/// <param name="programs">Finds what agents can use.</param>
/// <param name="probed">What the host's own probe says; empty for the built-in list.</param>
internal sealed class SchedulerCandidates(Func<ColibriSettings> settings, ProgramPath programs, IReadOnlyList<string> probed) : IReadOnlyList<AgentCandidate>
{
    private volatile Made _made = new(null, []);

    /// <inheritdoc/>
    public int Count => Now.Count;

    /// <inheritdoc/>
    public AgentCandidate this[int index] => Now[index];

    private IReadOnlyList<AgentCandidate> Now
    {
        get
        {
            var (current, made) = (settings(), _made);
            if (!ReferenceEquals(made.From, current))
                _made = made = new Made(current, From(current, programs, probed));
            return made.Candidates;
        }
    }

    /// <inheritdoc/>
    public IEnumerator<AgentCandidate> GetEnumerator() => Now.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private sealed record Made(ColibriSettings? From, IReadOnlyList<AgentCandidate> Candidates);

    private static readonly string[] Always = ["os", "shell", "code"];

    /// <summary>The candidates; empty if no agent is configured: tasks then wait for a claimant.</summary>
    /// <param name="configuration">Names the agent.</param>
    /// <param name="programs">Finds what it can use.</param>
    /// <param name="probed">What the host's own probe says; empty for the built-in list.</param>
    public static IReadOnlyList<AgentCandidate> From(ColibriSettings configuration, ProgramPath programs, IReadOnlyList<string> probed) =>
        configuration.Agents.Count > 0 ? [.. configuration.Agents.Select(profile => Of(profile, programs, probed))]
        : configuration.Daemon.AgentBinary is { } binary ? [Of(binary, configuration.Daemon.AgentArguments, programs, probed)] : [];

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
                // What lets the kind work in the run's own place, and nowhere else.
                Access = Access.Edit,
                IsAccessDefault = true,
            });

        bool Offers(string capability) => Has(capabilities, capability, programs);
    }

    private static AgentCandidate Of(ProfileSettings profile, ProgramPath programs, IReadOnlyList<string> probed)
    {
        var kind = AgentProfiles.Find(profile.Kind);
        var binary = profile.Binary ?? (profile.Transport == Transport.Acp ? kind?.AcpProgram : null) ?? kind?.ProgramName ?? profile.Kind;
        string[] capabilities =
        [
            .. probed.Count > 0 ? probed : Always, OperatingSystem.IsFreeBSD() ? "freebsd" : "linux", Architecture(), profile.Kind, profile.Name, .. profile.Capabilities,
        ];
        return new AgentCandidate(
            profile.Name,
            Offers,
            new SpawnRequest
            {
                Binary = binary,
                Runtime = profile.Kind,
                Transport = profile.Transport,
                Arguments = profile.Arguments ?? [],
                ExtraArguments = profile.ExtraArguments,
                Provider = profile.Provider,
                Model = profile.Model,
                Environment = profile.Environment,
                PassedEnvironment = profile.PassedEnvironment,
                Jail = profile.Confine is { } confine ? new JailRequest { Path = confine.Path, User = confine.User, Ip4 = confine.Ip4 } : null,
                Capabilities = capabilities,
                Offers = Offers,
                // One that cannot begin another conversation does one task.
                TakesTasks = profile.Transport != Transport.Duplex,
                Access = profile.Access,
                IsAccessDefault = !profile.IsAccessStated,
                Profile = profile,
            });

        bool Offers(string capability) => Has(capabilities, capability, programs);
    }

    // An agent can use every program on the PATH.
    private static bool Has(string[] capabilities, string capability, ProgramPath programs) =>
        capabilities.Contains(capability, StringComparer.OrdinalIgnoreCase) || IsInstalled(capability, programs);

    private static bool IsInstalled(string capability, ProgramPath programs) => !capability.Contains('/') && programs.Find(capability) is not null;

    private static string Architecture() => RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
}
