using Colibri.Core.Board;
using Cronos;

namespace Colibri.Core.Schedules;

/// <summary>
/// A cron expression in a zone. The library reads the expression and searches among wall times. What becomes of a wall time where the zone's clock is set is
/// decided here, because the library lets <c>30 * * * *</c> fire at the end of a gap as well as half an hour later.
/// </summary>
/// <remarks>
/// An expression with <c>*</c> or <c>/</c> in its seconds, minutes or hours is like an interval: it fires at every instant whose wall time it names, twice
/// in a repeated hour and never in a skipped one. Every other names fixed times, each of which fires once: a skipped one when the clock was set forward
/// past it, a repeated one the first time.
/// </remarks>
internal sealed class CronRule
{
    // What the library says before it names the field.
    private const string Preamble = "The given cron expression has an invalid format. ";

    // Beyond it a change of the offset cannot bring back a wall time that is already over.
    private static readonly TimeSpan LongestStepBack = TimeSpan.FromHours(26);

    private readonly CronExpression _expression;
    private readonly ZoneClock _clock;

    private CronRule(CronExpression expression, bool isLikeInterval, ZoneClock clock) => (_expression, IsLikeInterval, _clock) = (expression, isLikeInterval, clock);

    public bool IsLikeInterval { get; }

    /// <exception cref="ScheduleRefusedException">It is no expression; the message names its field.</exception>
    public static CronRule Parse(string text, ZoneClock clock)
    {
        ArgumentNullException.ThrowIfNull(text);
        var fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        try
        {
            return fields switch
            {
                [['@', ..] macro] => new CronRule(CronExpression.Parse(macro), macro is "@hourly" or "@every_minute" or "@every_second", clock),
                { Length: 5 } => new CronRule(CronExpression.Parse(text, CronFormat.Standard), IsLike(fields.AsSpan(0, 2)), clock),
                { Length: 6 } => new CronRule(CronExpression.Parse(text, CronFormat.IncludeSeconds), IsLike(fields.AsSpan(0, 3)), clock),
                _ => throw new ScheduleRefusedException(
                    "cron", $"is '{text}', which has {fields.Length} fields; it needs five (minute hour day month weekday), six with seconds first, or a macro such as @daily"),
            };
        }
        catch (MissingSeedException)
        {
            throw new ScheduleRefusedException("cron", $"is '{text}': H names no time here; jitter_ms spreads starts");
        }
        catch (CronFormatException e)
        {
            throw new ScheduleRefusedException("cron", $"is '{text}': {e.Message.Replace(Preamble, "", StringComparison.Ordinal).ReplaceLineEndings(" ").TrimEnd('.')}");
        }
    }

    /// <summary>The first instant after this one at which it fires; null where there is none before the year 2100.</summary>
    public DateTime? Next(DateTime after) => IsLikeInterval ? NextShown(after) : NextFixed(after);

    private static bool IsLike(ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            if (field.AsSpan().ContainsAny('*', '/'))
                return true;
        }
        return false;
    }

    private DateTime? NextFixed(DateTime after)
    {
        // Later wall times are at later instants, so the first that lies behind is the one. Those of a repeated hour lie before, once it is repeated.
        var wall = _clock.WallAt(after);
        while (_expression.GetNextOccurrence(wall) is { } next)
        {
            if (_clock.Find(next).First is var at && at > after)
                return at;
            wall = next;
        }
        return null;
    }

    private DateTime? NextShown(DateTime after)
    {
        var (from, isIncluded) = (after, false);
        // Each round passes a change of the offset.
        while (_expression.GetNextOccurrence(_clock.WallAt(from), isIncluded) is { } wall)
        {
            var at = wall - _clock.OffsetAt(from);
            var limit = at - from > LongestStepBack ? from + LongestStepBack : at;
            if (_clock.NextChange(from, limit) is { } change)
            {
                (from, isIncluded) = (change, true);
                continue;
            }
            if (limit == at)
                return at;
            var found = _clock.Find(wall);
            if (!found.IsSkipped)
                return found.First;
            (from, isIncluded) = (found.First, true);
        }
        return null;
    }
}
