namespace Colibri.Jsonl;

/// <summary>Amounts in US dollars as JSON numbers, without a detour through binary floating point.</summary>
public static class DecimalUsd
{
    /// <summary>Micro-cents in one dollar.</summary>
    public const long MicrocentsPerUsd = 100_000_000;

    private const int Scale = 8;

    /// <summary>
    /// Reads a JSON number of dollars (<c>0.0009695999999999999</c>, <c>1.2e-7</c>) as micro-cents, exactly, rounded half up.
    /// False for a negative amount, one beyond <see cref="long"/>, or text that is no JSON number.
    /// </summary>
    public static bool TryParseMicrocents(ReadOnlySpan<byte> text, out long microcents)
    {
        microcents = 0;
        var at = 0;
        var length = JsonScan.NumberLength(text);
        if (length == 0 || length != text.Length) return false;
        var negative = text[0] == '-';
        if (negative) at++;

        var exponentAt = text.IndexOfAny((byte)'e', (byte)'E');
        var mantissa = exponentAt < 0 ? text[at..] : text[at..exponentAt];
        var point = mantissa.IndexOf((byte)'.');
        var integerDigits = point < 0 ? mantissa.Length : point;
        var exponent = exponentAt < 0 ? 0 : ClampedExponent(text[(exponentAt + 1)..]);
        var wholeDigits = (long)integerDigits + exponent + Scale;

        var value = 0UL;
        var digit = 0L;
        var rounded = 0UL;
        foreach (var c in mantissa)
        {
            if (c == '.') continue;
            var d = (ulong)(c - '0');
            if (digit < wholeDigits)
            {
                if (value > (long.MaxValue - d) / 10) return false;
                value = (value * 10) + d;
            }
            else if (digit == wholeDigits)
            {
                rounded = d >= 5 ? 1UL : 0;
            }

            if (negative && d != 0) return false;
            digit++;
        }

        for (; digit < wholeDigits && value != 0; digit++)
        {
            if (value > long.MaxValue / 10) return false;
            value *= 10;
        }

        if (value + rounded > long.MaxValue) return false;
        microcents = (long)(value + rounded);
        return true;
    }

    // A line has fewer than a billion digits, so an exponent beyond a billion gives zero or out of range in any case.
    private static int ClampedExponent(ReadOnlySpan<byte> text)
    {
        var negative = text[0] == '-';
        var exponent = 0;
        foreach (var c in text)
            if (c is >= (byte)'0' and <= (byte)'9') exponent = Math.Min((exponent * 10) + (c - '0'), 100_000_000);

        exponent = Math.Min(exponent, 100_000_000);
        return negative ? -exponent : exponent;
    }
}
