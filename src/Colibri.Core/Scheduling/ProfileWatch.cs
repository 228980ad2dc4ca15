using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Scheduling;

/// <summary>
/// Looks at the agents that the scheduler may start when the daemon starts and when the configuration has changed: says which of them nothing holds to their
/// access, and has their programs asked for their versions.
/// </summary>
internal sealed class ProfileWatch(IReadOnlyList<AgentCandidate> candidates, ProgramVersions versions, ProgramPath programs, ILogger logger)
{
    private readonly Lock _gate = new();
    private HashSet<string> _told = [];

    /// <summary>Logs what it has not told of the configuration before. Waits for no program.</summary>
    public void Look()
    {
        var found = candidates.Select(candidate => (Candidate: candidate, Told: ToldAccess.Of(candidate.Template))).ToList();
        HashSet<string> before;
        lock (_gate)
        {
            before = _told;
            _told = [.. found.Select(one => Key(one.Candidate, one.Told))];
        }
        foreach (var (candidate, told) in found)
        {
            if (candidate is { Profile: not null, Template: { IsNamedAsKind: true, Jail: null } request } && programs.Find(request.Binary) is { } path)
                versions.See(path, AgentProfiles.For(request.Runtime, request.Binary));
            if (candidate.Profile is null || before.Contains(Key(candidate, told)))
                continue;
            if (told.Refusal is { } refusal)
                logger.ProfileRefused(candidate.Name, refusal);
            else if (told.Warning is { } warning)
                logger.AccessNotHeld(candidate.Name, warning);
        }
    }

    private static string Key(AgentCandidate candidate, ToldAccess told) => $"{candidate.Name}\n{told.Refusal ?? told.Warning}";
}
