using Colibri.Mcp.Tools;

namespace Colibri.Mcp.Hosting;

/// <summary>The command line, with what the environment adds to it.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Gates">Which gates are open.</param>
/// <param name="SocketPath">As stated; null where it is to be found.</param>
/// <param name="Problem">Only of <see cref="McpAction.Refuse"/>: what is wrong with the command line.</param>
internal sealed record McpArguments(McpAction Action, ToolGates Gates, string? SocketPath = null, string? Problem = null)
{
    public const string Usage = """
        usage: colibri-mcp [--socket PATH] [--write] [--external] [--version] [--help]

        Serves the Model Context Protocol on standard input and output, for one client:
        an editor or an agent that starts it. Its tools ask the Colibri daemon.

          --socket PATH  the daemon's socket
          --write        offer the tools that change things, too
          --external     with --write: offer the MCP servers of external-mcp.json, too
          --version      print the version and exit

        COLIBRI_MCP_WRITE=1 and COLIBRI_MCP_EXTERNAL=1 do the same as --write and
        --external, COLIBRI_DAEMON_SOCKET the same as --socket.
        """;

    private const string Socket = "--socket";

    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Looks a variable up; null or empty means unset.</param>
    public static McpArguments Parse(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var gates = new ToolGates(environment("COLIBRI_MCP_WRITE") == "1", environment("COLIBRI_MCP_EXTERNAL") == "1");
        string? socket = null;
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--help" or "-h": return new(McpAction.Help, gates);
                case "--version": return new(McpAction.Version, gates);
                case "--write": gates = gates with { Write = true }; break;
                case "--external": gates = gates with { External = true }; break;
                case Socket when i + 1 < arguments.Count: socket = arguments[++i]; break;
                case Socket: socket = ""; break;
                case var word when word.StartsWith($"{Socket}=", StringComparison.Ordinal): socket = word[(Socket.Length + 1)..]; break;
                case var unknown: return new(McpAction.Refuse, gates, Problem: $"unknown argument '{unknown}'");
            }
        }
        return socket is "" ? new(McpAction.Refuse, gates, Problem: "--socket needs a path") : new(McpAction.Serve, gates, socket);
    }
}

internal enum McpAction
{
    Serve,
    Version,
    Help,
    Refuse,
}
