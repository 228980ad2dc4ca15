namespace Colibri.Web.Options;

/// <summary>The name, and the port where it is not the scheme's own, under which a browser may ask: a value of the Host header.</summary>
/// <param name="Text">As a browser writes it: lower case, an IPv6 address in brackets.</param>
internal sealed record HostName(string Text)
{
    private const int LongestName = 253;

    /// <summary>Reads NAME or NAME:PORT.</summary>
    public static HostName? Parse(string text)
    {
        var name = text;
        if (text.LastIndexOf(':') is > 0 and var colon && !text.EndsWith(']'))
        {
            name = text[..colon];
            if (!int.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out var port) || port is < 1 or > 65535)
                return null;
        }
        return name.Length is 0 or > LongestName || !name.All(IsPartOfName) ? null : new HostName(text.ToLowerInvariant());
    }

    private static bool IsPartOfName(char part) => char.IsAsciiLetterOrDigit(part) || part is '.' or '-' or '_' or '[' or ']' or ':';
}
