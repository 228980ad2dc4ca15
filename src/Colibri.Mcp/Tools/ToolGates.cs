namespace Colibri.Mcp.Tools;

/// <summary>Which gates are open.</summary>
/// <param name="Write">The tools that change things.</param>
/// <param name="External">The tools that reach other servers; they need the write gate as well.</param>
internal sealed record ToolGates(bool Write, bool External)
{
    public bool Allow(ToolSpec tool) => WhyNot(tool) is null;

    /// <summary>Why a tool may not be called, and how to open the gate; null where it may.</summary>
    public string? WhyNot(ToolSpec tool) => tool.Gate switch
    {
        ToolGate.None => null,
        _ when !Write => $"{tool.Name} changes things, and this server is read-only: start colibri-mcp with --write, or with COLIBRI_MCP_WRITE=1",
        ToolGate.External when !External => $"{tool.Name} reaches other servers: start colibri-mcp with --external besides, or with COLIBRI_MCP_EXTERNAL=1",
        _ => null,
    };
}
