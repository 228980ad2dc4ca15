namespace Colibri.Cli.Output;

/// <param name="Flexible">Cut short where the row would not fit.</param>
internal sealed record TableColumn(string Heading, bool RightAligned = false, bool Flexible = false)
{
    public static implicit operator TableColumn(string heading) => new(heading);
}
