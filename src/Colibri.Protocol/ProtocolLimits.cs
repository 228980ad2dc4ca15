namespace Colibri.Protocol;

/// <summary>Bounds both ends of the socket keep.</summary>
public static class ProtocolLimits
{
    /// <summary>Bytes of one request line without its newline; a longer one is answered <c>too-large</c> and the connection closed.</summary>
    public const int MaxLineBytes = 4 * 1024 * 1024;
}
