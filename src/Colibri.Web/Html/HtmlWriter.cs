using System.Text;

namespace Colibri.Web.Html;

/// <summary>
/// Builds HTML. Every text, of an element or of an attribute, goes through <see cref="Encode"/>, and there is no way around it but
/// <see cref="Markup"/>. Names of elements and attributes are constants of the code.
/// </summary>
internal sealed class HtmlWriter
{
    private static readonly string[] Void = ["input", "meta", "link", "br", "hr"];

    private readonly StringBuilder _html = new();
    private readonly Stack<string> _open = new();

    /// <summary>All of it.</summary>
    /// <exception cref="InvalidOperationException">An element is still open.</exception>
    public string Written => _open.Count == 0 ? _html.ToString() : throw new InvalidOperationException($"<{_open.Peek()}> is open");

    /// <summary>Begins an element. An attribute without a value is left out; one that is empty stands without one.</summary>
    public HtmlWriter Open(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        _html.Append('<').Append(name);
        foreach (var (attribute, value) in attributes)
        {
            if (value is null)
                continue;
            _html.Append(' ').Append(attribute);
            if (value.Length > 0)
            {
                _html.Append("=\"");
                Encode(value);
                _html.Append('"');
            }
        }
        _html.Append('>');
        if (Array.IndexOf(Void, name) < 0)
            _open.Push(name);
        return this;
    }

    /// <summary>Ends the element that was begun last.</summary>
    public HtmlWriter Close()
    {
        _html.Append("</").Append(_open.Pop()).Append('>');
        return this;
    }

    public HtmlWriter Text(string? text)
    {
        Encode(text);
        return this;
    }

    public HtmlWriter Add(Markup markup)
    {
        _html.Append(markup.ToString());
        return this;
    }

    /// <summary>An element with a text in it.</summary>
    public HtmlWriter Element(string name, string? text, params ReadOnlySpan<(string Name, string? Value)> attributes) =>
        Open(name, attributes).Text(text).Close();

    /// <summary>The one way of a text into HTML: what could end a text or an attribute is written as a reference, and what is no character of HTML is left out.</summary>
    private void Encode(ReadOnlySpan<char> text)
    {
        foreach (var part in text)
        {
            switch (part)
            {
                case '&': _html.Append("&amp;"); break;
                case '<': _html.Append("&lt;"); break;
                case '>': _html.Append("&gt;"); break;
                case '"': _html.Append("&quot;"); break;
                case '\'': _html.Append("&#39;"); break;
                case '\n' or '\t': _html.Append(part); break;
                case var control when char.IsControl(control) || IsDirection(control): break;
                default: _html.Append(part); break;
            }
        }
    }

    // They turn the order of what follows, also beyond the text that they stand in.
    private static bool IsDirection(char part) => part is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
