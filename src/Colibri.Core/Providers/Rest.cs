namespace Colibri.Core.Providers;

/// <summary>
/// A wait on the monotonic clock: setting the host's clock neither ends nor lengthens it. Its end is shown to people as a wall-clock time, by
/// the clock as it is set now.
/// </summary>
internal readonly record struct Rest(long Since, TimeSpan Length)
{
    public static Rest Of(TimeSpan length, TimeProvider time) => new(time.GetTimestamp(), length);

    /// <summary>What is left of it; zero once it is over.</summary>
    public TimeSpan Left(TimeProvider time)
    {
        var left = Length - time.GetElapsedTime(Since);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public DateTimeOffset? EndsAt(TimeProvider time) => Left(time) is var left && left > TimeSpan.Zero ? time.GetUtcNow() + left : null;
}
