namespace Colibri.Web.Html;

/// <summary>Text that is HTML already. Only <see cref="HtmlWriter"/> makes it from data, and a constant of the code may be it.</summary>
internal readonly struct Markup
{
    private readonly string? _html;

    private Markup(string html) => _html = html;

    public static Markup Doctype { get; } = new("<!doctype html>\n");

    /// <summary>What a writer has written.</summary>
    public static Markup Of(HtmlWriter writer) => new(writer.Written);

    public override string ToString() => _html ?? "";
}
