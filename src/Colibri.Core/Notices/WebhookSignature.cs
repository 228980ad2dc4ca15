using System.Globalization;
using System.Text;
using Colibri.Core.Sessions;

namespace Colibri.Core.Notices;

/// <summary>
/// Signs messages as the Standard Webhooks specification has it: HMAC-SHA-256 over id, time and body, in the header <c>webhook-signature</c> as
/// <c>v1,BASE64</c>.
/// </summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>The headers of one message.</summary>
    public static IEnumerable<(string Name, string Value)> Of(byte[] secret, string id, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        var seconds = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{seconds}."), .. body];
        return [("webhook-timestamp", seconds), ("webhook-signature", $"v1,{Convert.ToBase64String(Sha256.HmacOf(secret, signed))}")];
    }

    /// <summary>Reads a secret: <c>whsec_</c> and base64, or the bytes of a line as they are. Others must not be able to read it.</summary>
    public static (byte[]? Secret, string? Problem) ReadSecret(string file)
    {
        if (!File.Exists(file))
            return (null, $"secret_file {file} is not there");
        if ((File.GetUnixFileMode(file) & Others) != 0)
            return (null, $"secret_file {file} can be read by others; type: chmod 600 {file}");
        if (new FileInfo(file).Length > SinkRoads.MostSecret)
            return (null, $"secret_file {file} has more than {SinkRoads.MostSecret} bytes");
        var text = File.ReadAllText(file).Trim();
        if (text.Length == 0)
            return (null, $"secret_file {file} is empty");
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
            return (Encoding.UTF8.GetBytes(text), null);
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text[Prefix.Length..], bytes, out var count) ? (bytes[..count], null) : (null, $"secret_file {file} has no base64 after {Prefix}");
    }
}
