namespace Colibri.Core.Panes.Dialects;

/// <summary>How a provider refused a request, out of fields the agent has for it and never out of its words.</summary>
/// <param name="Status">The HTTP status; 0 where there was no answer, null where the event says nothing about that.</param>
/// <param name="ResumeAt">When the provider says it can be asked again, in seconds since 1970; 0 where it does not.</param>
/// <param name="ResumeIn">The same in milliseconds from the event on; 0 where it does not.</param>
public readonly record struct ProviderRefusal(int? Status, long ResumeAt = 0, long ResumeIn = 0)
{
    /// <summary>The longest wait that is believed: the longest period of a plan's limits is a week (Claude Code's <c>seven_day</c>).</summary>
    public static TimeSpan LongestWait { get; } = TimeSpan.FromDays(7);

    /// <summary>When the provider can be asked again; null where it does not say or that time has passed.</summary>
    /// <param name="now">When the event came.</param>
    public DateTimeOffset? ResumesAfter(DateTimeOffset now)
    {
        var longest = (long)LongestWait.TotalMilliseconds;
        var wait = Math.Clamp(ResumeIn, 0, longest);
        if (ResumeAt > 0)
            wait = Math.Max(wait, Math.Min(Math.Min(ResumeAt, long.MaxValue / 1000) * 1000 - now.ToUnixTimeMilliseconds(), longest));
        return wait > 0 ? now.AddMilliseconds(wait) : null;
    }
}
