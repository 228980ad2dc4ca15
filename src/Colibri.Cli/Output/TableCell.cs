namespace Colibri.Cli.Output;

/// <param name="Text">Already plain: safe for a terminal.</param>
internal readonly record struct TableCell(string Text, Tone Tone = Tone.Plain)
{
    /// <summary>Text of the daemon's is never trusted with the terminal.</summary>
    public static implicit operator TableCell(string text) => new(Words.Plain(text));
}
