namespace Colibri.UnitTests.Board;

/// <summary>A wall clock and a monotonic clock that stand still; setting <see cref="Now"/> lets time pass, and <see cref="SetClock"/> none.</summary>
internal sealed class ManualTime : TimeProvider
{
    private TimeSpan _clockSetBy;

    public DateTimeOffset Now { get; set; } = new(2026, 11, 22, 6, 7, 10, 893, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Now;

    public override long GetTimestamp() => (Now - _clockSetBy).UtcTicks;

    public void SetClock(TimeSpan by)
    {
        _clockSetBy += by;
        Now += by;
    }
}
