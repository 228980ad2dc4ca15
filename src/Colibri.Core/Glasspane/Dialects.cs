using Colibri.Core.Glasspane.Dialect;

namespace Colibri.Core.Glasspane;

/// <summary>The agents whose events Colibri can read. A new one is a file under Dialect, a line here and a recording.</summary>
public static class Dialects
{
    /// <summary>A program of the operator's own, which may print Pi's events or nothing at all.</summary>
    public const string Local = "local";

    private static readonly IDialect Pi = new PiDialect();

    private static readonly IDialect[] All =
    [
        Pi,
        new ZotDialect(),
        new ClaudeDialect(),
        new CodexDialect(),
        new OpencodeDialect(),
    ];

    /// <summary>By runtime, else by the binary's base name, else Pi's. <see cref="Local"/> reads Pi's.</summary>
    public static IDialect For(string? runtime, string? binaryBaseName) =>
        runtime == Local ? Pi : Named(runtime) ?? Named(binaryBaseName) ?? Pi;

    /// <summary>What a pane shows as its runtime: <see cref="Local"/>, or the name of the dialect it is read in.</summary>
    public static string RuntimeName(string? runtime, string? binaryBaseName) =>
        runtime == Local ? Local : For(runtime, binaryBaseName).Name;

    private static IDialect? Named(string? name) => Array.Find(All, dialect => dialect.Name == name);
}
