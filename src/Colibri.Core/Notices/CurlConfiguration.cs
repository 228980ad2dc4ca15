using System.Globalization;
using System.Text;

namespace Colibri.Core.Notices;

/// <summary>One POST as a configuration of curl(1), which reads it from its standard input: nothing of it stands in argv.</summary>
internal static class CurlConfiguration
{
    public static string Of(Uri url, IEnumerable<(string Name, string Value)> headers, ReadOnlySpan<byte> json, TimeSpan timeout)
    {
        var text = new StringBuilder();
        text.Append("silent\nshow-error\nfail\nrequest = \"POST\"\nproto = \"=http,https\"\noutput = \"/dev/null\"\n");
        text.Append(CultureInfo.InvariantCulture, $"max-time = {Math.Max(1, (int)timeout.TotalSeconds)}\n");
        Line(text, "url", url.AbsoluteUri);
        Line(text, "user-agent", "colibri");
        Line(text, "header", "content-type: application/json");
        foreach (var (name, value) in headers)
            Line(text, "header", $"{name}: {value}");
        // A body that begins with @ would be a file's name; a JSON object does not.
        Line(text, "data-binary", Encoding.UTF8.GetString(json));
        return text.ToString();
    }

    // curl knows these escapes in double quotes; a line end would end the option.
    private static void Line(StringBuilder text, string option, string value)
    {
        text.Append(option).Append(" = \"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\v' => text.Append("\\v"),
                _ => text.Append(c),
            };
        }
        text.Append("\"\n");
    }
}
