using Colibri.Protocol.Wire;

namespace Colibri.Cli;

/// <summary>The daemon answered no.</summary>
internal sealed class RefusedException(WireError error) : Exception(error.Message)
{
    public WireError Error => error;
}
