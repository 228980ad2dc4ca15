using System.Text.Json;
using Colibri.Core.Settings;

namespace Colibri.Core.Cost;

/// <summary>
/// The operator's prices, for agents that report tokens and no cost. Keys are <c>provider/model</c>, <c>provider/*</c> or a bare
/// <c>model</c>, looked up in this order; the rates are US dollars for a million tokens. What has no price stays unknown.
/// </summary>
public sealed class PriceTable
{
    /// <summary>Largest file that is read, in bytes.</summary>
    public const long MaxBytes = 1 << 20;

    // One dollar for a million tokens is 100 micro-cents a token.
    private const decimal MicrocentsPerToken = 100;
    private const decimal HighestRate = 1_000_000;

    private static readonly string[] RateNames = ["input", "output", "cache_read", "cache_write"];

    private readonly Dictionary<string, decimal?[]> _rates;

    private PriceTable(Dictionary<string, decimal?[]> rates) => _rates = rates;

    /// <summary>No prices at all.</summary>
    public static PriceTable Empty { get; } = new([]);

    /// <summary>How many prices there are.</summary>
    public int Count => _rates.Count;

    /// <summary>Reads the file; null is <see cref="Empty"/>.</summary>
    /// <exception cref="ConfigurationException">It cannot be read, is no such table, or others than its owner may write it.</exception>
    public static PriceTable Load(string? path)
    {
        if (path is null)
            return Empty;
        try
        {
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
                throw Invalid(path, $"others than its owner may write it; chmod go-w {path}");
            if (new FileInfo(path).Length > MaxBytes)
                throw Invalid(path, $"it has more than {MaxBytes} bytes");
            return Parse(File.ReadAllBytes(path));
        }
        catch (JsonException e)
        {
            throw Invalid(path, $"it is no price table, at line {e.LineNumber + 1 ?? 1}: {e.Message}");
        }
        catch (FormatException e)
        {
            throw Invalid(path, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, e.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Whether there are rates for a model.</summary>
    public bool HasPrice(string provider, string model) => Find(provider, model) is not null;

    /// <summary>What so many tokens cost.</summary>
    /// <returns>Micro-cents, rounded half up; null where a rate that is needed is not in the table.</returns>
    public long? CostOf(string provider, string model, long input, long output, long cacheRead, long cacheWrite)
    {
        var rates = Find(provider, model);
        if (rates is null)
            return null;
        var cost = 0m;
        ReadOnlySpan<long> tokens = [input, output, cacheRead, cacheWrite];
        for (var i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] == 0)
                continue;
            if (rates[i] is not { } rate)
                return null;
            cost += tokens[i] * rate * MicrocentsPerToken;
        }
        return cost is >= 0 and < 9_000_000_000_000_000m ? (long)Math.Round(cost, MidpointRounding.AwayFromZero) : null;
    }

    internal static PriceTable Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw new FormatException("it is no JSON object");
        var rates = new Dictionary<string, decimal?[]>(StringComparer.Ordinal);
        foreach (var entry in document.RootElement.EnumerateObject())
            rates[entry.Name] = ParseRates(entry);
        return new PriceTable(rates);
    }

    private static decimal?[] ParseRates(JsonProperty entry)
    {
        if (entry.Value.ValueKind != JsonValueKind.Object)
            throw new FormatException($"'{entry.Name}' is no object of rates");
        var rates = new decimal?[RateNames.Length];
        foreach (var rate in entry.Value.EnumerateObject())
        {
            var index = Array.IndexOf(RateNames, rate.Name);
            if (index < 0)
                throw new FormatException($"'{entry.Name}' has a rate '{rate.Name}'; the rates are {string.Join(", ", RateNames)}");
            if (rate.Value.ValueKind != JsonValueKind.Number || !rate.Value.TryGetDecimal(out var value) || value is < 0 or > HighestRate)
                throw new FormatException($"'{entry.Name}' has a rate '{rate.Name}' that is no number of US dollars for a million tokens");
            rates[index] = value;
        }
        return rates;
    }

    private decimal?[]? Find(string provider, string model) =>
        _rates.GetValueOrDefault($"{provider}/{model}") ?? _rates.GetValueOrDefault($"{provider}/*") ?? _rates.GetValueOrDefault(model);

    private static ConfigurationException Invalid(string path, string problem) => new($"COLIBRI_PRICES_FILE={path} cannot be used: {problem}");
}
