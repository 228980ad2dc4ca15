using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>The colours of a patch's lines: what was added and taken away, and within a line strings, comments, numbers and the commonest keywords.</summary>
internal static class DiffColours
{
    // Longer lines are generated, and a page of spans helps nobody.
    private const int LongestColoured = 500;

    private static readonly HashSet<string> Keywords =
    [
        "abstract", "and", "as", "async", "await", "bool", "break", "case", "catch", "class", "const", "continue", "def", "default", "do", "elif", "else", "end", "enum", "export", "extends",
        "false", "finally", "fn", "for", "foreach", "from", "func", "function", "if", "impl", "import", "in", "int", "interface", "internal", "is", "let", "match", "mut", "namespace", "new",
        "nil", "None", "not", "null", "or", "override", "package", "private", "protected", "pub", "public", "raise", "readonly", "record", "return", "sealed", "self", "static", "string",
        "struct", "switch", "this", "throw", "true", "True", "False", "try", "type", "use", "using", "var", "virtual", "void", "while", "with", "yield",
    ];

    public static void Line(HtmlWriter html, string line)
    {
        html.Open("span", ("class", $"l {KindOf(line)}"));
        if (line.Length is 0 or > LongestColoured || line[0] is not ('+' or '-' or ' ') || KindOf(line) == "meta")
            html.Text(line);
        else
            Code(html.Text(line[..1]), line.AsSpan(1));
        html.Close().Text("\n");
    }

    private static string KindOf(string line) => line switch
    {
        ['+', '+', '+', ..] or ['-', '-', '-', ..] => "meta",
        ['+', ..] => "add",
        ['-', ..] => "del",
        ['@', '@', ..] => "hunk",
        [' ', ..] or [] => "same",
        _ => "meta",
    };

    private static void Code(HtmlWriter html, ReadOnlySpan<char> rest)
    {
        while (!rest.IsEmpty)
        {
            var (length, css) = Token(rest);
            var text = rest[..length].ToString();
            if (css is null)
                html.Text(text);
            else
                html.Element("span", text, ("class", css));
            rest = rest[length..];
        }
    }

    private static (int Length, string? Css) Token(ReadOnlySpan<char> rest)
    {
        var first = rest[0];
        if (first is '"' or '\'' or '`')
            return (StringEnd(rest, first), "str");
        if (rest.StartsWith("//") || rest.StartsWith("# ") || rest.StartsWith("/*") || rest.StartsWith("-- "))
            return (rest.Length, "com");
        if (char.IsAsciiDigit(first))
            return (While(rest, static part => char.IsAsciiLetterOrDigit(part) || part is '.' or '_'), "lit");
        if (char.IsLetter(first) || first == '_')
        {
            var length = While(rest, static part => char.IsLetterOrDigit(part) || part == '_');
            return (length, Keywords.GetAlternateLookup<ReadOnlySpan<char>>().Contains(rest[..length]) ? "key" : null);
        }
        return (While(rest, static part => !char.IsLetterOrDigit(part) && part is not ('_' or '"' or '\'' or '`' or '/' or '#' or '-')) is > 0 and var plain ? plain : 1, null);
    }

    private static int StringEnd(ReadOnlySpan<char> rest, char quote)
    {
        for (var i = 1; i < rest.Length; i++)
        {
            if (rest[i] == '\\')
                i++;
            else if (rest[i] == quote)
                return i + 1;
        }
        // An apostrophe, or a string that goes on in the next line.
        return quote == '\'' ? 1 : rest.Length;
    }

    private static int While(ReadOnlySpan<char> rest, Predicate<char> holds)
    {
        var length = 0;
        while (length < rest.Length && holds(rest[length]))
            length++;
        return length;
    }
}
