using System.Globalization;
using System.Text;

namespace Colibri.Cli.Output;

/// <summary>Text as a person reads it in a terminal that must not obey it, beside the words that all programs share.</summary>
internal static class TerminalWords
{
    extension(Words)
    {
        /// <summary>
        /// The text on one line with every character that a terminal acts on, or that hides or reorders others, as a visible escape.
        /// </summary>
        public static string Plain(string text)
        {
            var safe = true;
            foreach (var rune in text.EnumerateRunes())
            {
                if (IsUnsafe(rune))
                {
                    safe = false;
                    break;
                }
            }
            if (safe)
                return text;
            var plain = new StringBuilder(text.Length + 16);
            foreach (var rune in text.EnumerateRunes())
            {
                if (IsUnsafe(rune))
                    AppendEscape(plain, rune);
                else
                    plain.Append(rune);
            }
            return plain.ToString();
        }

        /// <summary>As <c>Plain</c>, of a line whose tabs a terminal may take.</summary>
        public static string Line(string text) => text.Contains('\t', StringComparison.Ordinal) ? string.Join('\t', text.Split('\t').Select(Plain)) : Plain(text);
    }

    private static bool IsUnsafe(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator
        || (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format && rune.Value is not 0x200D);

    private static void AppendEscape(StringBuilder plain, Rune rune)
    {
        switch (rune.Value)
        {
            case '\n':
                plain.Append("\\n");
                break;
            case '\r':
                plain.Append("\\r");
                break;
            case '\t':
                plain.Append("\\t");
                break;
            case < 0x100:
                plain.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                break;
            default:
                plain.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                break;
        }
    }
}
