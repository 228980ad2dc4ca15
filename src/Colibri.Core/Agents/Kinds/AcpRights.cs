using Colibri.Core.Agents.Transports;
using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// What the runs of a kind may do over the Agent Client Protocol. The agent asks before it acts, and Colibri answers: by the access where that decides it, and
/// else by what a person says. An agent that acts without asking is held by nothing but its confinement.
/// </summary>
internal static class AcpRights
{
    public static KindRights Of(AcpManners manners) => new()
    {
        Read = new("asks before it acts: reads are allowed, writes and commands are refused") { Environment = Variables(manners, Access.Read) },
        Edit = new("asks before it acts: reads, and writes in the run's directory, are allowed; writes outside are refused; each command waits for an answer")
        {
            Environment = Variables(manners, Access.Edit),
        },
        Full = new("does all that its user may; whatever it asks for is allowed") { Environment = Variables(manners, Access.Full) },
    };

    private static IReadOnlyDictionary<string, string> Variables(AcpManners manners, Access access) =>
        manners.Environment?.Invoke(access) ?? new Dictionary<string, string>();
}
