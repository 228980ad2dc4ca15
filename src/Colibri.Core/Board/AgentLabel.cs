using System.Globalization;

namespace Colibri.Core.Board;

/// <summary>What people type for an agent's id: <c>a</c> and its number on the board.</summary>
public static class AgentLabel
{
    // More digits are no number of a row.
    private const int MaxDigits = 18;

    public static string Of(long number) => string.Create(CultureInfo.InvariantCulture, $"a{number}");

    /// <summary>Whether a name has the form of a label.</summary>
    public static bool Is(string name) => NumberOf(name) is not null;

    /// <summary>The number in a label; null where the name is none.</summary>
    public static long? NumberOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith('a') ? Digits(name.AsSpan(1)) : null;
    }

    /// <summary>The number that a text of digits alone is; null for anything else.</summary>
    internal static long? Digits(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxDigits && !text.ContainsAnyExceptInRange('0', '9') ? long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;
}
