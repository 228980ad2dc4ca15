using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Any program that speaks the Agent Client Protocol on its standard input and output.</summary>
internal static class Acp
{
    private static readonly AgentProfile Any = new()
    {
        Name = "acp",
        // Each of its agents is read by its own transport.
        Dialect = Pi.Profile.Dialect,
        AcpArguments = [],
    };

    public static AgentProfile Profile { get; } = Any.Over(Transport.Acp);
}
