namespace Colibri.UnitTests.Board;

internal sealed class ManualTime : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 11, 22, 6, 7, 10, 893, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}
