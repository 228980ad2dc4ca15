using System.Globalization;
using ConsoleAppFramework;

namespace Colibri.TestAgent;

/// <summary>Digits alone: no sign and no blanks.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class NumberAttribute : Attribute, IArgumentParser<int>, IArgumentParser<long>
{
    public static bool TryParse(ReadOnlySpan<char> s, out int result) => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out result);

    public static bool TryParse(ReadOnlySpan<char> s, out long result) => long.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class TurnsAttribute : Attribute, IArgumentParser<int>
{
    public static bool TryParse(ReadOnlySpan<char> s, out int result) => NumberAttribute.TryParse(s, out result) && result >= 1;
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class ExitCodeAttribute : Attribute, IArgumentParser<int>
{
    public static bool TryParse(ReadOnlySpan<char> s, out int result) => NumberAttribute.TryParse(s, out result) && result <= 255;
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class ChildrenAttribute : Attribute, IArgumentParser<int>
{
    public static bool TryParse(ReadOnlySpan<char> s, out int result) => NumberAttribute.TryParse(s, out result) && result <= 1000;
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class ModeAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result)
    {
        result = s.ToString();
        return result is "json" or "rpc";
    }
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class UsageAttribute : Attribute, IArgumentParser<TokenUsage?>
{
    public static bool TryParse(ReadOnlySpan<char> s, out TokenUsage? result)
    {
        var isUsage = TokenUsage.TryParse(s.ToString(), out var usage);
        result = usage;
        return isUsage;
    }
}
