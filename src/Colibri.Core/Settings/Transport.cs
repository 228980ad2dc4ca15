using Colibri.Protocol;

namespace Colibri.Core.Settings;

/// <summary>How a living agent is told things.</summary>
public enum Transport
{
    /// <summary>Not at all: its prompt is an argument, or all that its standard input ever holds.</summary>
    None,

    /// <summary>Commands with an id, as Pi and zot take them.</summary>
    Commands,

    /// <summary>Claude's messages as JSON lines, with permissions asked and answered.</summary>
    Duplex,

    /// <summary>The Agent Client Protocol.</summary>
    Acp,
}

/// <summary>What operators call the transports.</summary>
public static class TransportNames
{
    /// <summary>In the order of the enumeration.</summary>
    public static IReadOnlyList<string> All => Runtimes.Transports;

    public static string Of(Transport transport) => All[(int)transport];

    /// <summary>The transport of that name; null where there is none.</summary>
    public static Transport? Named(string name) => All.ToList().IndexOf(name) is >= 0 and var index ? (Transport)index : null;
}
