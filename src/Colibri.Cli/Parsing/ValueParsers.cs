using System.Globalization;
using Colibri.Cli.Commands;
using Colibri.Cli.Help;
using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Parsing;

/// <summary>The values of an option that may be repeated.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class ManyAttribute : Attribute, IArgumentParser<string[]>
{
    /// <summary>Between the values, which reach the binder in one word: the character that no word of a command line can hold.</summary>
    public const char Separator = '\0';

    public static bool TryParse(ReadOnlySpan<char> s, out string[] result)
    {
        result = s.ToString().Split(Separator);
        return true;
    }
}

/// <summary><c>NAME=VALUE</c> pairs; the last one of a name counts.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class PairsAttribute : Attribute, IArgumentParser<Dictionary<string, string>>
{
    public static bool TryParse(ReadOnlySpan<char> s, out Dictionary<string, string> result)
    {
        result = [];
        foreach (var pair in s.ToString().Split(ManyAttribute.Separator))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                return false;
            result[pair[..equals]] = pair[(equals + 1)..];
        }
        return true;
    }
}

/// <summary>Seconds, decimals allowed, up to 30 days: timers end soon after that.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class SecondsAttribute : Attribute, IArgumentParser<TimeSpan?>
{
    public static bool TryParse(ReadOnlySpan<char> s, out TimeSpan? result)
    {
        var isSeconds = double.TryParse(s, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 30 * 86_400;
        result = isSeconds ? TimeSpan.FromSeconds(seconds) : null;
        return isSeconds;
    }
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class TaskStateAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.TaskStates, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class TaskFilterAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.TaskFilters, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class OrderAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.Orders, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class RuntimeAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Runtimes.All, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class CostModeAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.CostModes, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class CostGroupingAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.CostGroupings, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class BudgetActionAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.BudgetActions, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class NotifyActionAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.NotifyActions, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class TransportAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Runtimes.Transports, s, out result);
}

/// <summary>What becomes of a task when one before it is not done.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class OnFailedAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.OnFailed, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class OverlapAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.Overlaps, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class MissedRunsAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.MissedRuns, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class AccessAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.Accesses, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class ShellAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(Choices.Shells, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class CompletionValueAttribute : Attribute, IArgumentParser<string>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string result) => Choices.TryTake(CompletionValues.All, s, out result);
}

[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class EntryKindAttribute : Attribute, IArgumentParser<SessionEntryKind>
{
    public static bool TryParse(ReadOnlySpan<char> s, out SessionEntryKind result)
    {
        var isKnown = Choices.TryTake(Choices.EntryKinds, s, out var word);
        result = isKnown ? Enum.GetValues<SessionEntryKind>().First(kind => Words.Of(kind) == word) : default;
        return isKnown;
    }
}

/// <summary>The topics to subscribe to, each of them known.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class TopicsAttribute : Attribute, IArgumentParser<string[]>
{
    public static bool TryParse(ReadOnlySpan<char> s, out string[] result) =>
        ManyAttribute.TryParse(s, out result) && result.All(topic => Choices.Topics.Contains(topic));
}
