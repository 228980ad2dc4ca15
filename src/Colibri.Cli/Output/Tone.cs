namespace Colibri.Cli.Output;

/// <summary>What a word means to the operator; colour where there is colour.</summary>
internal enum Tone
{
    Plain,
    Good,
    Bad,
    Attention,
    Quiet,
    Strong,
}
