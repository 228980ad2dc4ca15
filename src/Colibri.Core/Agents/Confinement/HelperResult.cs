namespace Colibri.Core.Agents.Confinement;

/// <summary>What came of a short program.</summary>
/// <param name="IsDone">It ended with exit code 0.</param>
/// <param name="Text">What it printed, or else why it failed.</param>
internal sealed record HelperResult(bool IsDone, string Text)
{
    /// <summary>The last line, which with most tools is the reason.</summary>
    public string LastLine => Text[(Text.LastIndexOf('\n') + 1)..];
}
