using Colibri.Core.Providers;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Providers;

/// <summary>Keys for tests, and the question whether a part of one stands in a text.</summary>
internal static class Keys
{
    /// <summary>So many characters of a key in a row are a leak.</summary>
    private const int Leak = 8;

    public const string Short = "sk-0123456789abcdef";

    public const string Usual = "sk-ant-api03-Zq8vR2mWx7LbT4nKc9Jd5Hf6Gs3Pa1Uy0EiOo";

    /// <summary>Longer than most limits, as a token with claims in it is.</summary>
    public static string Long { get; } = string.Concat(Enumerable.Range(0, 1_000).Select(i => $"{i:x3}-"));

    public static Secrets Of(params ReadOnlySpan<string> keys)
    {
        var environment = new Dictionary<string, string>();
        foreach (var key in keys)
            environment.Add($"N{environment.Count}_API_KEY", key);
        return new Secrets(environment, null, NullLogger.Instance);
    }

    public static void ShouldHoldNoPartOf(this string? shown, string key, string where)
    {
        if (shown is null)
            return;
        var parts = Enumerable.Range(0, key.Length - Leak + 1).Select(i => key.Substring(i, Leak)).ToHashSet(StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
        for (var i = 0; i + Leak <= shown.Length; i++)
        {
            if (parts.Contains(shown.AsSpan(i, Leak)))
                throw new ShouldAssertException($"{where}: '{shown.AsSpan(i, Leak)}' of the key stands in '{shown[Math.Max(0, i - 20)..Math.Min(shown.Length, i + 60)]}'");
        }
    }
}
