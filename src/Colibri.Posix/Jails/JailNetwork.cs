using System.Globalization;

namespace Colibri.Posix.Jails;

/// <summary>The network of a new jail, in the words of jail(8)'s <c>ip4</c>: all of the host's, none, or one of its IPv4 addresses.</summary>
public sealed record JailNetwork
{
    private JailNetwork(string text, byte[]? address) => (Text, Address) = (text, address);

    /// <summary>All of the host's addresses, IPv6 too.</summary>
    public static JailNetwork Inherit { get; } = new("inherit", null);

    /// <summary>None, IPv6 neither.</summary>
    public static JailNetwork Disable { get; } = new("disable", null);

    /// <summary><c>inherit</c>, <c>disable</c> or the address; what <see cref="Parse"/> takes.</summary>
    public string Text { get; }

    /// <summary>Four bytes in network order, where it is an address.</summary>
    internal byte[]? Address { get; }

    /// <summary>Null for what is neither of the words nor a dotted IPv4 address.</summary>
    public static JailNetwork? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text switch
        {
            "inherit" => Inherit,
            "disable" => Disable,
            _ => ParseAddress(text),
        };
    }

    // Not IPAddress.Parse: it takes "1" for 0.0.0.1, and octal.
    private static JailNetwork? ParseAddress(string text)
    {
        var parts = text.Split('.');
        var address = new byte[4];
        if (parts.Length != 4)
            return null;
        for (var i = 0; i < 4; i++)
        {
            if (parts[i] is ['0', _, ..] || !byte.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out address[i]))
                return null;
        }
        return new JailNetwork(text, address);
    }
}
