namespace Colibri.Core.Settings;

/// <summary>Names under which people keep secrets. The configuration file holds none: it may be read by all, and lies in backups.</summary>
internal static class SecretNames
{
    private static readonly string[] Endings =
    [
        "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "AUTH_KEY", "TOKEN", "SECRET", "SECRET_KEY", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS",
    ];

    private static readonly string[] FlagWords = ["key", "token", "secret", "password"];

    /// <summary>Whether the value of an agent's option is to be masked where its arguments are shown.</summary>
    public static bool IsFlag(string flag) => Array.Exists(FlagWords, word => flag.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>Arguments with the values of such options masked.</summary>
    public static IEnumerable<string> Masked(IReadOnlyList<string> arguments)
    {
        const string Mask = "***";
        for (var i = 0; i < arguments.Count; i++)
        {
            var equals = arguments[i].IndexOf('=');
            if (arguments[i].StartsWith('-') && equals > 0 && IsFlag(arguments[i][..equals]))
                yield return arguments[i][..(equals + 1)] + Mask;
            else if (i > 0 && arguments[i - 1] is ['-', ..] before && !before.Contains('=') && IsFlag(before))
                yield return Mask;
            else
                yield return arguments[i];
        }
    }

    public static bool LooksLikeOne(string name)
    {
        var upper = name.ToUpperInvariant().Replace('-', '_');
        return Array.Exists(Endings, ending => upper.EndsWith(ending, StringComparison.Ordinal));
    }

    public static string Refusal(string key) =>
        $"{EnvironmentReader.Printable(key)} looks like a secret, and this file holds none: put it into the file that COLIBRI_PROVIDER_ENV names";
}
