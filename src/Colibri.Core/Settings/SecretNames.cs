namespace Colibri.Core.Settings;

/// <summary>Names under which people keep secrets. The configuration file holds none: it may be read by all, and lies in backups.</summary>
internal static class SecretNames
{
    private static readonly string[] Endings =
    [
        "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "AUTH_KEY", "TOKEN", "SECRET", "SECRET_KEY", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS",
    ];

    public static bool LooksLikeOne(string name)
    {
        var upper = name.ToUpperInvariant().Replace('-', '_');
        return Array.Exists(Endings, ending => upper.EndsWith(ending, StringComparison.Ordinal));
    }

    public static string Refusal(string key) =>
        $"{EnvironmentReader.Printable(key)} looks like a secret, and this file holds none: put it into the file that COLIBRI_PROVIDER_ENV names";
}
