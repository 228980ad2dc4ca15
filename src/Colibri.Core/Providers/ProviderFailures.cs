namespace Colibri.Core.Providers;

/// <summary>
/// Classifies what agents report about their provider: by the HTTP status in a field, else by a status at the start of the words, else by the
/// words of <see cref="ProviderWords"/>.
/// </summary>
public static class ProviderFailures
{
    // "529: {...}" (Pi), "API Error: 401 {...}" (Claude Code), "unexpected status 503 ..." (Codex): the status stands early.
    private const int MostLetters = 60;

    /// <summary>Classifies by the HTTP status that the agent states in a field; if it states none, by a status in its words.</summary>
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

    /// <summary>Classifies a failed run by all that it says: a field, then a status in its words, then the words.</summary>
    /// <param name="status">The HTTP status in a field; 0 for none.</param>
    /// <param name="error">The run's error as its kind reports it, or null.</param>
    /// <param name="hasWorked">
    /// The model has answered in this run. Then words count only where the error begins with them: an agent that has used tools may speak of the
    /// site that it works on.
    /// </param>
    public static ProviderFault Fault(int status, string? error, bool hasWorked)
    {
        if (status is 401 or 403)
            return new ProviderFault(ProviderFailure.Authentication, IsStated: true);
        // Some providers answer 429 or 400 to a prompt that is too long for the plan or the model: that is the task's.
        if (ProviderWords.IsTasksOwn(error))
            return default;
        if (status != 0 && OfStatus(status) is var stated and not ProviderFailure.None)
            return new ProviderFault(stated, IsStated: true);
        var words = ProviderWords.WithoutPreamble(error);
        if (status == 0 && Of(hasWorked ? StatusFirst(words) : words) is var said and not ProviderFailure.None)
            return new ProviderFault(said, IsStated: true);
        var failure = ProviderWords.Of(words, hasWorked);
        // A status that is none of the provider's outages may still refuse for want of credit: Anthropic does so with 400.
        return status != 0 && failure != ProviderFailure.Limit ? default : new ProviderFault(failure, IsStated: false);
    }

    // "HTTP 503 from http://localhost:3000" may be a tool's; a kind begins its own error with the number.
    private static string? StatusFirst(string? words) => words is { Length: >= 3 } && char.IsAsciiDigit(words[0]) ? words : null;

    private static bool IsIntroduced(ReadOnlySpan<char> before)
    {
        before = before.TrimEnd(" :(");
        return before.IsEmpty || before.EndsWith("error", StringComparison.OrdinalIgnoreCase) || before.EndsWith("status", StringComparison.OrdinalIgnoreCase)
            || before.EndsWith("status code", StringComparison.OrdinalIgnoreCase) || before.EndsWith("HTTP", StringComparison.Ordinal);
    }

    private static ProviderFailure OfStatus(int status) => status switch
    {
        401 or 403 => ProviderFailure.Authentication,
        402 => ProviderFailure.Limit,
        // 408 and 504 end a request that took too long, 520 to 530 are a proxy's words for a server that does not answer.
        408 => ProviderFailure.Unreachable,
        429 or >= 500 and <= 599 => ProviderFailure.Overload,
        _ => ProviderFailure.None,
    };
}

/// <summary>What a run's failure says about the provider.</summary>
public enum ProviderFailure
{
    /// <summary>Nothing: the agent, its task or its process failed.</summary>
    None,

    /// <summary>The provider rejects the key: HTTP 401 or 403, or words that say so.</summary>
    Authentication,

    /// <summary>The provider is overloaded or limits the rate: HTTP 429 or 5xx, or words that say so.</summary>
    Overload,

    /// <summary>A limit of the plan, the quota or the credit is reached.</summary>
    Limit,

    /// <summary>The provider cannot be reached: connections refused, reset or too slow, names or certificates that cannot be checked.</summary>
    Unreachable,

    /// <summary>Guessed: the agent printed nothing at all until its deadline. Only several tasks in a row make it the provider's.</summary>
    Silence,
}

/// <summary>A failure, and whether one task is enough to believe it.</summary>
/// <param name="Failure">What the run says about the provider.</param>
/// <param name="IsStated">An HTTP status or a time to resume says so, and not words alone.</param>
public readonly record struct ProviderFault(ProviderFailure Failure, bool IsStated)
{
    /// <summary>Whether the run's failure is the provider's.</summary>
    public bool IsProviders => Failure != ProviderFailure.None;
}
