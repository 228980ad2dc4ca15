using Colibri.Core.Agents.Transports;
using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// What the runs of a kind may do over the Agent Client Protocol. The agent asks before it acts, and Colibri answers: by the access where that decides it, and
/// else by what a person says. An agent that acts without asking is held by nothing but its confinement.
/// </summary>
internal static class AcpRights
{
    private const string Unheld = "cannot be held for sure: nobody has seen that it asks before it acts; confine it";

    public static KindRights Of(AcpManners manners) => new()
    {
        Read = new(manners.Asks ? "asks before it acts: reads are allowed, everything else is refused" : Unheld) { Environment = Variables(manners, Access.Read), IsHeld = manners.Asks },
        Edit = new(manners.Asks ? "asks before it acts: reads, and writes in the run's directory, are allowed; writes outside are refused; each command waits for an answer" : Unheld)
        {
            Environment = Variables(manners, Access.Edit),
            IsHeld = manners.Asks,
        },
        Full = new("does all that its user may; whatever it asks for is allowed") { Environment = Variables(manners, Access.Full) },
    };

    private static IReadOnlyDictionary<string, string> Variables(AcpManners manners, Access access) =>
        manners.Environment?.Invoke(access) ?? new Dictionary<string, string>();
}
