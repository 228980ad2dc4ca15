using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Client;

/// <summary>The daemon answered no.</summary>
public sealed class RefusedException : Exception
{
    public RefusedException(WireError error)
        : base((error ?? throw new ArgumentNullException(nameof(error))).Message) => Error = error;

    public WireError Error { get; }
}
