using ModelContextProtocol.Server;

namespace Colibri.Mcp.Hosting;

/// <summary>Which revision of the protocol is spoken.</summary>
internal static class Revision
{
    /// <summary>The one with metadata in each request in place of a handshake.</summary>
    private const string New = "2026-07-28";

    /// <summary>Whether the client speaks 2026-07-28 or later.</summary>
    public static bool IsNew(McpServer server) => string.CompareOrdinal(server.NegotiatedProtocolVersion, New) >= 0;
}
