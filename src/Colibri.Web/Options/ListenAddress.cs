using System.Globalization;
using System.Net;

namespace Colibri.Web.Options;

/// <summary>Where the pages are served: an address with a port, or a Unix socket.</summary>
/// <param name="EndPoint">Null for a Unix socket.</param>
/// <param name="UnixPath">Null for an address.</param>
internal sealed record ListenAddress(IPEndPoint? EndPoint, string? UnixPath)
{
    public const string Default = "127.0.0.1:7766";
    private const string UnixPrefix = "unix:";

    // sun_path of sockaddr_un, without its last zero: 104 bytes on FreeBSD, 108 on Linux.
    private const int LongestSocketPath = 103;

    /// <summary>Only this machine's own programs reach it.</summary>
    public bool IsLocal => EndPoint is null || IPAddress.IsLoopback(EndPoint.Address);

    /// <returns>The address, or null where the text is none.</returns>
    public static ListenAddress? Parse(string text)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            var path = text[UnixPrefix.Length..];
            return path.StartsWith('/') && path.Length <= LongestSocketPath && !path.Any(char.IsControl) ? new ListenAddress(null, path) : null;
        }
        if (text.LastIndexOf(':') is not (> 0 and var colon)
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > IPEndPoint.MaxPort)
            return null;
        return AddressOf(text[..colon]) is { } address ? new ListenAddress(new IPEndPoint(address, port), null) : null;
    }

    // An address as it is written, not as inet_aton(3) reads it: 127.1 and 0x7f000001 are refused.
    private static IPAddress? AddressOf(string host)
    {
        if (host == "localhost")
            return IPAddress.Loopback;
        var bare = host is ['[', .., ']'] ? host[1..^1] : host;
        return IPAddress.TryParse(bare, out var address) && (host.StartsWith('[') == address.ToString().Contains(':')) && address.ToString().Equals(bare, StringComparison.OrdinalIgnoreCase) ? address : null;
    }
}
