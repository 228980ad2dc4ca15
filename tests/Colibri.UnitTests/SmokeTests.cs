namespace Colibri.UnitTests;

public sealed class SmokeTests
{
    [Fact]
    public void Recordings_are_beside_the_tests() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "recordings"), "*.jsonl").Length.ShouldBeGreaterThan(10);
}
