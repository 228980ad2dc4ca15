namespace Colibri.Core.Providers;

/// <summary>Classifies what agents report about their provider.</summary>
public static class ProviderFailures
{
    // "529: {...}" (Pi), "API Error: 401 {...}" (Claude Code), "unexpected status 503 ..." (Codex): the status stands early.
    private const int MostLetters = 60;

    /// <summary>Classifies by the HTTP status that the agent states in a field; if it states none, by its words.</summary>
    /// <param name="status">The status; 0 for none.</param>
    /// <param name="error">The agent's own words, or null.</param>
    public static ProviderFailure Of(int status, string? error) => status != 0 ? OfStatus(status) : Of(error);

    /// <summary>Classifies by the first HTTP status in the agent's words, at their start or after "status" or "error"; other numbers are ignored.</summary>
    public static ProviderFailure Of(string? error)
    {
        if (error is null)
            return ProviderFailure.None;
        var head = error.AsSpan(0, Math.Min(error.Length, MostLetters));
        for (var i = 0; i + 3 <= head.Length; i++)
        {
            if (!char.IsAsciiDigit(head[i]))
                continue;
            var digits = 1;
            while (i + digits < head.Length && char.IsAsciiDigit(head[i + digits]))
                digits++;
            if (digits == 3 && head[i] is '4' or '5' && IsIntroduced(head[..i]))
                return OfStatus(int.Parse(head.Slice(i, 3), System.Globalization.CultureInfo.InvariantCulture));
            i += digits;
        }
        return ProviderFailure.None;
    }

    private static bool IsIntroduced(ReadOnlySpan<char> before)
    {
        before = before.TrimEnd(" :(");
        return before.IsEmpty || before.EndsWith("error", StringComparison.OrdinalIgnoreCase) || before.EndsWith("status", StringComparison.OrdinalIgnoreCase)
            || before.EndsWith("status code", StringComparison.OrdinalIgnoreCase) || before.EndsWith("HTTP", StringComparison.Ordinal);
    }

    private static ProviderFailure OfStatus(int status) => status switch
    {
        401 or 403 => ProviderFailure.Authentication,
        429 or 500 or 502 or 503 or 504 or 529 => ProviderFailure.Overload,
        _ => ProviderFailure.None,
    };
}

/// <summary>What a run's failure says about the provider.</summary>
public enum ProviderFailure
{
    /// <summary>Nothing: the agent, its task or its process failed.</summary>
    None,

    /// <summary>The provider rejects the key: HTTP 401 or 403.</summary>
    Authentication,

    /// <summary>The provider is overloaded or limits the rate: HTTP 429, 500, 502, 503, 504 or 529.</summary>
    Overload,
}
