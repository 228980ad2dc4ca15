namespace Colibri.Cli;

/// <summary>Everything the CLI touches outside itself and the socket.</summary>
internal sealed record CliHost
{
    /// <summary>Columns where nothing says how many there are.</summary>
    public const int DefaultWidth = 80;

    public required TextReader Stdin { get; init; }

    /// <summary>Bytes, since a reply's data goes out exactly as it came.</summary>
    public required Stream Stdout { get; init; }
    public required TextWriter Stderr { get; init; }

    /// <summary>Looks a variable up; null or empty means unset.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>Whether a person's terminal reads the output.</summary>
    public bool IsTerminal { get; init; }
    public int Width { get; init; } = DefaultWidth;

    /// <summary>Null where the folder the CLI was started in is gone.</summary>
    public string? CurrentDirectory { get; init; }
}
