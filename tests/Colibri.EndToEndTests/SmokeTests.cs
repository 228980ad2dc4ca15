namespace Colibri.EndToEndTests;

public sealed class SmokeTests
{
    [Fact]
    public void It_runs() =>
        Environment.ProcessId.ShouldBeGreaterThan(0);
}
